/* SPDX-License-Identifier: GPL-2.0-only */
/* A body may be empty, and records the probe as the default action does. */
#pragma D option quiet

BEGIN { }
BEGIN { printf("x\n"); exit(0); }
