/* SPDX-License-Identifier: GPL-2.0-only */
/* A declaration has one storage class. */

static auto int x;
BEGIN
{
	exit(0);
}
