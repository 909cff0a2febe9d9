// SPDX-License-Identifier: GPL-2.0
/*
 * Functions called from softirq, hard interrupt and NMI, each time exactly as
 * often as asked and not before the one before it is over.
 */
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/ktime.h>
#include <linux/mutex.h>
#include <linux/sched/signal.h>
#include <linux/smp.h>

#include <asm/apic.h>
#include <asm/irq_vectors.h>
#include <asm/nmi.h>

#include "target.h"

/* One user of these at a time: they are single. */
static DEFINE_MUTEX(contexts_lock);

/* ---- softirq ---------------------------------------------------------- */

static u64 softirq_count;
static DECLARE_COMPLETION(softirq_done);

/* Called in softirq context. */
RT_TRACED u64 rt_softirq(u64 x)
{
	barrier();
	return x + 1;
}

static void in_softirq_context(struct tasklet_struct *tasklet)
{
	u64 i;

	for (i = 0; i < softirq_count; i++)
		rt_softirq(i);
	complete(&softirq_done);
}

static DECLARE_TASKLET(softirq_tasklet, in_softirq_context);

/* Calls rt_softirq(0..count) in one tasklet. */
int rt_run_softirq(u64 count)
{
	mutex_lock(&contexts_lock);
	softirq_count = count;
	tasklet_schedule(&softirq_tasklet);
	wait_for_completion(&softirq_done);
	mutex_unlock(&contexts_lock);
	return 0;
}

/* ---- hard interrupt ----------------------------------------------------- */

static u64 irq_number;

/* Called in hard interrupt context. */
RT_TRACED u64 rt_irq(u64 x)
{
	barrier();
	return x + 2;
}

static void in_irq_work(struct irq_work *work)
{
	rt_irq(irq_number);
}

static struct irq_work irq_work = IRQ_WORK_INIT_HARD(in_irq_work);

/* Calls rt_irq(0..count), each in an interrupt of its own on this CPU. */
int rt_run_irq(u64 count)
{
	mutex_lock(&contexts_lock);
	for (irq_number = 0; irq_number < count; irq_number++) {
		irq_work_queue(&irq_work);
		irq_work_sync(&irq_work);
	}
	mutex_unlock(&contexts_lock);
	return 0;
}

static void in_ipi(void *number)
{
	rt_irq(*(u64 *)number);
}

/* Calls rt_irq(0..count), each in an interrupt of its own on another CPU. */
int rt_run_ipi(u64 cpu, u64 count)
{
	int error = 0;
	u64 i;

	if (cpu >= nr_cpu_ids)
		return -EINVAL;
	for (i = 0; !error && i < count; i++)
		error = smp_call_function_single(cpu, in_ipi, &i, 1);
	return error;
}

/* ---- NMI -------------------------------------------------------------- */

/* An NMI with us as its cause is on its way to this CPU; -1: none. */
static int nmi_cpu = -1;
static u64 nmi_number;
#define NMI_PATIENCE (10 * NSEC_PER_SEC)

/* Called in NMI context. */
RT_TRACED u64 rt_nmi(u64 x)
{
	barrier();
	return x + 3;
}

static int in_nmi_context(unsigned int type, struct pt_regs *regs)
{
	if (READ_ONCE(nmi_cpu) != raw_smp_processor_id())
		return NMI_DONE;
	rt_nmi(nmi_number);
	smp_store_release(&nmi_cpu, -1);
	return NMI_HANDLED;
}

/* Calls rt_nmi(0..count), each in an NMI of its own on that CPU. */
int rt_run_nmi(u64 cpu, u64 count)
{
	int error = 0;
	u64 i;

	if (cpu >= nr_cpu_ids || !cpu_online(cpu))
		return -EINVAL;
	mutex_lock(&contexts_lock);
	for (i = 0; !error && i < count; i++) {
		u64 give_up = ktime_get_ns() + NMI_PATIENCE;

		nmi_number = i;
		smp_store_release(&nmi_cpu, (int)cpu);
		__apic_send_IPI_mask(cpumask_of(cpu), NMI_VECTOR);
		while (smp_load_acquire(&nmi_cpu) != -1 && !error) {
			cpu_relax();
			if (ktime_get_ns() > give_up)
				error = -ETIMEDOUT;
		}
	}
	WRITE_ONCE(nmi_cpu, -1);
	mutex_unlock(&contexts_lock);
	return error;
}

int rt_contexts_init(void)
{
	return register_nmi_handler(NMI_LOCAL, in_nmi_context, 0, "rt_target");
}

void rt_contexts_exit(void)
{
	unregister_nmi_handler(NMI_LOCAL, "rt_target");
	irq_work_sync(&irq_work);
	tasklet_kill(&softirq_tasklet);
}
