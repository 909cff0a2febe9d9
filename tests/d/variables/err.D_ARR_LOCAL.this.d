/* SPDX-License-Identifier: GPL-2.0-only */
/* Clause-local variables are no associative arrays. */

BEGIN
{
	this->a["one"] = 1;
	exit(0);
}
