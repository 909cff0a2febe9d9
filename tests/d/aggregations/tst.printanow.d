/* SPDX-License-Identifier: GPL-2.0-only */
/* printa() shows what there is, and not again at the end. */
#pragma D option quiet

BEGIN
{
	@["x"] = count();
	printf("now:\n");
	printa(@);
	printf("then\n");
	exit(0);
}
