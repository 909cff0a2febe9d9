/* SPDX-License-Identifier: GPL-2.0-only */
/* What has no value is not printed. */

BEGIN
{
	print((void)1);
	exit(0);
}
