/* SPDX-License-Identifier: GPL-2.0-only */
/* freopen() writes to a file, and back. */
/* @needs: guest */
#pragma D option quiet
#pragma D option destructive

BEGIN { printf("one\n"); freopen("/dev/null"); }
BEGIN { printf("two\n"); freopen(""); }
BEGIN { printf("three\n"); exit(0); }
