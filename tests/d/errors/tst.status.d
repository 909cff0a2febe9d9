/* SPDX-License-Identifier: GPL-2.0-only */
/* A fault is not the program's failure. */
/* @status: 0 */
#pragma D option quiet

BEGIN { x = *(int *)0; }
tick-1ms { exit(0); }
