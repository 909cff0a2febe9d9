/* SPDX-License-Identifier: GPL-2.0-only */
/* ERROR's arguments say what went wrong. */
#pragma D option quiet

BEGIN { printf("%d\n", *(int *)0x10); }
ERROR { printf("%d %d %d %x\n", arg1, arg2, arg4 == DTRACEFLT_BADADDR, arg5); exit(0); }
