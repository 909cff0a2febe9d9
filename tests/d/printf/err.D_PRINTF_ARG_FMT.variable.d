/* SPDX-License-Identifier: GPL-2.0-only */
/* A format is a constant. */

BEGIN
{
	s = "text";
	printf(s);
	exit(0);
}
