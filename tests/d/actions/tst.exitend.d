/* SPDX-License-Identifier: GPL-2.0-only */
/* END sees that it is the end. */
/* @status: 3 */
#pragma D option quiet

BEGIN { printf("begin "); exit(3); }
END { printf("end\n"); }
