/* SPDX-License-Identifier: GPL-2.0-only */
/* END runs once. */
#pragma D option quiet

BEGIN { exit(0); }
END { @ = count(); }
END { printa("%@d\n", @); }
