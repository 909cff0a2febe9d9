/* SPDX-License-Identifier: GPL-2.0-only */
/* What is speculated in an if ends with it. */
#pragma D option quiet

BEGIN
{
	spec = speculation();
	if (spec) {
		speculate(spec);
		printf("speculated\n");
	}
	printf("not speculated\n");
	if (spec == 0) {
		speculate(spec);
		printf("nowhere\n");
	}
	printf("nor this\n");
}

BEGIN
{
	if (spec) {
		commit(spec);
	}
	printf("behind a commit\n");
	exit(0);
}
