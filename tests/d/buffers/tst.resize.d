/* SPDX-License-Identifier: GPL-2.0-only */
/* A buffer may become smaller. */
#pragma D option quiet

#pragma D option bufresize=auto
BEGIN { printf("x\n"); exit(0); }
