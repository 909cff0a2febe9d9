// SPDX-License-Identifier: GPL-2.0

//! Where the kernel has what it does not export, found by its symbols in the one walk over them at
//! load; and which of its functions system calls go through.

#![forbid(unsafe_code)]

use kernel::prelude::*;

use super::{
    name::Name,
    walk, //
};
use crate::bindings::{
    rtrace_landmarks,
    RTRACE_SEVERAL, //
};

/// A function whose text is watched.
pub(super) struct Watched {
    pub(super) name: Name,
    pub(super) start: u64,
    /// Where the next symbol is.
    pub(super) end: u64,
}

/// What is seen while the kernel's symbols are walked.
pub(crate) struct Symbols {
    landmarks: rtrace_landmarks,
    watched: KVVec<Watched>,
    /// From here on the last of `watched` has no end yet.
    ended: usize,
}

macro_rules! places {
    ($landmarks:expr, $name:expr; $($symbol:literal: $field:ident,)*) => {
        match $name {
            $($symbol => Some(&mut $landmarks.$field),)*
            _ => None,
        }
    };
}

/// What all 64-bit and 32-bit system calls go through, and what a program enters the kernel by.
fn is_dispatcher(name: &[u8]) -> bool {
    matches!(
        name,
        b"x64_sys_call"
            | b"x32_sys_call"
            | b"ia32_sys_call"
            | b"do_syscall_64"
            | b"do_int80_emulation"
            | b"do_fast_syscall_32"
            | b"entry_SYSCALL_64"
            | b"entry_SYSCALL_64_after_hwframe"
            | b"entry_SYSCALL_compat"
            | b"entry_SYSENTER_compat"
            | b"entry_INT80_compat"
            | b"asm_int80_emulation"
            | b"error_entry"
            | b"asm_exc_page_fault"
            | b"asm_exc_nmi"
            | b"fred_entrypoint_user"
    )
}

impl Symbols {
    pub(crate) fn new() -> Self {
        Self {
            landmarks: rtrace_landmarks::default(),
            watched: KVVec::new(),
            ended: 0,
        }
    }

    /// A symbol of the kernel proper; they come in order of their addresses.
    pub(crate) fn see(&mut self, name: &[u8], address: usize) -> Result {
        let open = self.watched.get_mut(self.ended..).unwrap_or_default();
        if open.first().is_some_and(|open| open.start < address as u64) {
            for open in open {
                open.end = address as u64;
            }
            self.ended = self.watched.len();
        }
        if name.starts_with(b"__x64_sys_") || is_dispatcher(name) {
            let new = Watched {
                name: Name::new(name),
                start: address as u64,
                end: 0,
            };
            return Ok(self.watched.push(new, GFP_KERNEL)?);
        }
        let place = places! { self.landmarks, name;
            b"_text": text,
            b"_etext": text_end,
            b"_sinittext": init_text,
            b"_einittext": init_text_end,
            b"_end": image_end,
            b"__start_rodata": rodata,
            b"__end_rodata": rodata_end,
            b"modules": modules,
            b"module_mutex": module_mutex,
            b"mod_tree": module_tree,
            b"module_kset": module_kset,
            b"__module_address": module_of_address,
            b"ftrace_ops_list": ops,
            b"ftrace_list_end": ops_end,
            b"ftrace_lock": ftrace_lock,
            b"ftrace_pages_start": ftrace_pages,
            b"ftrace_ops_trampoline_list": ftrace_trampolines,
            b"ftrace_enabled": ftrace_enabled,
            b"kprobe_table": kprobes,
            b"kprobe_mutex": kprobe_mutex,
            b"aggr_pre_handler": kprobe_several,
            b"pre_handler_kretprobe": kprobe_return,
            b"kprobe_insn_slots": kprobe_slots,
            b"kprobe_optinsn_slots": kprobe_detours,
            b"pack_list": bpf_packs,
            b"pack_mutex": bpf_packs_mutex,
            b"bpf_kallsyms": bpf_symbols,
            b"__start___jump_table": jumps,
            b"__stop___jump_table": jumps_end,
            b"__start_static_call_sites": calls,
            b"__stop_static_call_sites": calls_end,
            b"jump_label_text_reserved": jumps_told_by,
            b"jump_label_lock": jumps_lock,
            b"jump_label_unlock": jumps_unlock,
            b"static_call_text_reserved": calls_told_by,
            b"tracepoints_mutex": tracepoints_mutex,
            b"tracepoint_module_list": tracepoint_modules,
            b"tracepoint_module_list_mutex": tracepoint_modules_mutex,
            b"real_mode_header": real_mode,
            b"kexec_image": kexec_image,
            b"kexec_crash_image": kexec_crash_image,
            b"__relocate_kernel_start": kexec_text,
            b"hv_hypercall_pg": hypercall_page,
            b"tainted_mask": taints,
            b"tasklist_lock": tasks_lock,
            b"css_set_table": task_groups,
            b"css_set_lock": task_groups_lock,
            b"init_mm": init_mm,
            b"register_kprobe": register_kprobe,
            b"register_kretprobe": register_kretprobe,
            b"register_kprobes": register_kprobes,
            b"register_kretprobes": register_kretprobes,
            b"register_fprobe": register_fprobe,
            b"register_fprobe_syms": register_fprobe_syms,
            b"register_fprobe_ips": register_fprobe_ips,
            b"__static_call_text_start": static_call_text,
            b"ftrace_call": ftrace_call,
            b"ftrace_regs_call": ftrace_regs_call,
            b"fprobe_table": fprobes,
            b"fprobe_mutex": fprobe_mutex,
            b"fgraph_array": graph_users,
            b"insn_decode": decode,
            b"die_chain": die_chain,
            b"panic_notifier_list": panic_notifier_list,
            b"restart_handler_list": restart_handler_list,
            b"keyboard_notifier_list": keyboard_notifier_list,
            b"vt_notifier_list": vt_notifier_list,
            b"netevent_notif_chain": netevent_notif_chain,
            b"inet6addr_chain": inet6addr_chain,
            b"module_notify_list": module_notify_list,
            b"tracepoint_notify_list": tracepoint_notify_list,
            b"reboot_notifier_list": reboot_notifier_list,
            b"pm_chain_head": pm_chain_head,
            b"oom_notify_list": oom_notify_list,
            b"inetaddr_chain": inetaddr_chain,
            b"netdev_chain": netdev_chain,
            b"timer_bases": timers,
            b"hrtimer_bases": hrtimers,
            b"ptype_base": packet_types,
            b"inet_protos": protocols,
            b"inet6_protos": protocols6,
            b"input_handler_list": input_handlers,
            b"n_tty_ops": n_tty_ops,
            b"softirq_vec": softirqs,
            b"elf_format": elf_format,
            b"script_format": script_format,
        };
        if let Some(place) = place {
            *place = match *place {
                0 => address,
                _ => RTRACE_SEVERAL as usize,
            };
        }
        Ok(())
    }

    /// All symbols were seen. Tells the shim what it needs; what is left is for the views.
    pub(super) fn settle(mut self) -> (rtrace_landmarks, KVVec<Watched>) {
        walk::tell_landmarks(&self.landmarks);
        self.watched.retain(|watched| watched.end != 0);
        (self.landmarks, self.watched)
    }
}
