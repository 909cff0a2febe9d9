/* SPDX-License-Identifier: GPL-2.0-only */
/* Nor is more copied in: such a size is invalid. */
/* @stderr: invalid size (0x41) */
#pragma D option scratchsize=64

BEGIN { size = 65; p = copyin(0, size); exit(0); }
ERROR { exit(1); }
