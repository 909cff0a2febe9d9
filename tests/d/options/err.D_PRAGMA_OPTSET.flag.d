/* SPDX-License-Identifier: GPL-2.0-only */
/* A flag takes no value. */
/* @needs: guest */
#pragma D option zdefs=1

BEGIN { exit(0); }
