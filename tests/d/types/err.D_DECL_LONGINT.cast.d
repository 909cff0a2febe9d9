/* SPDX-License-Identifier: GPL-2.0-only */
/* What has a name of its own has its size already, in casts, too. */

BEGIN
{
	trace((long uint32_t)1);
	exit(0);
}
