/* SPDX-License-Identifier: GPL-2.0-only */
/* The end is not speculative. */

BEGIN
{
	speculate(1);
	exit(0);
}
