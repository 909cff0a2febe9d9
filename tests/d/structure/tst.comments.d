/* SPDX-License-Identifier: GPL-2.0-only */
/* Comments may stand anywhere. */
#pragma D option quiet

/* first */ BEGIN /* second
   third */ {
	printf(/* a */ "%d\n" /* b */, /* c */ 1); /* d */
	exit(0); /* * / */
}
