/* SPDX-License-Identifier: GPL-2.0-only */
/* A cast names a type that is known. */

BEGIN
{
	trace((no_such_type_t)1);
	exit(0);
}
