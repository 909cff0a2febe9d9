/* SPDX-License-Identifier: GPL-2.0-only */
/* There is one zone. */
#pragma D option quiet

BEGIN
/zonename == "global"/
{
	zone = zonename;
	@zones[zonename] = count();
	printf("%s %s %d\n", zonename, zone, strlen(zonename));
	printa("%s %@d\n", @zones);
	exit(0);
}
