/* SPDX-License-Identifier: GPL-2.0-only */
/* There is nothing longer than `long long`. */

BEGIN
{
	trace((long long long)1);
	exit(0);
}
