/* SPDX-License-Identifier: GPL-2.0-only */
/* The same of what is copied in. */
#pragma D option scratchsize=64

BEGIN { p = copyin(0, 65); exit(0); }
