/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the processor belongs, by names of its own. */
#pragma D option quiet

BEGIN
{
	printf("%d %d %d\n", pset == curcpu->cpu_pset, chip == curcpu->cpu_chip, lgrp == curcpu->cpu_lgrp);
	exit(0);
}
