/* SPDX-License-Identifier: GPL-2.0-only */
/* A string that is NULL without being written so is none to go on with: a fault. */
/* @stderr: invalid address (0x0) in action #1 */
#pragma D option quiet

BEGIN { printf("%s\n", strtok("a,b", ",")); }
BEGIN { this->x = strtok(strstr("abc", "def"), ",") == NULL; printf("not reached\n"); }
BEGIN { printf("%s\n", strtok(NULL, ",")); exit(0); }
