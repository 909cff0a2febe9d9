/* SPDX-License-Identifier: GPL-2.0-only */
/* How many bytes is a constant. */

BEGIN
{
	tracemem(curthread, pid);
	exit(0);
}
