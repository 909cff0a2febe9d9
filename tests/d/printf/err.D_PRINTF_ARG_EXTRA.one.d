/* SPDX-License-Identifier: GPL-2.0-only */
/* An argument without a conversion. */

BEGIN
{
	printf("one\n", 1);
	exit(0);
}
