/* SPDX-License-Identifier: GPL-2.0-only */
/* scratchsize is the most that may be asked for. */
#pragma D option scratchsize=1k

BEGIN { p = alloca(1025); exit(0); }
