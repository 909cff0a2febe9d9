/* SPDX-License-Identifier: GPL-2.0-only */
/* Only memory of one's own is copied to. */

int *p;
BEGIN
{
	copyinto(arg0, 4, p);
	exit(0);
}
