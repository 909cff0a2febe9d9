/* SPDX-License-Identifier: GPL-2.0-only */
/* A translator ends with a semicolon. */

struct out { int a; };
translator struct out < int i > { a = i; }
BEGIN { exit(0); }
