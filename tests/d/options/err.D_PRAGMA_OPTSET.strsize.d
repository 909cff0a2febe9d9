/* SPDX-License-Identifier: GPL-2.0-only */
/* A string has two characters at least. */
/* @needs: guest */
#pragma D option strsize=1

BEGIN { exit(0); }
