/* SPDX-License-Identifier: GPL-2.0-only */
/* A translator's members are those of its output. */

struct out { int a; };
translator struct out < int i > { b = i; };
BEGIN { exit(0); }
