/* SPDX-License-Identifier: GPL-2.0-only */
/* What changes the system cannot be speculated. */

BEGIN
{
	speculate(speculation());
	stop();
}
