/* SPDX-License-Identifier: GPL-2.0-only */
/* A translator's member takes what its type can be assigned. */

struct out { char *a; };
translator struct out < int i > { a = i; };
BEGIN { exit(0); }
