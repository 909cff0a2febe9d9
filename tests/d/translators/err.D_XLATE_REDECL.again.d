/* SPDX-License-Identifier: GPL-2.0-only */
/* One translator from a type to another is enough. */

struct in { int a; };
struct out { int a; };
translator struct out < struct in *i > { a = i->a; };
typedef struct out out_t;
translator out_t < struct in *j > { };
BEGIN { exit(0); }
