/* SPDX-License-Identifier: GPL-2.0-only */
/* What parts of an expression carry beyond their types counts until the whole is kept somewhere. */

#pragma D option quiet

int64_t wide;
uint64_t unsigned_wide;
int8_t small;
uint8_t byte;
uint16_t p;
uint16_t q;
uint32_t a;
uint32_t b;
int64_t by[int64_t];

BEGIN
{
	secs = 5;
	n = 40;
	x = 1000000000LL;
	printf("%d %d\n", x > secs * 1000000000, secs * 1000000000 == 5 * x);
	wide = secs * 1000000000;
	printf("%d", wide);
	wide += secs * 1000000000;
	printf(" %d %d %d\n", wide, 0LL + secs * 1000000000, secs * 1000000000 / 1000LL);
	printf("%s %d\n", lltostr(secs * 1000000000), x ? secs * 1000000000 : 0LL);
	by[5 * x] = 7;
	printf("%d\n", by[secs * 1000000000]);
	/* Where it is kept as what it is, it is cut. */
	cut = secs * 1000000000;
	printf("%d %d\n", cut, secs * 1000000000);
}

BEGIN
/1 << n && !!(1 << n) && (1 << n) > 5/
{
	printf("%d %d %d\n", ((1LL << 40) & (1 << n)) != 0, (1 << n) ? 1 : 2, (1 << n) ^^ 0);
}

/* Those that are narrower than an int come to what C makes of them. */
BEGIN
{
	small = 100;
	byte = 200;
	p = 60000;
	q = 20000;
	printf("%d %d %d\n", small + small > 127, (small + small) / 2, (p + q) / 2);
	printf("%d %d %d\n", byte + 100 > 255, byte + byte > 255, byte + byte == 400);
	wide = small + small;
	unsigned_wide = byte + byte;
	printf("%d %d %d\n", wide, unsigned_wide, ~byte == 55);
	byte += byte;
	printf("%d %d\n", byte, (int)(p + q));
}

/* An unsigned int is cut at once. */
BEGIN
{
	a = 5;
	b = 10;
	wide = a - b;
	printf("%d %d %d\n", wide, a - b > 0, (a - b) / 2);
}

BEGIN
{
	@ = sum(secs * 1000000000);
	@most = max(small + small);
	printa("%@d\n", @);
	printa("%@d\n", @most);
	exit(0);
}
