/* SPDX-License-Identifier: GPL-2.0-only */
/* What a part of an expression carries beyond its type is not lost. */
#pragma D option quiet

BEGIN
{
	i = 100000;
	printf("%d ", i * i / i);
	printf("%d ", (i * i - 7) / 100000);
	printf("%d ", i * i % 99999);
	printf("%d\n", i * i);
	u = (uint32_t)100000;
	printf("%d\n", u * u / u);
	exit(0);
}
