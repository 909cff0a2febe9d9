/* SPDX-License-Identifier: GPL-2.0-only */
/* A translator of the very type comes before one that takes it, too. */

#pragma D option quiet

struct size {
	int bytes;
};

translator struct size < int n > { bytes = 4; };
translator struct size < long n > { bytes = 8; };
translator struct size < string s > { bytes = strlen(s); };

BEGIN
{
	printf("%d %d %d %d\n", xlate <struct size> (1).bytes, xlate <struct size> (1L).bytes,
	    xlate <struct size> ((char)1).bytes, xlate <struct size> ("four more").bytes);
	exit(0);
}
