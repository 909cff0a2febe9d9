/* SPDX-License-Identifier: GPL-2.0-only */
/* Keys are a list of types without an ellipsis. */

int a[int, ...];
BEGIN
{
	exit(0);
}
