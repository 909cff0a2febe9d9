/* SPDX-License-Identifier: GPL-2.0-only */
/* Names that DTrace does not know are the program's if it defines them: entryarg0, elapsed. */
#pragma D option quiet

int elapsed[string];

BEGIN
{
	entryarg0 = "first";
	entryarg1[1, 2] = 3;
	entryarg2++;
	elapsed["open"] += 40;
	elapsed["open"] += 2;
	printf("%s %d %d %d %d\n", entryarg0, entryarg1[1, 2], entryarg2, elapsed["open"],
	    elapsed["close"]);
	exit(0);
}
