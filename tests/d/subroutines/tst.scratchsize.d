/* SPDX-License-Identifier: GPL-2.0-only */
/* As much as scratchsize says is had. */
#pragma D option quiet
#pragma D option scratchsize=1k

BEGIN { p = (char *)alloca(1024); p[1023] = 'z'; printf("%c\n", p[1023]); exit(0); }
