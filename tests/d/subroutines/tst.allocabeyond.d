/* SPDX-License-Identifier: GPL-2.0-only */
/* Behind what alloca() gave nothing is written, whatever lies there: too many bytes, or all of them. */
#pragma D option quiet

BEGIN
{
	this->s = (char *)alloca(10);
	a = "012345678901234567890";
	b = strjoin(a, a);
	bcopy(a, this->s, 10);
	bcopy(b, this->s + 1, 10);
}
BEGIN
{
	this->s = (char *)alloca(16);
	b = strjoin("01", "23");
	this->s[16] = 'x';
}
ERROR { printf("%d\n", arg4); }
BEGIN { exit(0); }
