/* SPDX-License-Identifier: GPL-2.0-only */
/* More than scratchsize, if that is known at run time only, is a fault. */
/* @stderr: out of scratch space */
#pragma D option scratchsize=64

BEGIN { size = 65; p = alloca(size); exit(0); }
ERROR { exit(1); }
