/* SPDX-License-Identifier: GPL-2.0-only */
/* -c runs a command, whose end is the end. */
/* @needs: guest */
/* @options: -c true */
#pragma D option quiet

BEGIN { printf("begin\n"); }
END { printf("end %d\n", $target > 0); }
