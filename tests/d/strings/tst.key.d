/* SPDX-License-Identifier: GPL-2.0-only */
/* Strings as keys are compared up to their NUL. */
#pragma D option quiet

BEGIN
{
	a["abc"] = 1;
	s = strjoin("a", "bc");
	printf("%d\n", a[s]);
	exit(0);
}
