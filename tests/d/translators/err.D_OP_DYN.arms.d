/* SPDX-License-Identifier: GPL-2.0-only */
/* A translation is no arm of ?:. */

struct out { int a; };
translator struct out < int i > { a = i; };
BEGIN { trace((pid ? xlate <struct out> (1) : xlate <struct out> (2)).a); }
