/* SPDX-License-Identifier: GPL-2.0-only */
/* An inline has the type of what it stands for. */

struct out { int a; };
struct other { int a; };
translator struct out < int i > { a = i; };
inline struct other *p = xlate <struct out *> (1);
BEGIN { exit(0); }
