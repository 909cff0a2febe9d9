/* SPDX-License-Identifier: GPL-2.0-only */
/* strtok() that goes on where nothing was begun is a fault, whatever becomes of its value. */
/* @stderr: invalid address (0x0) in action #1 */
#pragma D option quiet

BEGIN { this->x = strtok(NULL, ",") == NULL; printf("not reached\n"); }
BEGIN { printf("on\n"); exit(0); }
