/* SPDX-License-Identifier: GPL-2.0-only */
/* The command runs already when a program's options are read. */
/* @needs: guest */

#pragma D option setenv=WORD=set

BEGIN { exit(0); }
