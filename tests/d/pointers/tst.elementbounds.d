/* SPDX-License-Identifier: GPL-2.0-only */
/* An index beyond an array in an associative array is a fault, whatever lies there. */
#pragma D option quiet

int lists[int][4];
BEGIN
{
	this->before = alloca(64);
	lists[1][3] = 5;
	lists[1][4] = 6;
	lists[1][3] = 7;
}
BEGIN
{
	this->before = alloca(64);
	lists[1][-5] = 6;
	lists[1][3] = 7;
}
BEGIN
{
	printf("%d\n", lists[1][3]);
	exit(0);
}
ERROR
{
	printf("%d\n", arg4 == DTRACEFLT_BADADDR);
}
