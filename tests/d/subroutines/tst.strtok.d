/* SPDX-License-Identifier: GPL-2.0-only */
/* strtok() goes through a string. */
#pragma D option quiet

BEGIN
{
	this->s = "one,two;three";
	printf("%s ", strtok(this->s, ",;"));
	printf("%s ", strtok(NULL, ",;"));
	printf("%s\n", strtok(NULL, ",;"));
	printf("%d\n", strtok(NULL, ",;") == NULL);
	exit(0);
}
