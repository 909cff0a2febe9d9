/* SPDX-License-Identifier: GPL-2.0-only */
/* Options whose meaning is had anyway, or that are about what is not here. */
#pragma D option quiet

#pragma D option core
#pragma D option errtags
#pragma D option iregs=8
#pragma D option jstackframes=10
#pragma D option jstackstrsize=100
#pragma D option kdefs
#pragma D option maxframes=0x20
#pragma D option nolibs
#pragma D option noresolve
#pragma D option pcapsize=2k
#pragma D option preallocate=100t
#pragma D option scratchsize=1k
#pragma D option tregs=11
#pragma D option udefs

BEGIN { printf("%s\n", "taken"); exit(0); }
