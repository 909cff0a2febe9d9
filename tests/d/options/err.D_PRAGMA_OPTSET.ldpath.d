/* SPDX-License-Identifier: GPL-2.0-only */
/* Nothing is linked here. */
/* @needs: guest */
#pragma D option ldpath=/usr/bin/ld

BEGIN { exit(0); }
