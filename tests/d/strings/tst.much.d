/* SPDX-License-Identifier: GPL-2.0-only */
/* A clause may do much with long strings. */
#pragma D option quiet
#pragma D option strsize=4k

BEGIN {
	in = "[1, 2]";
	printf("%s", json(in, "0"));
	printf("%s", json(in, "1"));
	printf("%s", json(in, "0"));
	printf("%s", json(in, "1"));
	printf("%s", json(in, "0"));
	printf("%s", json(in, "1"));
	printf("%s", json(in, "0"));
	printf("%s", json(in, "1"));
	printf("%s", json(in, "0"));
	printf("%s", json(in, "1"));
	printf("%s", json(in, "0"));
	printf("%s", json(in, "1"));
	printf("%s", json(in, "0"));
	printf("%s", json(in, "1"));
	printf("%s", json(in, "0"));
	printf("%s", json(in, "1"));
	printf("%s", json(in, "0"));
	printf("%s", json(in, "1"));
	printf("%s", json(in, "0"));
	printf("%s", json(in, "1"));
	exit(0);
}
