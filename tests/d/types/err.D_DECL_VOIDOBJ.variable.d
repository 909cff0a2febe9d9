/* SPDX-License-Identifier: GPL-2.0-only */
/* Nothing is of type void. */

void x;
BEGIN
{
	exit(0);
}
