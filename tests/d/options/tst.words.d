/* SPDX-License-Identifier: GPL-2.0-only */
/* Switches have many words, in any case of letters; a number sets them. */
#pragma D option flowindent=disabled
#pragma D option flowindent=NO
#pragma D option quiet=off
#pragma D option quiet=EnabLed
#pragma D option rawbytes=0
#pragma D option rawbytes=False

BEGIN
{
	setopt("quiet", "No");
	setopt("quiet", "YES");
	trace("a word");
	exit(0);
}
