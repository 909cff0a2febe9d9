/* SPDX-License-Identifier: GPL-2.0-only */
/* END runs after exit(). */
#pragma D option quiet

BEGIN { printf("begin\n"); exit(0); }
END { printf("end\n"); }
