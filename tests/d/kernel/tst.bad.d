/* SPDX-License-Identifier: GPL-2.0-only */
/* A pointer into nowhere is a fault with its address. */
/* @needs: btf */
/* @stderr: invalid address */
#pragma D option quiet

BEGIN { printf("%d\n", ((struct task_struct *)0)->pid); }
BEGIN { printf("on\n"); exit(0); }
