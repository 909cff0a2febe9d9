/* SPDX-License-Identifier: GPL-2.0 */
/* Where ftrace calls from, for modules that attach to a function by its name. */
#ifndef RT_SITE_H
#define RT_SITE_H

#include <linux/kprobes.h>

/* 0: there is no such function. A kprobe that is never armed finds a symbol. */
static inline unsigned long rt_site_of(const char *name)
{
	struct kprobe kprobe = {
		.symbol_name = name,
		.flags = KPROBE_FLAG_DISABLED,
	};
	unsigned long address;

	if (register_kprobe(&kprobe))
		return 0;
	address = (unsigned long)kprobe.addr;
	unregister_kprobe(&kprobe);
	return address;
}

#endif /* RT_SITE_H */
