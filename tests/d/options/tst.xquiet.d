/* SPDX-License-Identifier: GPL-2.0-only */
/* quiet on the command line. */
/* @options: -q */

BEGIN { printf("x\n"); exit(0); }
