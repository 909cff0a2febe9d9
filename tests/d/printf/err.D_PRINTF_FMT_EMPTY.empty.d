/* SPDX-License-Identifier: GPL-2.0-only */
/* A format is not empty. */

BEGIN
{
	printf("");
	exit(0);
}
