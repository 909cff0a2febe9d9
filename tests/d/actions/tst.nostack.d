/* SPDX-License-Identifier: GPL-2.0-only */
/* A stack of BEGIN does no harm. */
/* @needs: guest */
#pragma D option quiet

BEGIN { stack(3); ustack(3); exit(0); }
