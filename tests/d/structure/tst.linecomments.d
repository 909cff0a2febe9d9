/* SPDX-License-Identifier: GPL-2.0-only */
/* Comments to the end of the line. */
#pragma D option quiet

// nothing
BEGIN // exit(1);
{ // exit(1);
	printf("x\n"); // /* not open
	exit(0); // */
} // end
