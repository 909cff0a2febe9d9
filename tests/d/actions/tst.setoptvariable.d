/* SPDX-License-Identifier: GPL-2.0-only */
/* setopt() takes strings that are known only when the clause runs. */
#pragma D option quiet

BEGIN
{
	@low["a"] = sum(1);
	@high["a"] = sum(30);
	@low["b"] = sum(2);
	@high["b"] = sum(20);
	@low["c"] = sum(3);
	@high["c"] = sum(10);
	which = "aggsortpos";
	at = 1;
}

tick-1ms
/at >= 0/
{
	setopt(which, lltostr(at));
	printf("by %d:", at);
	printa(" %s", @low, @high);
	printf("\n");
	at--;
}

tick-1ms
/at < 0/
{
	setopt(strjoin("aggsort", "rev"));
	printf("down:");
	printa(" %s", @low, @high);
	printf("\n");
	exit(0);
}
