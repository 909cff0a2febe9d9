// SPDX-License-Identifier: GPL-2.0
/*
 * For the views (see detect.c): what the kernel calls when time has passed, when a
 * packet comes, or a key is pressed. What leads into its own text is mostly left out:
 * see rtrace_tell_callback().
 */
#include <linux/binfmts.h>
#include <linux/hrtimer.h>
#include <linux/hrtimer_bases.h>
#include <linux/input.h>
#include <linux/interrupt.h>
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/percpu.h>
#include <linux/timer.h>
#include <linux/tty.h>
#include <linux/tty_ldisc.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>
#include <net/protocol.h>

#include "../../include/uapi/rust_tracer.h"
#include "detect_at.h"

#define rtrace_tell_func(kind, name, at, func_at, each, data)                                  \
	do {                                                                                   \
		unsigned long rtrace_func;                                                     \
		if (rtrace_get(rtrace_func, (const unsigned long *)(func_at)))                 \
			rtrace_tell_callback(kind, name, (unsigned long)(at), rtrace_func,     \
					     each, data);                                      \
	} while (0)

/* ---- timers ---------------------------------------------------------------------- */

/* struct timer_base of kernel/time/timer.c, and what it is made of there. */
#define RTRACE_WHEEL_SIZE ((1u << 6) * (HZ > 100 ? 9 : 8))
#define RTRACE_WHEELS (IS_ENABLED(CONFIG_NO_HZ_COMMON) ? 3 : 1)

struct rtrace_wheel {
	raw_spinlock_t lock;
	struct timer_list *running_timer;
#ifdef CONFIG_PREEMPT_RT
	spinlock_t expiry_lock;
	atomic_t timer_waiters;
#endif
	unsigned long clk;
	unsigned long next_expiry;
	unsigned int cpu;
	bool next_expiry_recalc;
	bool is_idle;
	bool timers_pending;
	DECLARE_BITMAP(pending_map, RTRACE_WHEEL_SIZE);
	struct hlist_head vectors[RTRACE_WHEEL_SIZE];
} ____cacheline_aligned;

/* With interrupts off no more are looked at: a tenth of a millisecond or so. */
#define RTRACE_TIMERS_MAX 1024u

static void rtrace_tell_timer(const struct timer_list *timer, rtrace_each each, void *data)
{
	const struct delayed_work *work = container_of(timer, struct delayed_work, timer);
	unsigned long func;

	if (!rtrace_get(func, (const unsigned long *)&timer->function))
		return;
	if (func == (unsigned long)delayed_work_timer_fn)
		rtrace_tell_func(RTRACE_CALLBACK_TIMER, "delayed_work", work, &work->work.func,
				 each, data);
	else
		rtrace_tell_callback(RTRACE_CALLBACK_TIMER, "timer", (unsigned long)timer, func,
				     each, data);
}

static void rtrace_tell_wheel(struct rtrace_wheel *wheel, rtrace_each each, void *data)
{
	unsigned int i;

	for (i = 0; i < RTRACE_WHEEL_SIZE; i++) {
		const struct hlist_node *at;
		unsigned int steps = 0;

		if (hlist_empty(&wheel->vectors[i]))
			continue;
		raw_spin_lock_irq(&wheel->lock);
		at = wheel->vectors[i].first;
		while (at && steps++ < RTRACE_TIMERS_MAX) {
			rtrace_tell_timer(hlist_entry(at, struct timer_list, entry), each, data);
			if (!rtrace_get(at, &at->next))
				break;
		}
		raw_spin_unlock_irq(&wheel->lock);
	}
}

static void rtrace_tell_hrtimers(struct hrtimer_clock_base *base, rtrace_each each, void *data)
{
	struct hrtimer_cpu_base *of_cpu = base->cpu_base;
	const struct rb_node_linked *at;
	unsigned int steps = 0;

	raw_spin_lock_irq(&of_cpu->lock);
	at = base->active.rb_root.rb_leftmost;
	while (at && steps++ < RTRACE_TIMERS_MAX) {
		const struct hrtimer *timer = container_of(at, struct hrtimer, node.node);

		rtrace_tell_func(RTRACE_CALLBACK_TIMER, "hrtimer", timer,
				 &ACCESS_PRIVATE(timer, function), each, data);
		if (!rtrace_get(at, &at->next))
			break;
	}
	raw_spin_unlock_irq(&of_cpu->lock);
}

static void rtrace_tell_timers(rtrace_each each, void *data)
{
	struct hrtimer_cpu_base __percpu *hrtimers = (void __percpu *)rtrace_at.hrtimers;
	struct rtrace_wheel __percpu *wheels = (void __percpu *)rtrace_at.timers;
	unsigned int cpu, i;

	/* Those of a CPU that is offline are moved to another one. */
	for_each_possible_cpu(cpu) {
		for (i = 0; wheels && i < RTRACE_WHEELS; i++) {
			struct rtrace_wheel *wheel = per_cpu_ptr(wheels, cpu) + i;

			/* Else it is not what it is taken for. */
			if (wheel->cpu == cpu)
				rtrace_tell_wheel(wheel, each, data);
		}
		for (i = 0; hrtimers && i < HRTIMER_MAX_CLOCK_BASES; i++) {
			struct hrtimer_cpu_base *base = per_cpu_ptr(hrtimers, cpu);

			if (base->cpu == cpu && base->clock_base[i].cpu_base == base)
				rtrace_tell_hrtimers(&base->clock_base[i], each, data);
		}
		cond_resched();
	}
}

/* ---- packets ---------------------------------------------------------------------- */

#define RTRACE_HOOKS_MAX 1024u

#ifdef CONFIG_NETFILTER
static void rtrace_tell_hook_entries(const char *family, unsigned int number,
				     struct nf_hook_entries __rcu **at, rtrace_each each, void *data)
{
	const struct nf_hook_entries *entries = rcu_dereference(*at);
	char name[32];
	unsigned int i;

	if (!entries)
		return;
	snprintf(name, sizeof(name), "nf_hooks %s %u", family, number);
	for (i = 0; i < min_t(unsigned int, entries->num_hook_entries, RTRACE_HOOKS_MAX); i++)
		rtrace_tell_func(RTRACE_CALLBACK_PACKET, name, &entries->hooks[i],
				 &entries->hooks[i].hook, each, data);
}

static void rtrace_tell_nf_hooks(struct net *net, rtrace_each each, void *data)
{
	struct netns_nf *nf = &net->nf;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(nf->hooks_ipv4); i++)
		rtrace_tell_hook_entries("ipv4", i, &nf->hooks_ipv4[i], each, data);
	for (i = 0; i < ARRAY_SIZE(nf->hooks_ipv6); i++)
		rtrace_tell_hook_entries("ipv6", i, &nf->hooks_ipv6[i], each, data);
#ifdef CONFIG_NETFILTER_FAMILY_ARP
	for (i = 0; i < ARRAY_SIZE(nf->hooks_arp); i++)
		rtrace_tell_hook_entries("arp", i, &nf->hooks_arp[i], each, data);
#endif
#ifdef CONFIG_NETFILTER_FAMILY_BRIDGE
	for (i = 0; i < ARRAY_SIZE(nf->hooks_bridge); i++)
		rtrace_tell_hook_entries("bridge", i, &nf->hooks_bridge[i], each, data);
#endif
}
#else
static void rtrace_tell_nf_hooks(struct net *net, rtrace_each each, void *data)
{
}
#endif

static void rtrace_tell_packet_types(const char *name, const struct list_head *head,
				     rtrace_each each, void *data)
{
	const struct list_head *at;

	rtrace_for_each(at, head) {
		const struct packet_type *type = list_entry(at, struct packet_type, list);

		rtrace_tell_func(RTRACE_CALLBACK_PACKET, name, type, &type->func, each, data);
		rtrace_tell_func(RTRACE_CALLBACK_PACKET, name, type, &type->list_func, each, data);
	}
}

/* Those of a number that no module has: IP's own protocols, and what IPv6 puts before others. */
static bool rtrace_is_own_protocol(unsigned int number)
{
	switch (number) {
	case IPPROTO_ICMP:
	case IPPROTO_IGMP:
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_ROUTING:
	case IPPROTO_FRAGMENT:
	case IPPROTO_ICMPV6:
	case IPPROTO_DSTOPTS:
		return true;
	}
	return false;
}

/* Both tables have pointers to structures that begin with these two functions. */
static void rtrace_tell_protocols(const char *name, unsigned long at, rtrace_each each, void *data)
{
	const struct net_protocol *const *protocols = (const struct net_protocol *const *)at;
	const struct net_protocol *protocol;
	char numbered[32];
	unsigned int i;

	for (i = 0; protocols && i < MAX_INET_PROTOS; i++) {
		u32 kind = rtrace_is_own_protocol(i) ? RTRACE_CALLBACK_TABLE :
						       RTRACE_CALLBACK_PACKET;

		if (!rtrace_get(protocol, &protocols[i]) || !protocol)
			continue;
		snprintf(numbered, sizeof(numbered), "%s %u", name, i);
		rtrace_tell_func(kind, numbered, protocol, &protocol->handler, each, data);
		rtrace_tell_func(kind, numbered, protocol, &protocol->err_handler, each, data);
	}
}

static void rtrace_tell_receivers(rtrace_each each, void *data)
{
	const struct list_head *protocols = (const struct list_head *)rtrace_at.packet_types;
	struct net_device *device;
	struct net *net;
	unsigned int i;

	/* Who is taken off these lists stays until a grace period has passed. */
	rcu_read_lock();
	for (i = 0; protocols && i < PTYPE_HASH_SIZE; i++)
		rtrace_tell_packet_types("ptype_base", &protocols[i], each, data);
	rtrace_tell_protocols("inet_protos", rtrace_at.protocols, each, data);
	rtrace_tell_protocols("inet6_protos", rtrace_at.protocols6, each, data);
	for_each_net_rcu(net) {
		rtrace_tell_nf_hooks(net, each, data);
		rtrace_tell_packet_types("ptype_all", &net->ptype_all, each, data);
		rtrace_tell_packet_types("ptype_specific", &net->ptype_specific, each, data);
		for_each_netdev_rcu(net, device) {
			rtrace_tell_packet_types(device->name, &device->ptype_all, each, data);
			rtrace_tell_packet_types(device->name, &device->ptype_specific, each,
						 data);
			rtrace_tell_func(RTRACE_CALLBACK_PACKET, device->name, device,
					 &device->rx_handler, each, data);
		}
	}
	rcu_read_unlock();
}

/* ---- keys -------------------------------------------------------------------------- */

/*
 * Without input_mutex: handlers are called with it held, who may wait for a module to be
 * loaded, which needs ours. Who goes meanwhile is memory that may be anything.
 */
static void rtrace_tell_input_handlers(rtrace_each each, void *data)
{
	const struct list_head *head = (const struct list_head *)rtrace_at.input_handlers, *at;

	if (!head)
		return;
	rtrace_for_each(at, head) {
		const struct input_handler *handler = list_entry(at, struct input_handler, node);

		rtrace_tell_func(RTRACE_CALLBACK_INPUT, "input_handler", handler, &handler->event,
				 each, data);
		rtrace_tell_func(RTRACE_CALLBACK_INPUT, "input_handler", handler, &handler->events,
				 each, data);
		rtrace_tell_func(RTRACE_CALLBACK_INPUT, "input_handler", handler, &handler->filter,
				 each, data);
		rtrace_tell_func(RTRACE_CALLBACK_INPUT, "input_handler", handler, &handler->connect,
				 each, data);
	}
}

/* The discipline that terminals begin with. */
static void rtrace_tell_tty(rtrace_each each, void *data)
{
	const struct tty_ldisc_ops *ops = (const struct tty_ldisc_ops *)rtrace_at.n_tty_ops;

	if (!ops)
		return;
	rtrace_tell_func(RTRACE_CALLBACK_INPUT, "n_tty_ops.read", ops, &ops->read, each, data);
	rtrace_tell_func(RTRACE_CALLBACK_INPUT, "n_tty_ops.write", ops, &ops->write, each, data);
	rtrace_tell_func(RTRACE_CALLBACK_INPUT, "n_tty_ops.ioctl", ops, &ops->ioctl, each, data);
	rtrace_tell_func(RTRACE_CALLBACK_INPUT, "n_tty_ops.receive_buf", ops, &ops->receive_buf,
			 each, data);
	rtrace_tell_func(RTRACE_CALLBACK_INPUT, "n_tty_ops.receive_buf2", ops, &ops->receive_buf2,
			 each, data);
}

/* ---- tables ------------------------------------------------------------------------ */

static void rtrace_tell_softirqs(rtrace_each each, void *data)
{
	const struct softirq_action *softirqs = (const struct softirq_action *)rtrace_at.softirqs;
	unsigned int i;

	for (i = 0; softirqs && i < NR_SOFTIRQS; i++)
		rtrace_tell_func(RTRACE_CALLBACK_TABLE, "softirq_vec", &softirqs[i],
				 &softirqs[i].action, each, data);
}

/* What begins a program. */
static void rtrace_tell_format(const char *name, unsigned long at, rtrace_each each, void *data)
{
	const struct linux_binfmt *format = (const struct linux_binfmt *)at;

	if (!format)
		return;
	rtrace_tell_func(RTRACE_CALLBACK_TABLE, name, format, &format->load_binary, each, data);
#ifdef CONFIG_COREDUMP
	rtrace_tell_func(RTRACE_CALLBACK_TABLE, name, format, &format->core_dump, each, data);
#endif
}

#define RTRACE_TELL_DEVICE(member)                                                             \
	rtrace_tell_func(RTRACE_CALLBACK_TABLE, "loopback." #member, ops, &ops->member, each, data)

/* A device that each net has, and that is no module's. */
static void rtrace_tell_loopback(rtrace_each each, void *data)
{
	const struct net_device_ops *ops;
	const struct net_device *device;
	struct net *net;

	rcu_read_lock();
	for_each_net_rcu(net) {
		device = READ_ONCE(net->loopback_dev);
		if (!device || !rtrace_get(ops, &device->netdev_ops) || !ops)
			continue;
		RTRACE_TELL_DEVICE(ndo_init);
		RTRACE_TELL_DEVICE(ndo_open);
		RTRACE_TELL_DEVICE(ndo_stop);
		RTRACE_TELL_DEVICE(ndo_start_xmit);
		RTRACE_TELL_DEVICE(ndo_select_queue);
		RTRACE_TELL_DEVICE(ndo_set_rx_mode);
		RTRACE_TELL_DEVICE(ndo_eth_ioctl);
		RTRACE_TELL_DEVICE(ndo_siocdevprivate);
		RTRACE_TELL_DEVICE(ndo_get_stats64);
	}
	rcu_read_unlock();
}

void rtrace_tell_events(rtrace_each each, void *data)
{
	rtrace_tell_softirqs(each, data);
	rtrace_tell_format("elf_format", rtrace_at.elf_format, each, data);
	rtrace_tell_format("script_format", rtrace_at.script_format, each, data);
	rtrace_tell_loopback(each, data);
	rtrace_tell_timers(each, data);
	rtrace_tell_receivers(each, data);
	rtrace_tell_input_handlers(each, data);
	rtrace_tell_tty(each, data);
}
