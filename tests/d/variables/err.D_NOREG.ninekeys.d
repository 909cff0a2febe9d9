/* SPDX-License-Identifier: GPL-2.0-only */
/* An associative array has no more than 8 keys. */
BEGIN
{
	self->seen[1, 2, 3, 4, 5, 6, 7, 8] = 1;
	self->far[1, 2, 3, 4, 5, 6, 7, 8, "nine"] = 1;
	exit(0);
}
