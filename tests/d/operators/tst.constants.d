/* SPDX-License-Identifier: GPL-2.0-only */
/* A constant expression has 64 bits until it is kept; and operands below 32 bits keep their sign. */

#pragma D option quiet

int i;
long w;
int8_t a;
uint16_t b;
uint8_t c;
char text[4];

BEGIN
{
	i = 1;
	printf("%d %d\n", i < 3 * 1024 * 1024 * 1024, ((1 << 33) + i) == 1);
	w = i + (1 << 35);
	printf("%d", w);
	w = (1 << 33) | i;
	printf(" %d", w);
	w = (1 << 33) >> i;
	printf(" %d", w);
	w = i ? 3 * 1024 * 1024 * 1024 : 0;
	printf(" %d\n", w);
	w = (int)(1 << 33);
	printf("%d %d\n", w, (int)(3 * 1024 * 1024 * 1024) < 0);
	a = -2;
	b = 65534;
	c = 254;
	printf("%d %d %d\n", a == b, a == c, (uint16_t)a == b);
	printf("%d %d\n", a + b, a & c);
	text[2] = 'x';
	printf("%c %c\n", 2[text], (1 + 1)[text]);
	exit(0);
}
