/* SPDX-License-Identifier: GPL-2.0-only */
/* A declaration is worked off when it has been read: before what is no D behind it. */
struct a {
	struct b x;
};

BEGIN { exit(0); }

END /(0 != 1) (2 != 3)/ { }
