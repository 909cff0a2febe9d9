/* SPDX-License-Identifier: GPL-2.0-only */
/* A character constant ends on its line. */

BEGIN
{
	trace('
');
	exit(0);
}
