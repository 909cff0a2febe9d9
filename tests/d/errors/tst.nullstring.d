/* SPDX-License-Identifier: GPL-2.0-only */
/* A string that is NULL cannot be traced, and no byte of it be read. */
#pragma D option quiet

self string t;
string a[int];

BEGIN { trace(self->t); }
BEGIN { trace(a[1]); }
BEGIN { global = "one"; global = NULL; trace(global[1]); }
BEGIN { this->local = "one"; this->local = NULL; trace(this->local[1]); }
BEGIN { self->t = "one"; self->t = NULL; trace(self->t[2]); }
BEGIN { a[1] = "one"; a[1] = NULL; trace(a[1][3]); }
ERROR { printf("%d %d\n", arg4 == DTRACEFLT_BADADDR, arg5); }
BEGIN { exit(0); }
