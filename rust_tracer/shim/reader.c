// SPDX-License-Identifier: GPL-2.0
/*
 * The shim's half of what a reader has of its session: the memory that it maps, and
 * the queue in which it waits for records. As inlines.c, without ftrace sites of its
 * own. All but the waking is for task context.
 */
#include <linux/fs.h>
#include <linux/irq_work.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/timer.h>
#include <linux/vmalloc.h>
#include <linux/wait.h>

#include "shim.h"
#include "moment.h"

/* ---- memory that user space maps ------------------------------------------ */

/*
 * Page by page, and then mapped: what vmalloc() cannot complete it gives back
 * later, from a work item. A cgroup that is full would stay so for that long,
 * and the next allocation of its task could cost the task its life.
 */
void *rtrace_pages_alloc(unsigned long bytes)
{
	const gfp_t gfp = GFP_KERNEL_ACCOUNT | __GFP_NOWARN | __GFP_RETRY_MAYFAIL;
	unsigned long count = DIV_ROUND_UP(bytes, PAGE_SIZE), made = 0;
	struct page **pages = kvmalloc_array(count, sizeof(*pages), gfp);
	void *memory = NULL;

	if (!pages)
		return NULL;
	while (made < count && (pages[made] = alloc_page(gfp | __GFP_ZERO))) {
		made++;
		cond_resched();
	}
	/* The area owns the pages and the array from here on. */
	if (made == count)
		memory = vmap(pages, count, VM_MAP | VM_MAP_PUT_PAGES, PAGE_KERNEL);
	if (memory)
		return memory;
	while (made)
		__free_page(pages[--made]);
	kvfree(pages);
	return NULL;
}

void rtrace_pages_free(void *pages)
{
	vfree(pages);
}

void rtrace_mapping(const struct vm_area_struct *vma, struct rtrace_mapping *mapping)
{
	mapping->offset = (u64)vma->vm_pgoff << PAGE_SHIFT;
	mapping->length = vma->vm_end - vma->vm_start;
	/* Not VM_SHARED, which a file opened to read does not get. */
	mapping->shared = vma->vm_flags & VM_MAYSHARE;
	mapping->write = vma->vm_flags & VM_WRITE;
	mapping->exec = vma->vm_flags & VM_EXEC;
}

int rtrace_map(struct vm_area_struct *vma, void *pages, bool writable)
{
	unsigned long at;
	int error;

	vm_flags_mod(vma, VM_DONTEXPAND | VM_DONTCOPY | VM_DONTDUMP | VM_MIXEDMAP,
		     VM_MAYEXEC | (writable ? 0 : VM_MAYWRITE));
	for (at = vma->vm_start; at < vma->vm_end; at += PAGE_SIZE) {
		error = vm_insert_page(vma, at, vmalloc_to_page(pages));
		if (error)
			return error;
		pages += PAGE_SIZE;
		cond_resched();
	}
	return 0;
}

/* ---- waiting -------------------------------------------------------------- */

/*
 * One interrupt a tick at most: it may itself be traced, and whoever moves the
 * consumer position as fast could make each wake-up the cause of the next. What
 * is asked for while the timer runs is done when it ends.
 */
struct rtrace_waiter {
	wait_queue_head_t queue;
	struct irq_work work;
	struct timer_list timer;
	bool resting;
};

static void rtrace_waiter_work(struct irq_work *work)
{
	struct rtrace_waiter *waiter = container_of(work, struct rtrace_waiter, work);

	WRITE_ONCE(waiter->resting, true);
	wake_up_all(&waiter->queue);
	mod_timer(&waiter->timer, jiffies + 1);
}

static void rtrace_waiter_rested(struct timer_list *timer)
{
	struct rtrace_waiter *waiter = timer_container_of(waiter, timer, timer);

	/* In this order: who is told to rest is woken here. */
	WRITE_ONCE(waiter->resting, false);
	smp_mb();
	wake_up_all(&waiter->queue);
}

struct rtrace_waiter *rtrace_waiter_new(void)
{
	struct rtrace_waiter *waiter = kzalloc(sizeof(*waiter), GFP_KERNEL);

	if (waiter) {
		init_waitqueue_head(&waiter->queue);
		init_irq_work(&waiter->work, rtrace_waiter_work);
		timer_setup(&waiter->timer, rtrace_waiter_rested, 0);
	}
	return waiter;
}

void rtrace_waiter_free(struct rtrace_waiter *waiter)
{
	irq_work_sync(&waiter->work);
	timer_shutdown_sync(&waiter->timer);
	kfree(waiter);
}

void rtrace_waiter_wake(struct rtrace_waiter *waiter)
{
	if (!READ_ONCE(waiter->resting))
		irq_work_queue(&waiter->work);
}

void rtrace_waiter_wake_shielded(struct rtrace_waiter *waiter)
{
	u8 busy = rtrace_shield();

	rtrace_waiter_wake(waiter);
	rtrace_unshield(busy);
}

void rtrace_waiter_poll(struct rtrace_waiter *waiter, struct file *file,
			struct poll_table_struct *table)
{
	poll_wait(file, &waiter->queue, table);
}
