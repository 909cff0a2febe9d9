#!/usr/bin/env -S rtctl -s
/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How long do timers, the network and RCU take behind interrupts?
 *
 *     softirqs.d                    until Ctrl-C
 *
 * Prints a distribution of nanoseconds for each of the functions.
 * @options: -c 'ls -lR /etc'
 */

#pragma D option quiet

fbt::handle_softirqs:return,
fbt::run_timer_softirq:return,
fbt::hrtimer_interrupt:return,
fbt::net_rx_action:return,
fbt::rcu_core_si:return
{
	@[probefunc] = quantize(elapsed);
}
