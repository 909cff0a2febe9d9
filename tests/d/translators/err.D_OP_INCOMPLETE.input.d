/* SPDX-License-Identifier: GPL-2.0-only */
/* What a translator reads must be known. */

struct out { int a; };
translator struct out < struct nowhere *i > { a = i->b; };
BEGIN { exit(0); }
