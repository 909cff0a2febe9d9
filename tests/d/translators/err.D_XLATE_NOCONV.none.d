/* SPDX-License-Identifier: GPL-2.0-only */
/* What is no member of the type has no conversion. */

struct out { int a; };
translator struct out < int i > { a = i; };
BEGIN { trace(xlate <struct out> (1).c); }
