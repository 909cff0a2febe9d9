/* SPDX-License-Identifier: GPL-2.0-only */
/* Arguments are counted from 0. */
/* @needs: btf */

write:entry
{
	trace(args[-1]);
}
