/* SPDX-License-Identifier: GPL-2.0-only */
/* An argument that is not given. */
/* @arguments: 1 */

BEGIN
{
	trace($1 + $2);
	exit(0);
}
