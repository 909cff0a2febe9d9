/* SPDX-License-Identifier: GPL-2.0-only */
/* alloca() takes a size. */

BEGIN
{
	trace(alloca());
	exit(0);
}
