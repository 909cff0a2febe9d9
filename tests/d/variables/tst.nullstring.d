/* SPDX-License-Identifier: GPL-2.0-only */
/* A string that is set to NULL is NULL until it is set again; one that nobody set is empty. */
#pragma D option quiet

string never;

BEGIN
{
	global = "one";
	global = NULL;
	this->local = "two";
	this->local = NULL;
	printf("%d %d '%s'\n", global == NULL, this->local == NULL, never);
	global = "three";
	this->local = "";
	printf("%s '%s'\n", global, this->local);
	this->local = global;
	global = NULL;
	printf("%s\n", this->local);
	exit(0);
}
