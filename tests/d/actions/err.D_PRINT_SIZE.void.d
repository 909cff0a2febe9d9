/* SPDX-License-Identifier: GPL-2.0-only */
/* What has no size is not printed. */

BEGIN
{
	print((void *)0);
	exit(0);
}
