/* SPDX-License-Identifier: GPL-2.0-only */
/* Enumerators count on from the last one. */
#pragma D option quiet

enum colour {
	RED,
	GREEN = 5,
	BLUE,
	DARK = BLUE + 10
};
BEGIN
{
	printf("%d %d %d %d\n", RED, GREEN, BLUE, DARK);
	printf("%d\n", sizeof (enum colour));
	exit(0);
}
