/* SPDX-License-Identifier: GPL-2.0-only */
/* A fault ends what stands behind it, up to the clause's end, and takes back nothing of what an if parts from it. */
/* @stderr: in action #2 at */
#pragma D option quiet

int zero;

BEGIN
/zero == 0/
{
	printf("before\n");
	if (zero == 0) {
		printf("in\n");
		trace(1 / zero);
		printf("lost\n");
	}
	printf("behind\n");
	exit(1);
}

BEGIN
{
	if (zero == 0) {
		printf("next\n");
	}
	exit(0);
}

ERROR
{
	printf("action %d\n", arg2);
}
