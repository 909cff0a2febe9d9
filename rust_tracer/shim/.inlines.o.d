inlines.o: shim/inlines.c /src/linux/include/linux/compiler-version.h \
 /src/linux/include/linux/kconfig.h \
 /src/linux/include/generated/autoconf.h \
 /src/linux/include/linux/compiler_types.h \
 /src/linux/include/linux/compiler-context-analysis.h \
 /src/linux/include/linux/compiler_attributes.h \
 /src/linux/include/linux/compiler-gcc.h \
 /src/linux/arch/x86/include/asm/percpu_types.h \
 /src/linux/include/asm-generic/percpu_types.h \
 /src/linux/include/linux/clocksource_ids.h \
 /src/linux/include/linux/cpu.h /src/linux/include/linux/node.h \
 /src/linux/include/linux/device.h /src/linux/include/linux/dev_printk.h \
 /src/linux/include/linux/compiler.h \
 /src/linux/include/linux/compiler_types.h \
 /src/linux/arch/x86/include/generated/asm/rwonce.h \
 /src/linux/include/asm-generic/rwonce.h \
 /src/linux/include/linux/kasan-checks.h /src/linux/include/linux/types.h \
 /src/linux/include/uapi/linux/types.h \
 /src/linux/arch/x86/include/generated/uapi/asm/types.h \
 /src/linux/include/uapi/asm-generic/types.h \
 /src/linux/include/asm-generic/int-ll64.h \
 /src/linux/include/uapi/asm-generic/int-ll64.h \
 /src/linux/arch/x86/include/uapi/asm/bitsperlong.h \
 /src/linux/include/asm-generic/bitsperlong.h \
 /src/linux/include/uapi/asm-generic/bitsperlong.h \
 /src/linux/include/uapi/linux/posix_types.h \
 /src/linux/include/linux/stddef.h /src/linux/include/uapi/linux/stddef.h \
 /src/linux/arch/x86/include/asm/posix_types.h \
 /src/linux/arch/x86/include/uapi/asm/posix_types_64.h \
 /src/linux/include/uapi/asm-generic/posix_types.h \
 /src/linux/include/linux/kcsan-checks.h \
 /src/linux/include/linux/ratelimit.h \
 /src/linux/include/linux/ratelimit_types.h \
 /src/linux/include/linux/bits.h /src/linux/include/vdso/bits.h \
 /src/linux/include/vdso/const.h /src/linux/include/uapi/linux/const.h \
 /src/linux/include/uapi/linux/bits.h \
 /src/linux/include/linux/build_bug.h /src/linux/include/linux/overflow.h \
 /src/linux/include/linux/limits.h /src/linux/include/uapi/linux/limits.h \
 /src/linux/include/vdso/limits.h /src/linux/include/linux/const.h \
 /src/linux/include/uapi/linux/param.h \
 /src/linux/arch/x86/include/generated/uapi/asm/param.h \
 /src/linux/include/asm-generic/param.h \
 /src/linux/include/uapi/asm-generic/param.h \
 /src/linux/include/linux/spinlock_types_raw.h \
 /src/linux/arch/x86/include/asm/spinlock_types.h \
 /src/linux/include/asm-generic/qspinlock_types.h \
 /src/linux/include/asm-generic/qrwlock_types.h \
 /src/linux/arch/x86/include/uapi/asm/byteorder.h \
 /src/linux/include/linux/byteorder/little_endian.h \
 /src/linux/include/uapi/linux/byteorder/little_endian.h \
 /src/linux/include/linux/swab.h /src/linux/include/uapi/linux/swab.h \
 /src/linux/arch/x86/include/uapi/asm/swab.h \
 /src/linux/include/linux/byteorder/generic.h \
 /src/linux/include/linux/lockdep_types.h \
 /src/linux/include/linux/sched.h /src/linux/include/uapi/linux/sched.h \
 /src/linux/arch/x86/include/asm/current.h \
 /src/linux/include/linux/cache.h /src/linux/include/uapi/linux/kernel.h \
 /src/linux/include/uapi/linux/sysinfo.h /src/linux/include/vdso/cache.h \
 /src/linux/arch/x86/include/asm/cache.h \
 /src/linux/include/linux/linkage.h /src/linux/include/linux/stringify.h \
 /src/linux/include/linux/export.h \
 /src/linux/arch/x86/include/asm/linkage.h \
 /src/linux/arch/x86/include/asm/ibt.h \
 /src/linux/arch/x86/include/asm/percpu.h /src/linux/include/linux/args.h \
 /src/linux/arch/x86/include/asm/asm.h \
 /src/linux/include/linux/annotate.h \
 /src/linux/include/linux/objtool_types.h \
 /src/linux/arch/x86/include/asm/asm-offsets.h \
 /src/linux/include/generated/asm-offsets.h \
 /src/linux/arch/x86/include/asm/extable_fixup_types.h \
 /src/linux/include/asm-generic/percpu.h \
 /src/linux/include/linux/threads.h \
 /src/linux/include/linux/percpu-defs.h \
 /src/linux/arch/x86/include/asm/processor.h \
 /src/linux/arch/x86/include/asm/processor-flags.h \
 /src/linux/arch/x86/include/uapi/asm/processor-flags.h \
 /src/linux/include/linux/mem_encrypt.h \
 /src/linux/arch/x86/include/asm/mem_encrypt.h \
 /src/linux/include/linux/init.h /src/linux/include/linux/cc_platform.h \
 /src/linux/arch/x86/include/asm/math_emu.h \
 /src/linux/arch/x86/include/asm/ptrace.h \
 /src/linux/arch/x86/include/asm/segment.h \
 /src/linux/arch/x86/include/asm/alternative.h \
 /src/linux/include/linux/objtool.h /src/linux/arch/x86/include/asm/bug.h \
 /src/linux/include/linux/instrumentation.h \
 /src/linux/include/linux/static_call_types.h \
 /src/linux/include/asm-generic/bug.h \
 /src/linux/include/linux/once_lite.h /src/linux/include/linux/panic.h \
 /src/linux/include/linux/stdarg.h /src/linux/include/linux/printk.h \
 /src/linux/include/linux/kern_levels.h \
 /src/linux/include/linux/dynamic_debug.h \
 /src/linux/include/linux/jump_label.h /src/linux/include/linux/cleanup.h \
 /src/linux/include/linux/err.h \
 /src/linux/arch/x86/include/generated/uapi/asm/errno.h \
 /src/linux/include/uapi/asm-generic/errno.h \
 /src/linux/include/uapi/asm-generic/errno-base.h \
 /src/linux/arch/x86/include/asm/jump_label.h \
 /src/linux/arch/x86/include/asm/nops.h \
 /src/linux/arch/x86/include/asm/page_types.h \
 /src/linux/include/vdso/page.h \
 /src/linux/arch/x86/include/asm/page_64_types.h \
 /src/linux/arch/x86/include/asm/kaslr.h \
 /src/linux/arch/x86/include/uapi/asm/ptrace.h \
 /src/linux/arch/x86/include/uapi/asm/ptrace-abi.h \
 /src/linux/arch/x86/include/asm/paravirt-base.h \
 /src/linux/arch/x86/include/asm/proto.h \
 /src/linux/arch/x86/include/uapi/asm/ldt.h \
 /src/linux/arch/x86/include/uapi/asm/sigcontext.h \
 /src/linux/arch/x86/include/asm/cpufeatures.h \
 /src/linux/arch/x86/include/asm/cpuid/types.h \
 /src/linux/arch/x86/include/asm/cpuid/leaf_types.h \
 /src/linux/arch/x86/include/asm/page.h \
 /src/linux/arch/x86/include/asm/page_64.h \
 /src/linux/include/linux/kmsan-checks.h \
 /src/linux/include/linux/mmdebug.h /src/linux/include/linux/bug.h \
 /src/linux/include/linux/range.h \
 /src/linux/include/asm-generic/memory_model.h \
 /src/linux/include/linux/pfn.h /src/linux/include/asm-generic/getorder.h \
 /src/linux/include/linux/log2.h /src/linux/include/linux/bitops.h \
 /src/linux/include/linux/typecheck.h \
 /src/linux/include/asm-generic/bitops/generic-non-atomic.h \
 /src/linux/arch/x86/include/asm/barrier.h \
 /src/linux/include/asm-generic/barrier.h \
 /src/linux/arch/x86/include/asm/bitops.h \
 /src/linux/arch/x86/include/asm/rmwcc.h \
 /src/linux/include/asm-generic/bitops/sched.h \
 /src/linux/arch/x86/include/asm/arch_hweight.h \
 /src/linux/include/asm-generic/bitops/const_hweight.h \
 /src/linux/include/asm-generic/bitops/instrumented-atomic.h \
 /src/linux/include/linux/instrumented.h \
 /src/linux/include/asm-generic/bitops/instrumented-non-atomic.h \
 /src/linux/include/asm-generic/bitops/instrumented-lock.h \
 /src/linux/include/asm-generic/bitops/le.h \
 /src/linux/include/asm-generic/bitops/ext2-atomic-setbit.h \
 /src/linux/arch/x86/include/asm/pgtable_types.h \
 /src/linux/arch/x86/include/asm/pgtable_64_types.h \
 /src/linux/arch/x86/include/asm/sparsemem.h \
 /src/linux/arch/x86/include/asm/desc_defs.h \
 /src/linux/arch/x86/include/asm/special_insns.h \
 /src/linux/include/linux/errno.h /src/linux/include/uapi/linux/errno.h \
 /src/linux/include/linux/irqflags.h \
 /src/linux/include/linux/irqflags_types.h \
 /src/linux/arch/x86/include/asm/irqflags.h \
 /src/linux/arch/x86/include/asm/nospec-branch.h \
 /src/linux/include/linux/static_key.h \
 /src/linux/arch/x86/include/asm/msr-index.h \
 /src/linux/arch/x86/include/asm/unwind_hints.h \
 /src/linux/arch/x86/include/asm/orc_types.h \
 /src/linux/arch/x86/include/asm/GEN-for-each-reg.h \
 /src/linux/arch/x86/include/asm/paravirt.h \
 /src/linux/arch/x86/include/asm/paravirt_types.h \
 /src/linux/include/linux/cpumask.h /src/linux/include/linux/atomic.h \
 /src/linux/arch/x86/include/asm/atomic.h \
 /src/linux/arch/x86/include/asm/cmpxchg.h \
 /src/linux/arch/x86/include/asm/cmpxchg_64.h \
 /src/linux/arch/x86/include/asm/atomic64_64.h \
 /src/linux/include/linux/atomic/atomic-arch-fallback.h \
 /src/linux/include/linux/atomic/atomic-long.h \
 /src/linux/include/linux/atomic/atomic-instrumented.h \
 /src/linux/include/linux/bitmap.h /src/linux/include/linux/align.h \
 /src/linux/include/vdso/align.h /src/linux/include/linux/find.h \
 /src/linux/include/linux/string.h /src/linux/include/linux/array_size.h \
 /src/linux/include/uapi/linux/string.h \
 /src/linux/arch/x86/include/asm/string.h \
 /src/linux/arch/x86/include/asm/string_64.h \
 /src/linux/include/linux/fortify-string.h \
 /src/linux/include/linux/bitmap-str.h \
 /src/linux/include/linux/cpumask_types.h \
 /src/linux/include/linux/gfp_types.h /src/linux/include/linux/numa.h \
 /src/linux/include/linux/nodemask.h /src/linux/include/linux/minmax.h \
 /src/linux/include/linux/nodemask_types.h \
 /src/linux/include/linux/random.h /src/linux/include/linux/kernel.h \
 /src/linux/include/linux/container_of.h \
 /src/linux/include/linux/kstrtox.h /src/linux/include/linux/math.h \
 /src/linux/arch/x86/include/asm/div64.h \
 /src/linux/include/asm-generic/div64.h \
 /src/linux/include/linux/sprintf.h \
 /src/linux/include/linux/trace_printk.h \
 /src/linux/include/linux/instruction_pointer.h \
 /src/linux/include/linux/util_macros.h \
 /src/linux/include/linux/wordpart.h /src/linux/include/linux/list.h \
 /src/linux/include/linux/poison.h /src/linux/include/uapi/linux/random.h \
 /src/linux/include/uapi/linux/ioctl.h \
 /src/linux/arch/x86/include/generated/uapi/asm/ioctl.h \
 /src/linux/include/asm-generic/ioctl.h \
 /src/linux/include/uapi/asm-generic/ioctl.h \
 /src/linux/include/linux/irqnr.h /src/linux/include/uapi/linux/irqnr.h \
 /src/linux/arch/x86/include/asm/frame.h \
 /src/linux/arch/x86/include/asm/fpu/types.h \
 /src/linux/arch/x86/include/asm/vmxfeatures.h \
 /src/linux/arch/x86/include/asm/vdso/processor.h \
 /src/linux/arch/x86/include/asm/shstk.h \
 /src/linux/include/linux/personality.h \
 /src/linux/include/uapi/linux/personality.h \
 /src/linux/include/linux/math64.h /src/linux/include/vdso/math64.h \
 /src/linux/include/linux/thread_info.h \
 /src/linux/include/linux/restart_block.h \
 /src/linux/include/linux/time64.h /src/linux/include/vdso/time64.h \
 /src/linux/include/uapi/linux/time.h \
 /src/linux/include/uapi/linux/time_types.h \
 /src/linux/arch/x86/include/asm/thread_info.h \
 /src/linux/arch/x86/include/asm/cpufeature.h \
 /src/linux/arch/x86/include/generated/asm/cpufeaturemasks.h \
 /src/linux/include/asm-generic/thread_info_tif.h \
 /src/linux/include/linux/preempt.h \
 /src/linux/arch/x86/include/asm/preempt.h \
 /src/linux/include/linux/futex_types.h \
 /src/linux/include/linux/mutex_types.h \
 /src/linux/include/linux/osq_lock.h \
 /src/linux/include/linux/spinlock_types.h \
 /src/linux/include/linux/rwlock_types.h \
 /src/linux/include/linux/smp_types.h /src/linux/include/linux/llist.h \
 /src/linux/include/linux/pid_types.h \
 /src/linux/include/linux/sem_types.h /src/linux/include/linux/shm.h \
 /src/linux/arch/x86/include/asm/shmparam.h \
 /src/linux/include/linux/kmsan_types.h \
 /src/linux/include/linux/plist_types.h \
 /src/linux/include/linux/hrtimer_types.h \
 /src/linux/include/linux/timerqueue_types.h \
 /src/linux/include/linux/rbtree_types.h \
 /src/linux/include/linux/timer_types.h \
 /src/linux/include/linux/seccomp_types.h \
 /src/linux/include/linux/refcount_types.h \
 /src/linux/include/linux/resource.h \
 /src/linux/include/uapi/linux/resource.h \
 /src/linux/arch/x86/include/generated/uapi/asm/resource.h \
 /src/linux/include/asm-generic/resource.h \
 /src/linux/include/uapi/asm-generic/resource.h \
 /src/linux/include/linux/latencytop.h \
 /src/linux/include/linux/sched/prio.h \
 /src/linux/include/linux/sched/types.h \
 /src/linux/include/linux/signal_types.h \
 /src/linux/include/uapi/linux/signal.h \
 /src/linux/arch/x86/include/asm/signal.h \
 /src/linux/arch/x86/include/uapi/asm/signal.h \
 /src/linux/include/uapi/asm-generic/signal-defs.h \
 /src/linux/arch/x86/include/uapi/asm/siginfo.h \
 /src/linux/include/uapi/asm-generic/siginfo.h \
 /src/linux/include/linux/spinlock.h \
 /src/linux/include/linux/interrupt_rc.h \
 /src/linux/include/linux/processor.h /src/linux/include/linux/smp.h \
 /src/linux/arch/x86/include/asm/smp.h \
 /src/linux/arch/x86/include/asm/cpumask.h \
 /src/linux/include/linux/bottom_half.h \
 /src/linux/include/linux/lockdep.h \
 /src/linux/arch/x86/include/generated/asm/mmiowb.h \
 /src/linux/include/asm-generic/mmiowb.h \
 /src/linux/arch/x86/include/asm/spinlock.h \
 /src/linux/arch/x86/include/asm/qspinlock.h \
 /src/linux/arch/x86/include/asm/paravirt-spinlock.h \
 /src/linux/include/asm-generic/qspinlock.h \
 /src/linux/include/linux/tracepoint-defs.h \
 /src/linux/arch/x86/include/asm/qrwlock.h \
 /src/linux/include/asm-generic/qrwlock.h \
 /src/linux/include/linux/rwlock.h \
 /src/linux/include/linux/spinlock_api_smp.h \
 /src/linux/include/linux/rwlock_api_smp.h \
 /src/linux/include/linux/syscall_user_dispatch_types.h \
 /src/linux/include/linux/mm_types_task.h \
 /src/linux/arch/x86/include/asm/tlbbatch.h \
 /src/linux/include/linux/netdevice_xmit.h \
 /src/linux/include/linux/task_io_accounting.h \
 /src/linux/include/linux/posix-timers_types.h \
 /src/linux/include/linux/rseq_types.h \
 /src/linux/include/linux/irq_work_types.h \
 /src/linux/include/linux/workqueue_types.h \
 /src/linux/include/linux/seqlock_types.h \
 /src/linux/include/linux/kcsan.h /src/linux/include/linux/rv.h \
 /src/linux/include/linux/uidgid_types.h \
 /src/linux/include/linux/unwind_deferred_types.h \
 /src/linux/arch/x86/include/generated/asm/kmap_size.h \
 /src/linux/include/asm-generic/kmap_size.h \
 /src/linux/include/generated/rq-offsets.h \
 /src/linux/include/linux/sched/ext.h \
 /src/linux/include/linux/rhashtable-types.h \
 /src/linux/include/linux/alloc_tag.h /src/linux/include/linux/codetag.h \
 /src/linux/include/linux/mutex.h /src/linux/include/linux/debug_locks.h \
 /src/linux/include/linux/energy_model.h \
 /src/linux/include/linux/kobject.h /src/linux/include/linux/sysfs.h \
 /src/linux/include/linux/kernfs.h /src/linux/include/linux/idr.h \
 /src/linux/include/linux/radix-tree.h /src/linux/include/linux/percpu.h \
 /src/linux/include/linux/rcupdate.h \
 /src/linux/include/linux/context_tracking_irq.h \
 /src/linux/include/linux/rcutree.h /src/linux/include/linux/xarray.h \
 /src/linux/include/linux/gfp.h /src/linux/include/linux/mmzone.h \
 /src/linux/include/linux/list_nulls.h /src/linux/include/linux/wait.h \
 /src/linux/include/linux/seqlock.h \
 /src/linux/include/linux/pageblock-flags.h \
 /src/linux/include/linux/page-flags-layout.h \
 /src/linux/include/generated/bounds.h \
 /src/linux/include/linux/mm_types.h /src/linux/include/linux/auxvec.h \
 /src/linux/include/uapi/linux/auxvec.h \
 /src/linux/arch/x86/include/uapi/asm/auxvec.h \
 /src/linux/include/linux/kref.h /src/linux/include/linux/refcount.h \
 /src/linux/include/linux/rbtree.h /src/linux/include/linux/maple_tree.h \
 /src/linux/include/linux/rwsem.h /src/linux/include/linux/completion.h \
 /src/linux/include/linux/swait.h /src/linux/include/linux/uprobes.h \
 /src/linux/include/linux/timer.h /src/linux/include/linux/ktime.h \
 /src/linux/include/linux/jiffies.h /src/linux/include/linux/time.h \
 /src/linux/include/linux/time32.h /src/linux/include/linux/timex.h \
 /src/linux/include/uapi/linux/timex.h \
 /src/linux/arch/x86/include/asm/timex.h \
 /src/linux/arch/x86/include/asm/tsc.h \
 /src/linux/arch/x86/include/asm/msr.h \
 /src/linux/arch/x86/include/asm/msr-index.h \
 /src/linux/arch/x86/include/uapi/asm/msr.h \
 /src/linux/arch/x86/include/asm/shared/msr.h \
 /src/linux/include/vdso/time32.h /src/linux/include/vdso/time.h \
 /src/linux/include/vdso/jiffies.h \
 /src/linux/include/generated/timeconst.h /src/linux/include/vdso/ktime.h \
 /src/linux/include/linux/timekeeping.h \
 /src/linux/include/linux/debugobjects.h \
 /src/linux/arch/x86/include/asm/uprobes.h \
 /src/linux/include/linux/notifier.h /src/linux/include/linux/srcu.h \
 /src/linux/include/linux/workqueue.h \
 /src/linux/include/linux/rcu_segcblist.h \
 /src/linux/include/linux/srcutree.h \
 /src/linux/include/linux/rcu_node_tree.h \
 /src/linux/include/linux/percpu_counter.h \
 /src/linux/arch/x86/include/asm/mmu.h \
 /src/linux/include/linux/page-flags.h \
 /src/linux/include/linux/local_lock.h \
 /src/linux/include/linux/local_lock_internal.h \
 /src/linux/include/linux/zswap.h /src/linux/include/linux/sizes.h \
 /src/linux/include/linux/memory_hotplug.h \
 /src/linux/arch/x86/include/generated/asm/mmzone.h \
 /src/linux/include/asm-generic/mmzone.h \
 /src/linux/include/linux/topology.h \
 /src/linux/include/linux/arch_topology.h \
 /src/linux/arch/x86/include/asm/topology.h \
 /src/linux/arch/x86/include/asm/mpspec.h \
 /src/linux/arch/x86/include/asm/mpspec_def.h \
 /src/linux/arch/x86/include/asm/x86_init.h \
 /src/linux/arch/x86/include/asm/apicdef.h \
 /src/linux/include/asm-generic/topology.h \
 /src/linux/include/linux/cpu_smt.h /src/linux/include/linux/kconfig.h \
 /src/linux/include/linux/sched/mm.h /src/linux/include/linux/sync_core.h \
 /src/linux/arch/x86/include/asm/sync_core.h \
 /src/linux/include/linux/sched/coredump.h \
 /src/linux/include/linux/uidgid.h /src/linux/include/linux/highuid.h \
 /src/linux/include/linux/kobject_ns.h /src/linux/include/linux/stat.h \
 /src/linux/arch/x86/include/uapi/asm/stat.h \
 /src/linux/include/uapi/linux/stat.h \
 /src/linux/include/linux/sched/cpufreq.h \
 /src/linux/include/linux/sched/topology.h \
 /src/linux/include/linux/sched/idle.h \
 /src/linux/include/linux/sched/sd_flags.h \
 /src/linux/include/linux/ioport.h /src/linux/include/linux/klist.h \
 /src/linux/include/linux/pm.h /src/linux/include/linux/device/bus.h \
 /src/linux/include/linux/device/class.h \
 /src/linux/include/linux/device/devres.h \
 /src/linux/include/linux/device/driver.h \
 /src/linux/include/linux/module.h /src/linux/include/linux/buildid.h \
 /src/linux/include/linux/kmod.h /src/linux/include/linux/umh.h \
 /src/linux/include/linux/sysctl.h /src/linux/include/uapi/linux/sysctl.h \
 /src/linux/include/linux/elf.h /src/linux/arch/x86/include/asm/elf.h \
 /src/linux/arch/x86/include/asm/ia32.h /src/linux/include/linux/compat.h \
 /src/linux/include/linux/sem.h /src/linux/include/uapi/linux/sem.h \
 /src/linux/include/linux/ipc.h /src/linux/include/uapi/linux/ipc.h \
 /src/linux/arch/x86/include/generated/uapi/asm/ipcbuf.h \
 /src/linux/include/uapi/asm-generic/ipcbuf.h \
 /src/linux/arch/x86/include/uapi/asm/sembuf.h \
 /src/linux/include/linux/socket.h \
 /src/linux/arch/x86/include/generated/uapi/asm/socket.h \
 /src/linux/include/uapi/asm-generic/socket.h \
 /src/linux/arch/x86/include/generated/uapi/asm/sockios.h \
 /src/linux/include/uapi/asm-generic/sockios.h \
 /src/linux/include/uapi/linux/sockios.h /src/linux/include/linux/uio.h \
 /src/linux/include/linux/ucopysize.h /src/linux/include/uapi/linux/uio.h \
 /src/linux/include/uapi/linux/socket.h \
 /src/linux/include/uapi/linux/if.h \
 /src/linux/include/uapi/linux/libc-compat.h \
 /src/linux/include/uapi/linux/hdlc/ioctl.h /src/linux/include/linux/fs.h \
 /src/linux/include/linux/fs/super.h \
 /src/linux/include/linux/fs/super_types.h \
 /src/linux/include/linux/fs_dirent.h /src/linux/include/linux/errseq.h \
 /src/linux/include/linux/list_lru.h /src/linux/include/linux/shrinker.h \
 /src/linux/include/linux/list_bl.h \
 /src/linux/include/linux/bit_spinlock.h /src/linux/include/linux/uuid.h \
 /src/linux/include/linux/percpu-rwsem.h \
 /src/linux/include/linux/rcuwait.h \
 /src/linux/include/linux/sched/signal.h \
 /src/linux/include/linux/rculist.h /src/linux/include/linux/signal.h \
 /src/linux/include/linux/sched/jobctl.h \
 /src/linux/include/linux/sched/task.h /src/linux/include/linux/uaccess.h \
 /src/linux/include/linux/fault-inject-usercopy.h \
 /src/linux/include/linux/nospec.h \
 /src/linux/arch/x86/include/asm/uaccess.h \
 /src/linux/include/linux/mmap_lock.h \
 /src/linux/arch/x86/include/asm/smap.h \
 /src/linux/arch/x86/include/asm/extable.h \
 /src/linux/arch/x86/include/asm/tlbflush.h \
 /src/linux/include/linux/mmu_notifier.h \
 /src/linux/include/linux/interval_tree.h \
 /src/linux/arch/x86/include/asm/invpcid.h \
 /src/linux/arch/x86/include/asm/pti.h \
 /src/linux/arch/x86/include/asm/pgtable.h \
 /src/linux/arch/x86/include/asm/pkru.h \
 /src/linux/arch/x86/include/asm/fpu/api.h \
 /src/linux/arch/x86/include/asm/coco.h \
 /src/linux/include/asm-generic/pgtable_uffd.h \
 /src/linux/include/linux/page_table_check.h \
 /src/linux/arch/x86/include/asm/pgtable_64.h \
 /src/linux/arch/x86/include/asm/fixmap.h \
 /src/linux/arch/x86/include/uapi/asm/vsyscall.h \
 /src/linux/include/asm-generic/fixmap.h \
 /src/linux/arch/x86/include/asm/pgtable-invert.h \
 /src/linux/arch/x86/include/asm/uaccess_64.h \
 /src/linux/include/asm-generic/access_ok.h \
 /src/linux/include/linux/cred.h /src/linux/include/linux/capability.h \
 /src/linux/include/uapi/linux/capability.h \
 /src/linux/include/linux/key.h /src/linux/include/linux/assoc_array.h \
 /src/linux/include/linux/sched/user.h /src/linux/include/linux/pid.h \
 /src/linux/include/linux/posix-timers.h \
 /src/linux/include/linux/alarmtimer.h /src/linux/include/linux/hrtimer.h \
 /src/linux/include/linux/hrtimer_rearm.h \
 /src/linux/include/linux/timerqueue.h /src/linux/include/linux/rcuref.h \
 /src/linux/include/linux/rcu_sync.h /src/linux/include/linux/quota.h \
 /src/linux/include/uapi/linux/dqblk_xfs.h \
 /src/linux/include/linux/dqblk_v1.h /src/linux/include/linux/dqblk_v2.h \
 /src/linux/include/linux/dqblk_qtree.h /src/linux/include/linux/projid.h \
 /src/linux/include/uapi/linux/quota.h /src/linux/include/linux/unicode.h \
 /src/linux/include/linux/dcache.h /src/linux/include/linux/rculist_bl.h \
 /src/linux/include/linux/lockref.h /src/linux/include/linux/stringhash.h \
 /src/linux/include/linux/hash.h /src/linux/include/linux/vfsdebug.h \
 /src/linux/include/linux/wait_bit.h /src/linux/include/linux/kdev_t.h \
 /src/linux/include/uapi/linux/kdev_t.h /src/linux/include/linux/path.h \
 /src/linux/include/linux/semaphore.h /src/linux/include/linux/fcntl.h \
 /src/linux/include/uapi/linux/fcntl.h \
 /src/linux/arch/x86/include/generated/uapi/asm/fcntl.h \
 /src/linux/include/uapi/asm-generic/fcntl.h \
 /src/linux/include/uapi/linux/openat2.h \
 /src/linux/include/uapi/linux/openat2.h \
 /src/linux/include/linux/migrate_mode.h \
 /src/linux/include/linux/delayed_call.h \
 /src/linux/include/linux/ioprio.h /src/linux/include/linux/sched/rt.h \
 /src/linux/include/linux/iocontext.h \
 /src/linux/include/uapi/linux/ioprio.h /src/linux/include/linux/mount.h \
 /src/linux/include/linux/mnt_idmapping.h /src/linux/include/linux/slab.h \
 /src/linux/include/linux/percpu-refcount.h \
 /src/linux/include/linux/kasan.h \
 /src/linux/include/linux/kasan-enabled.h \
 /src/linux/include/linux/kasan-tags.h /src/linux/include/linux/rw_hint.h \
 /src/linux/include/linux/file_ref.h /src/linux/include/uapi/linux/fs.h \
 /src/linux/include/uapi/linux/aio_abi.h \
 /src/linux/include/uapi/linux/unistd.h \
 /src/linux/arch/x86/include/asm/unistd.h \
 /src/linux/arch/x86/include/uapi/asm/unistd.h \
 /src/linux/arch/x86/include/generated/uapi/asm/unistd_64.h \
 /src/linux/arch/x86/include/generated/asm/unistd_64_x32.h \
 /src/linux/arch/x86/include/generated/asm/unistd_32_ia32.h \
 /src/linux/arch/x86/include/asm/compat.h \
 /src/linux/include/linux/sched/task_stack.h \
 /src/linux/include/uapi/linux/magic.h \
 /src/linux/arch/x86/include/asm/user32.h \
 /src/linux/include/asm-generic/compat.h \
 /src/linux/arch/x86/include/asm/syscall_wrapper.h \
 /src/linux/arch/x86/include/asm/user.h \
 /src/linux/arch/x86/include/asm/user_64.h \
 /src/linux/arch/x86/include/asm/fsgsbase.h \
 /src/linux/arch/x86/include/asm/syscall.h \
 /src/linux/include/uapi/linux/audit.h \
 /src/linux/include/uapi/linux/elf-em.h \
 /src/linux/arch/x86/include/asm/vdso.h \
 /src/linux/include/uapi/linux/elf.h \
 /src/linux/include/linux/moduleparam.h \
 /src/linux/include/linux/rbtree_latch.h \
 /src/linux/include/linux/error-injection.h \
 /src/linux/include/asm-generic/error-injection.h \
 /src/linux/arch/x86/include/asm/module.h \
 /src/linux/include/asm-generic/module.h \
 /src/linux/arch/x86/include/asm/orc_types.h \
 /src/linux/include/linux/device-id/acpi.h \
 /src/linux/include/linux/device-id/of.h \
 /src/linux/arch/x86/include/generated/asm/device.h \
 /src/linux/include/asm-generic/device.h \
 /src/linux/include/linux/pm_wakeup.h \
 /src/linux/include/linux/cpuhotplug.h \
 /src/linux/include/linux/cpuhplock.h /src/linux/include/linux/kallsyms.h \
 /src/linux/include/linux/mm.h /src/linux/include/linux/pgalloc_tag.h \
 /src/linux/include/linux/page_ext.h \
 /src/linux/include/linux/stacktrace.h \
 /src/linux/include/linux/page_ref.h /src/linux/include/linux/pgtable.h \
 /src/linux/include/linux/memremap.h /src/linux/include/linux/cacheinfo.h \
 /src/linux/include/linux/iommu-debug-pagealloc.h \
 /src/linux/include/linux/huge_mm.h /src/linux/include/linux/vmstat.h \
 /src/linux/include/linux/vm_event_item.h \
 /src/linux/arch/x86/include/asm/sections.h \
 /src/linux/include/asm-generic/sections.h \
 /src/linux/include/linux/kprobes.h /src/linux/include/linux/ftrace.h \
 /src/linux/include/linux/trace_recursion.h \
 /src/linux/include/linux/interrupt.h \
 /src/linux/include/linux/irqreturn.h /src/linux/include/linux/hardirq.h \
 /src/linux/include/linux/context_tracking_state.h \
 /src/linux/include/linux/ftrace_irq.h /src/linux/include/linux/vtime.h \
 /src/linux/arch/x86/include/asm/hardirq.h \
 /src/linux/arch/x86/include/asm/irq.h \
 /src/linux/arch/x86/include/asm/irq_vectors.h \
 /src/linux/include/linux/trace_clock.h \
 /src/linux/arch/x86/include/asm/trace_clock.h \
 /src/linux/include/linux/ptrace.h \
 /src/linux/include/linux/pid_namespace.h \
 /src/linux/include/linux/nsproxy.h /src/linux/include/linux/ns_common.h \
 /src/linux/include/linux/ns/ns_common_types.h \
 /src/linux/include/linux/ns/nstree_types.h \
 /src/linux/include/uapi/linux/nsfs.h \
 /src/linux/include/uapi/linux/ptrace.h \
 /src/linux/include/linux/seccomp.h \
 /src/linux/include/uapi/linux/seccomp.h \
 /src/linux/arch/x86/include/asm/seccomp.h \
 /src/linux/include/asm-generic/seccomp.h \
 /src/linux/arch/x86/include/asm/ftrace.h \
 /src/linux/include/linux/ftrace_regs.h \
 /src/linux/include/linux/objpool.h /src/linux/include/linux/rethook.h \
 /src/linux/arch/x86/include/asm/kprobes.h \
 /src/linux/include/asm-generic/kprobes.h \
 /src/linux/arch/x86/include/asm/text-patching.h \
 /src/linux/arch/x86/include/asm/insn.h \
 /src/linux/arch/x86/include/asm/inat.h \
 /src/linux/arch/x86/include/asm/inat_types.h \
 /src/linux/include/linux/sort.h /src/linux/include/linux/static_call.h \
 /src/linux/arch/x86/include/asm/static_call.h \
 /src/linux/include/linux/suspend.h /src/linux/include/linux/swap.h \
 /src/linux/include/linux/memcontrol.h /src/linux/include/linux/cgroup.h \
 /src/linux/include/uapi/linux/cgroupstats.h \
 /src/linux/include/uapi/linux/taskstats.h \
 /src/linux/include/linux/seq_file.h \
 /src/linux/include/linux/string_helpers.h \
 /src/linux/include/linux/ctype.h \
 /src/linux/include/linux/string_choices.h \
 /src/linux/include/linux/user_namespace.h \
 /src/linux/include/linux/rculist_nulls.h \
 /src/linux/include/linux/kernel_stat.h \
 /src/linux/include/linux/cgroup-defs.h \
 /src/linux/include/linux/u64_stats_sync.h \
 /src/linux/arch/x86/include/generated/asm/local64.h \
 /src/linux/include/asm-generic/local64.h \
 /src/linux/arch/x86/include/asm/local.h \
 /src/linux/include/linux/bpf-cgroup-defs.h \
 /src/linux/include/linux/psi_types.h /src/linux/include/linux/kthread.h \
 /src/linux/include/linux/cgroup_subsys.h \
 /src/linux/include/linux/cgroup_namespace.h \
 /src/linux/include/linux/cgroup_refcnt.h \
 /src/linux/include/linux/page_counter.h \
 /src/linux/include/linux/vmpressure.h /src/linux/include/linux/eventfd.h \
 /src/linux/include/uapi/linux/eventfd.h \
 /src/linux/include/linux/writeback.h \
 /src/linux/include/linux/flex_proportions.h \
 /src/linux/include/linux/backing-dev-defs.h \
 /src/linux/include/linux/blk_types.h /src/linux/include/linux/bvec.h \
 /src/linux/include/linux/highmem.h /src/linux/include/linux/cacheflush.h \
 /src/linux/arch/x86/include/asm/cacheflush.h \
 /src/linux/include/asm-generic/cacheflush.h \
 /src/linux/include/linux/kmsan.h \
 /src/linux/include/linux/dma-direction.h \
 /src/linux/include/linux/highmem-internal.h \
 /src/linux/include/linux/folio_batch.h /src/linux/include/linux/bio.h \
 /src/linux/include/linux/mempool.h /src/linux/include/linux/pagemap.h \
 /src/linux/include/linux/hugetlb_inline.h \
 /src/linux/include/uapi/linux/mempolicy.h \
 /src/linux/include/linux/freezer.h /src/linux/include/linux/tracepoint.h \
 /src/linux/include/linux/rcupdate_trace.h /src/linux/include/linux/cfi.h \
 /src/linux/arch/x86/include/asm/cfi.h \
 shim/../../include/uapi/rust_tracer.h \
 shim/../../include/uapi/rust_tracer_program.h \
 shim/../../include/uapi/rust_tracer_views.h shim/../arch/stub.h \
 shim/shim.h shim/moment.h
