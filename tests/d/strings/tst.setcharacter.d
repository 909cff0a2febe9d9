/* SPDX-License-Identifier: GPL-2.0-only */
/* The characters of string variables are set one by one. */
/* @stderr: index out of bounds (255) in action #2 */

#pragma D option quiet

string global;
string array[int];

BEGIN
{
	global = "global";
	i = 3;
	global[0] = 'G';
	global[i] -= 32;
	*(global + 5) = 'L';
	printf("%s\n", global);

	this->local = probeprov;
	this->local[0] = 'D';
	this->local[1] -= 32;
	self->thread = "thread";
	self->thread[1]++;
	array[5] = "array";
	array[i + 2][i - 3] = 'A';
	printf("%s %s %s\n", this->local, self->thread, array[5]);
}

/* What the assignment results in, and how a string is cut and made longer. */
BEGIN
{
	c = (global[1] = 321);
	global[4] = '\0';
	printf("%c %s %d\n", c, global, strlen(global));
	longer = "long";
	longer[4] = '!';
	printf("%s\n", longer);
	never[1] = "";
	never[1][0] = 'n';
	printf("%s\n", never[1]);
}

/* The last byte there is stays a NUL. */
BEGIN
{
	i = 255;
	global[i] = 'x';
}

BEGIN
{
	i = -1;
	this->local = "local";
	this->local[i] = 'x';
}

/* Nor does it go when more than a character is set at once. */
BEGIN
{
	this->local = "local";
	*(int *)&this->local[0] = 0x41424344;
	*(long *)&this->local[247] = -1;
	printf("%s %d\n", this->local, this->local[254]);
}

BEGIN
{
	this->local = "local";
	*(long *)&this->local[248] = -1;
}

BEGIN
{
	global = NULL;
	global[0] = 'x';
}

/* An empty string is no NULL, whatever is left behind its end. */
BEGIN
{
	this->local = "ab";
	this->local[1] = '\377';
	this->local[0] = '\0';
	printf("[%s]\n", this->local);
}

BEGIN
{
	exit(0);
}

ERROR
{
	printf("fault %d\n", arg4);
}
