// SPDX-License-Identifier: GPL-2.0
/*
 * Reading memory of the kernel and of the current task, at any address, without a fault.
 *
 * Any context, with preemption off. As inlines.c, without ftrace sites of its own; what is
 * called here can be traced itself: see rtrace_shield().
 */
#include <linux/uaccess.h>
#include <linux/unaligned.h>

#include <asm/e820/types.h>
#include <asm/vsyscall.h>
#include <asm/word-at-a-time.h>

#include "shim.h"
#include "moment.h"

/* Whether all of it is the kernel's, as copy_from_kernel_nofault() has it. */
static __always_inline bool rtrace_is_kernel(u64 address, u32 bytes)
{
	u64 last = address + bytes - 1;

	return bytes && last >= address && address >= TASK_SIZE_MAX + PAGE_SIZE &&
	       __is_canonical_address(address, boot_cpu_data.x86_virt_bits) &&
	       __is_canonical_address(last, boot_cpu_data.x86_virt_bits) &&
	       (address & PAGE_MASK) != VSYSCALL_ADDR &&
	       (last & PAGE_MASK) != VSYSCALL_ADDR;
}

/*
 * Whether an address may be a device's: those are mapped among what vmalloc() maps, and
 * behind the modules. The direct map, the kernel and modules are memory, but for the hole
 * that the direct map has below its first MiB: the graphics adapter's memory, and ROMs.
 */
static __always_inline bool rtrace_may_be_device(u64 address)
{
	return (address >= VMALLOC_START && address <= VMALLOC_END) || address >= MODULES_END;
}

/*
 * Whether a page is memory, mapped write-back. A device's is not, and to read it may
 * change it, or stop the machine (DTrace's toxic ranges). The tables are read as what
 * may be anything: those of vmalloc's may be freed meanwhile, and tell nonsense for
 * this once.
 */
static noinline bool rtrace_is_memory(u64 address)
{
	u64 table = (u64)__va(read_cr3_pa());
	unsigned int level = pgtable_l5_enabled() ? 5 : 4;

	for (;; level--) {
		unsigned int index = (address >> (PAGE_SHIFT + 9 * (level - 1))) % PTRS_PER_PTE;
		u64 entry;

		if (table >= VMALLOC_START)
			return false;
		__get_kernel_nofault(&entry, (const u64 *)table + index, u64, fault);
		/* A guest that Xen paravirtualises has the machine's frames in its tables. */
		entry = pte_val((pte_t){ .pte = entry });
		if (!(entry & _PAGE_PRESENT))
			return false;
		if (level == 1)
			return !(entry & _PAGE_CACHE_MASK);
		if (level <= 3 && entry & _PAGE_PSE)
			return !(entry & _PAGE_LARGE_CACHE_MASK);
		table = (u64)__va(entry & PTE_PFN_MASK);
	}
fault:
	return false;
}

/* Whether all of it is memory of the kernel's; that it is there shows when it is read. */
static __always_inline bool rtrace_is_readable(u64 address, u32 bytes)
{
	u64 page = address & PAGE_MASK, last = address + bytes - 1;

	if (!rtrace_is_kernel(address, bytes))
		return false;
	if (last >= PAGE_OFFSET + ISA_START_ADDRESS && address < PAGE_OFFSET + ISA_END_ADDRESS)
		return false;
	if (likely(!rtrace_may_be_device(address) && !rtrace_may_be_device(last)))
		return true;
	while (rtrace_is_memory(page)) {
		if (page == (last & PAGE_MASK))
			return true;
		page += PAGE_SIZE;
	}
	return false;
}

#define rtrace_read_as(type)                                                   \
	for (; bytes >= sizeof(type); bytes -= sizeof(type)) {                     \
		type value;                                                        \
                                                                           \
		__get_kernel_nofault(&value, from, type, fault);                   \
		memcpy(to, &value, sizeof(type));                                  \
		to += sizeof(type);                                                \
		from += sizeof(type);                                              \
	}

/* What may be read. */
static __always_inline bool rtrace_copy(void *to, u64 address, u32 bytes)
{
	const void *from = (const void *)address;

	rtrace_read_as(u64);
	rtrace_read_as(u32);
	rtrace_read_as(u16);
	rtrace_read_as(u8);
	return true;
fault:
	return false;
}

bool rtrace_read_kernel(void *to, u64 address, u32 bytes)
{
	if (!bytes)
		return true;
	return rtrace_is_readable(address, bytes) && rtrace_copy(to, address, bytes);
}

s64 rtrace_read_kernel_text(void *to, u64 address, u32 room)
{
	const struct word_at_a_time constants = WORD_AT_A_TIME_CONSTANTS;
	u8 *text = to;
	u32 length = 0;

	while (length < room) {
		u64 at = address + length;
		/* Up to the end of an aligned word: never into another page. */
		u32 part = min_t(u32, room - length, sizeof(long) - at % sizeof(long));
		unsigned long word, zeroes;

		if ((!length || !(at & ~PAGE_MASK)) && !rtrace_is_readable(at, part))
			return -EFAULT;
		if (part == sizeof(word)) {
			if (!rtrace_copy(&word, at, sizeof(word)))
				return -EFAULT;
			put_unaligned(word, (unsigned long *)(text + length));
			if (has_zero(word, &zeroes, &constants)) {
				zeroes = prep_zero_mask(word, zeroes, &constants);
				return length + find_zero(create_zero_mask(zeroes));
			}
			length += part;
			continue;
		}
		for (; part; part--, length++) {
			if (!rtrace_copy(text + length, address + length, 1))
				return -EFAULT;
			if (!text[length])
				return length;
		}
	}
	return length;
}

static bool rtrace_copy_user(void *to, u64 address, u32 bytes)
{
	return !copy_from_user_nofault(to, (const void __user *)address, bytes);
}

bool rtrace_read_user(void *to, u64 address, u32 bytes)
{
	u8 busy;
	bool read;

	if (!bytes)
		return true;
	if (!rtrace_has_user_memory())
		return false;
	busy = rtrace_shield();
	read = rtrace_copy_user(to, address, bytes);
	rtrace_unshield(busy);
	return read;
}

s64 rtrace_read_user_text(void *to, u64 address, u32 room)
{
	u32 length = 0;
	u8 busy;

	if (!rtrace_has_user_memory())
		return -EFAULT;
	busy = rtrace_shield();
	while (length < room) {
		u64 at = address + length;
		/* Up to the end of a line of the cache: never into another page. */
		u32 part = min_t(u32, room - length, 64 - at % 64);
		const void *end;

		if (!rtrace_copy_user(to + length, at, part)) {
			rtrace_unshield(busy);
			return -EFAULT;
		}
		end = memchr(to + length, 0, part);
		if (end) {
			length = end - to;
			break;
		}
		length += part;
	}
	rtrace_unshield(busy);
	return length;
}
