/* SPDX-License-Identifier: GPL-2.0-only */
/* No member is of type void. */

struct s {
	void a;
};
BEGIN
{
	exit(0);
}
