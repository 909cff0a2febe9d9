/* SPDX-License-Identifier: GPL-2.0-only */
/* The same of what is copied in. */
/* @stderr: out of scratch space */
#pragma D option scratchsize=64

BEGIN { size = 65; p = copyin(0, size); exit(0); }
ERROR { exit(1); }
