/* SPDX-License-Identifier: GPL-2.0-only */
/* Constants by name. */
#pragma D option quiet

inline int ANSWER = 42;
inline string NAME = "deep thought";
inline int TWICE = ANSWER * 2;
BEGIN
{
	printf("%d %s %d\n", ANSWER, NAME, TWICE);
	exit(0);
}
