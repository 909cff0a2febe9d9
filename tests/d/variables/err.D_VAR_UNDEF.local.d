/* SPDX-License-Identifier: GPL-2.0-only */
/* A variable that is never assigned. */

BEGIN
{
	trace(this->nothing);
	exit(0);
}
