/* SPDX-License-Identifier: GPL-2.0-only */
/* What is not global is copied wherever it is named, and must leave room. */

self char mine[8193];

BEGIN
{
	self->mine[0] = 1;
	exit(0);
}
