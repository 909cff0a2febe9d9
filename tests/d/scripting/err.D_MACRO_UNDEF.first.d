/* SPDX-License-Identifier: GPL-2.0-only */
/* An argument that is not given. */

BEGIN
{
	trace($1);
	exit(0);
}
