/* SPDX-License-Identifier: GPL-2.0-only */
/* strlen() takes one string. */

BEGIN
{
	trace(strlen());
	exit(0);
}
