/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers to text and back. */
#pragma D option quiet

BEGIN
{
	printf("%d\n", strtoll(lltostr(-9223372036854775807)));
	exit(0);
}
