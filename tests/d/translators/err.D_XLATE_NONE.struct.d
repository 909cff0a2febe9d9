/* SPDX-License-Identifier: GPL-2.0-only */
/* A struct is no pointer to it. */

struct in { int a; };
struct out { int a; };
translator struct out < struct in *i > { a = i->a; };
struct in in;
BEGIN { trace(xlate <struct out> (in).a); }
