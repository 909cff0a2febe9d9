/* SPDX-License-Identifier: GPL-2.0-only */
/* A translation is no address. */

struct out { int a; };
translator struct out < int i > { a = i; };
BEGIN { trace((uintptr_t)xlate <struct out *> (1)); }
