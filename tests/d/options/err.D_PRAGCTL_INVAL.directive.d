/* SPDX-License-Identifier: GPL-2.0-only */
/* A control line that is none. */

#nonsense
BEGIN
{
	exit(0);
}
