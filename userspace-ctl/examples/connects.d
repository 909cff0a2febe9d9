#!/usr/bin/env -S rtctl -s
/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which TCP connections are made, by whom, and how long does connect(2) take?
 *
 *     connects.d                    until Ctrl-C
 *
 * Prints a line for each attempt over IPv4: the process, the address and port, the error or 0, and microseconds.
 * @options: -c true
 */

#pragma D option quiet

fbt::tcp_v4_connect:entry
{
	self->to = (uint64_t)arg1;
}

fbt::tcp_v4_connect:return
/self->to/
{
	this->port = (uint16_t *)(self->to + 2);
	this->address = (uint32_t *)(self->to + 4);
	printf("%8d %-16s %s:%d error %d %d us\n", pid, execname, inet_ntoa(this->address),
	    ntohs(*this->port), -(int)arg1, elapsed / 1000);
	self->to = 0;
}
