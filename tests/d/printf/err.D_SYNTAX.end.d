/* SPDX-License-Identifier: GPL-2.0-only */
/* A conversion is not cut off. */

BEGIN
{
	printf("text %");
	exit(0);
}
