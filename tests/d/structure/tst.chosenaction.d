/* SPDX-License-Identifier: GPL-2.0-only */
/* Of a conditional expression with a constant condition one arm is left, which may be an action. */
#pragma D option quiet

inline int LOUD = 1;
inline int COUNTS = 2;
inline int NEVER = 0;

BEGIN
{
	LOUD ? printf("%s ", "loud") : 1;
	NEVER ? printf("never ") : 1;
	NEVER ? trace("never") : printf("%d %d\n", LOUD, COUNTS);
	!NEVER && LOUD ? trace("both\n") : 1;
	(COUNTS == 2 ? @a[probename] = count() : 1);
	COUNTS == 1 ? @a["none"] = count() : NEVER ? ustack() : trace("last\n");
	LOUD ? exit(0) : exit(1);
}
