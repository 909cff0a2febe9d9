/* SPDX-License-Identifier: GPL-2.0-only */
/* A translation has no value of its own. */

struct out { int x; };
translator struct out < int i > { x = i; };

BEGIN
{
	xlate <struct out *> (0);
	exit(0);
}
