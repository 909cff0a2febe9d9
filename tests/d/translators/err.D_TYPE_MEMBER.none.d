/* SPDX-License-Identifier: GPL-2.0-only */
/* A translation has the members of its type. */

struct out { int a; };
translator struct out < int i > { a = i; };
BEGIN { trace(xlate <struct out> (1).c); }
