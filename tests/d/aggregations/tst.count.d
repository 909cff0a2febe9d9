/* SPDX-License-Identifier: GPL-2.0-only */
/* count() without a key. */
#pragma D option quiet

BEGIN { @ = count(); }
BEGIN { @ = count(); }
BEGIN { exit(0); }
