/* SPDX-License-Identifier: GPL-2.0-only */
/* All of the provider dtrace by name. */
#pragma D option quiet

dtrace:::BEGIN { printf("begin "); exit(0); }
dtrace:::END { printf("end\n"); }
