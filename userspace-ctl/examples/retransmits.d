#!/usr/bin/env -S rtctl -s
/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which TCP connections send again what was lost?
 *
 *     retransmits.d                 until Ctrl-C
 *
 * Prints a line for each retransmission over IPv4: both ends and the connection's state.
 * @options: -c true
 */

#pragma D option quiet

fbt::tcp_retransmit_skb:entry
/args[0]->__sk_common.skc_family == AF_INET/
{
	this->from = &args[0]->__sk_common.skc_rcv_saddr;
	this->to = &args[0]->__sk_common.skc_daddr;
	printf("%Y %s:%d -> %s:%d state %d\n", walltimestamp, inet_ntoa(this->from),
	    args[0]->__sk_common.skc_num, inet_ntoa(this->to),
	    ntohs(args[0]->__sk_common.skc_dport), args[0]->__sk_common.skc_state);
}
