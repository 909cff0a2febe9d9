/* SPDX-License-Identifier: GPL-2.0-only */
/* A translator is there from its declaration on, not in itself. */

struct out { int a; int b; };
translator struct out < int i > { a = i; b = xlate <struct out> (i).a; };
BEGIN { exit(0); }
