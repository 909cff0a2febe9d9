/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory is at an address. */

BEGIN
{
	tracemem("text", 4);
	exit(0);
}
