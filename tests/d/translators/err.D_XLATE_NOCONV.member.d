/* SPDX-License-Identifier: GPL-2.0-only */
/* A member that the translator leaves out cannot be asked for. */

struct out { int a; int b; };
translator struct out < int i > { a = i; };
BEGIN { trace(xlate <struct out> (1).b); }
