/* SPDX-License-Identifier: GPL-2.0-only */
/* A provider that is not there. */
/* @needs: guest */

no_such_provider:::
{
	exit(0);
}
