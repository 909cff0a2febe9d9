/* SPDX-License-Identifier: GPL-2.0-only */
/* discard() takes a number. */

BEGIN
{
	discard();
}
