/* SPDX-License-Identifier: GPL-2.0-only */
/* An argument that is more than an int. */

/* @arguments: 99999999999999999999 */
BEGIN
{
	trace($1);
	exit(0);
}
