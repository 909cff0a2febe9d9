#!/usr/bin/env -S rtctl -s
/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How long do block devices take?
 *
 *     blockio.d                     until Ctrl-C
 *
 * Prints a distribution of microseconds from giving a request to the driver until it is done, for reads and for writes,
 * and a distribution of bytes.
 * @options: -c 'ls -lR /etc'
 */

#pragma D option quiet

fbt::blk_mq_start_request:entry
{
	started[arg0] = timestamp;
}

fbt::blk_update_request:entry
/started[arg0]/
{
	/* REQ_OP_WRITE is 1. */
	this->what = args[0]->cmd_flags & 1 ? "write" : "read";
	@time[this->what] = quantize((timestamp - started[arg0]) / 1000);
	@bytes[this->what] = quantize(args[2]);
	started[arg0] = 0;
}

END
{
	printf("microseconds");
	printa(@time);
	printf("bytes");
	printa(@bytes);
}
