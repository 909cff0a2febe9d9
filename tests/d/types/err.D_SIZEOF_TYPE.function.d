/* SPDX-License-Identifier: GPL-2.0-only */
/* What has no size. */

BEGIN
{
	trace(sizeof (void));
	exit(0);
}
