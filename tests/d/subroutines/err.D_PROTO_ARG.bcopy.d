/* SPDX-License-Identifier: GPL-2.0-only */
/* Only memory of one's own is copied to. */

BEGIN
{
	bcopy(alloca(4), (void *)arg0, 4);
	exit(0);
}
