/* SPDX-License-Identifier: GPL-2.0-only */
/* A dimension is a constant. */

BEGIN
{
	trace(sizeof (int [pid]));
	exit(0);
}
