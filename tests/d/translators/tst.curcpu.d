/* SPDX-License-Identifier: GPL-2.0-only */
/* curcpu is the firing's processor, as members and as a pointer. */

#pragma D option quiet

cpuinfo_t *mine;
extern cpuinfo_t elsewhere;

BEGIN
{
	mine = curcpu;
	printf("%d %d %d\n", mine->cpu_id == cpu, curcpu->cpu_id == cpu, curcpu->cpu_pset);
	printf("%d\n", (int64_t)curcpu != -1);
	exit(0);
}
