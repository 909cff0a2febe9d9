/* SPDX-License-Identifier: GPL-2.0-only */
/* A number of columns is not counted in thousands. */
/* @needs: guest */
#pragma D option stackindent=4k

BEGIN { exit(0); }
