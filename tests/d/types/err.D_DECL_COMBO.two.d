/* SPDX-License-Identifier: GPL-2.0-only */
/* A type has one base. */

BEGIN
{
	trace((int char)1);
	exit(0);
}
