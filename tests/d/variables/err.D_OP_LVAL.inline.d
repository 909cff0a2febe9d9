/* SPDX-License-Identifier: GPL-2.0-only */
/* A constant is not written. */

inline int answer = 42;
BEGIN
{
	answer = 43;
	exit(0);
}
