/* SPDX-License-Identifier: GPL-2.0-only */
/* -> is for pointers. */

struct out { int a; };
translator struct out < int i > { a = i; };
BEGIN { trace(xlate <struct out> (1)->a); }
