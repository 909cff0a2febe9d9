/* SPDX-License-Identifier: GPL-2.0-only */
/* A constant has no address. */

BEGIN
{
	trace(&1);
	exit(0);
}
