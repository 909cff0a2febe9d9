/* SPDX-License-Identifier: GPL-2.0-only */
/* Only numbers are long. */

struct s {
	int a;
};
long struct s x;
BEGIN
{
	exit(0);
}
