/* SPDX-License-Identifier: GPL-2.0-only */
/* What was assigned before a fault stays assigned. */
#pragma D option quiet

BEGIN { x = 5; y = *(int *)0; x = 6; }
BEGIN { printf("%d\n", x); exit(0); }
