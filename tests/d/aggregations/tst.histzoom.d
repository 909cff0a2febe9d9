/* SPDX-License-Identifier: GPL-2.0-only */
/* With aggzoom, too, the longest bar of agghist has all the room there is, or nearly. */
#pragma D option quiet
#pragma D option agghist
#pragma D option aggzoom

BEGIN
{
	@small["one"] = sum(1);
	@small["three"] = sum(3);
	@large["half"] = sum(50);
	@large["whole"] = sum(100);
	@both["down"] = sum(-4);
	@both["up"] = sum(8);
	exit(0);
}
