/* SPDX-License-Identifier: GPL-2.0-only */
/* What a pointer to void points to has no type. */

BEGIN
{
	trace(*(void *)0);
	exit(0);
}
