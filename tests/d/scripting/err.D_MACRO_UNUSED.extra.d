/* SPDX-License-Identifier: GPL-2.0-only */
/* An argument that is not used. */
/* @arguments: 1 2 */

BEGIN
{
	trace($1);
	exit(0);
}
