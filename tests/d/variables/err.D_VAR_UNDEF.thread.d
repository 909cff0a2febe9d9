/* SPDX-License-Identifier: GPL-2.0-only */
/* A variable that is never assigned. */

BEGIN
{
	trace(self->nothing);
	exit(0);
}
