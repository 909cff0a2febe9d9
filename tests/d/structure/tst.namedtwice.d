/* SPDX-License-Identifier: GPL-2.0-only */
/* A clause runs for each of its descriptions: twice for a probe that two of them name. */
#pragma D option quiet

BEGIN,
dtrace:::BEGIN,
END
{
	printf("%s %d\n", probename, ++n);
}

BEGIN
{
	printf("then %d\n", n);
	exit(0);
}
