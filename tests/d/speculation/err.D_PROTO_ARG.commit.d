/* SPDX-License-Identifier: GPL-2.0-only */
/* A speculation has a number. */

BEGIN
{
	commit("one");
}
