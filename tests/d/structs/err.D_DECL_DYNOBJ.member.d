/* SPDX-License-Identifier: GPL-2.0-only */
/* A member is no associative array. */

struct counts {
	int of[string];
};
BEGIN
{
	exit(0);
}
