/* SPDX-License-Identifier: GPL-2.0-only */
/* A typedef names one type. */

typedef int number_t;
typedef long number_t;
BEGIN
{
	exit(0);
}
