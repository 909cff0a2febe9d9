/* SPDX-License-Identifier: GPL-2.0-only */
/* -H tells which files a program includes, on standard error. */
/* @needs: cpp */
/* @options: -x cpp -H -I /usr/include */
/* @stderr: stdbool.h */
#pragma D option quiet

#include <stdbool.h>
BEGIN { printf("%d\n", true); exit(0); }
