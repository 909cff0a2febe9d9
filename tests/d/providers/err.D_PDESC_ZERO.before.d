/* SPDX-License-Identifier: GPL-2.0-only */
/* That there is no such probe is told before what is wrong with what would be done there. */
/* @needs: guest */
no_such_provider:::
{
	trace(nobody_assigns_it);
}
