/* SPDX-License-Identifier: GPL-2.0-only */
/* A pointer to what is translated cannot be kept. */

struct out { int a; };
translator struct out < int i > { a = i; };
BEGIN { p = xlate <struct out *> (1); }
