/* SPDX-License-Identifier: GPL-2.0-only */
/* 255 characters and a NUL, if nothing else is said. */
#pragma D option quiet

BEGIN
{
	s = "0123456789abcdef";
	s = strjoin(s, s);
	s = strjoin(s, s);
	s = strjoin(s, s);
	s = strjoin(s, s);
	printf("%d ", strlen(s));
	s = strjoin(s, "more");
	t[s] = s;
	printf("%d %d\n", strlen(s), strlen(t[s]));
	exit(0);
}
