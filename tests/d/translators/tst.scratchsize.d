/* SPDX-License-Identifier: GPL-2.0-only */
/* scratchsize bounds what a program asks for, not what a translation copies. */
#pragma D option quiet
#pragma D option scratchsize=8

struct from {
	string name;
};
struct to {
	char name[32];
};
translator struct to < struct from *f > {
	name = "longer than eight";
};

struct to result;

BEGIN
{
	result = *xlate < struct to * > ((struct from *)NULL);
	printf("%s\n", stringof(result.name));
	exit(0);
}
