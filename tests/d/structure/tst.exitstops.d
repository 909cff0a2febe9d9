/* SPDX-License-Identifier: GPL-2.0-only */
/* After exit() no later clause of the probe runs. */
#pragma D option quiet

BEGIN { printf("one\n"); exit(0); }
BEGIN { printf("two\n"); }
