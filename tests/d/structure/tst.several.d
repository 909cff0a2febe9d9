/* SPDX-License-Identifier: GPL-2.0-only */
/* A clause may have several descriptions. */
#pragma D option quiet

BEGIN, END
{
	printf("%s\n", probename);
}
BEGIN
{
	exit(0);
}
