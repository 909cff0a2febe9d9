/* SPDX-License-Identifier: GPL-2.0-only */
/* Words that each are right, but no type together. */

long float x;
BEGIN
{
	exit(0);
}
