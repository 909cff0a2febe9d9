// SPDX-License-Identifier: GPL-2.0-only
//! Check 9: does a system call get where it should?
//!
//! From the CPU's own registers over the table of interrupts and the function that
//! tells system calls apart to the function of each: everything is the kernel's, and
//! the same on all CPUs and since this module was loaded. So is the rest of the
//! kernel's text.

use std::collections::BTreeSet;

use rust_tracer::abi;
use rust_tracer::views::{Callback, Cpu, Kind, Owner, TextOf};

use super::callers::merge;
use super::facts::Facts;
use super::owners::{OURS, answered};
use super::patch::diverted;
use super::report::{Finding, Outcome, Report, count};

/// Judges the way of system calls.
pub fn check(facts: &Facts) -> Outcome {
    let cpus = facts.cpus.get()?;
    let texts = facts.syscalls.get()?;
    let mut findings: Vec<_> = cpus.iter().flat_map(|cpu| of_cpu(facts, cpu)).collect();
    findings.extend(unlike(facts, cpus));
    findings.extend(texts.iter().filter_map(|text| of_text(facts, text)));
    let breakpoints = facts.callbacks(abi::RTRACE_CALLBACK_BREAKPOINT);
    findings.extend(breakpoints.map(|one| of_breakpoint(facts, one)));
    let constants = facts.callbacks(abi::RTRACE_CALLBACK_CONSTANT);
    findings.extend(constants.filter_map(|one| of_table(facts, one)));
    let compared = texts.iter().filter(|it| it.hash != 0 && it.first_hash != 0);
    let gates = cpus.iter().map(|cpu| cpu.handlers).max().unwrap_or(0);
    let looked = format!(
        "{} with {gates} interrupt gates; {} of system calls, {} as they were when we came",
        count(cpus.len(), "CPU"),
        count(texts.len(), "function"),
        compared.filter(|text| text.hash == text.first_hash).count(),
    );
    // Of a function several pieces may have changed.
    let findings = merge(findings.into_iter());
    Ok(Report { looked, findings })
}

/// A register that leads into the kernel.
struct Register<'a> {
    name: &'static str,
    owner: &'a Owner,
    /// Whether a virtual machine may have it, until the CPU returns to user space.
    lendable: bool,
}

fn registers(cpu: &Cpu) -> [Register<'_>; 3] {
    let register = |name, owner, lendable| Register {
        name,
        owner,
        lendable,
    };
    [
        register("MSR_LSTAR", &cpu.syscall, true),
        register("MSR_CSTAR", &cpu.compat, true),
        register("MSR_IA32_SYSENTER_EIP", &cpu.sysenter, false),
    ]
}

/// Whether KVM has given a CPU's registers for system calls to a virtual machine.
fn is_lent(facts: &Facts, cpu: &Cpu) -> bool {
    facts.kvm && cpu.off & abi::RTRACE_CPU_LENT != 0
}

fn of_cpu(facts: &Facts, cpu: &Cpu) -> Vec<Finding> {
    let number = cpu.cpu;
    let mut findings = Vec::new();
    let lent = is_lent(facts, cpu);
    for register in registers(cpu) {
        let Register { name, owner, .. } = register;
        if lent && register.lendable {
            continue;
        }
        if !matches!(owner.kind, Kind::Kernel | Kind::Zero) {
            findings.push(finding(
                format!("{name} of CPU {number}"),
                format!("{name} of CPU {number} does not lead into the kernel's text"),
                facts.place(owner),
            ));
        }
    }
    if cpu.foreign.kind != Kind::Zero {
        let vector = cpu.foreign_vector;
        findings.push(finding(
            format!("interrupt {vector}"),
            format!("interrupt {vector} of CPU {number} does not lead into the kernel's text"),
            facts.place(&cpu.foreign),
        ));
    }
    if !cpu.cr0_wp {
        findings.push(finding(
            format!("cr0 of CPU {number}"),
            format!("CPU {number} writes what is read-only: bit WP of CR0 is not set"),
            String::new(),
        ));
    }
    let off: Vec<_> = PROTECTIONS
        .iter()
        .filter(|(bit, _)| cpu.off & bit != 0 && !(lent && *bit == abi::RTRACE_CPU_MASK))
        .map(|(_, name)| *name)
        .collect();
    if !off.is_empty() {
        findings.push(finding(
            format!("protection of CPU {number}"),
            format!("CPU {number} goes without {}", off.join(", ")),
            String::new(),
        ));
    }
    findings
}

/// What keeps a CPU's kernel and user space apart, and where it is switched.
const PROTECTIONS: [(u32, &str); 4] = [
    (abi::RTRACE_CPU_SMEP, "SMEP (CR4)"),
    (abi::RTRACE_CPU_SMAP, "SMAP (CR4)"),
    (abi::RTRACE_CPU_UMIP, "UMIP (CR4)"),
    (
        abi::RTRACE_CPU_MASK,
        "the mask of flags of system calls (MSR_SYSCALL_MASK)",
    ),
];

/// What is not the same on all CPUs.
fn unlike(facts: &Facts, cpus: &[Cpu]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for at in 0..3 {
        let all = cpus
            .iter()
            .filter_map(|cpu| Some((cpu, registers(cpu).into_iter().nth(at)?)));
        let own: Vec<_> = all
            .filter(|(cpu, register)| !(register.lendable && is_lent(facts, cpu)))
            .collect();
        let values: BTreeSet<u64> = own.iter().map(|(_, it)| it.owner.address).collect();
        let Some(name) = own.first().map(|(_, register)| register.name) else {
            continue;
        };
        if values.len() > 1 {
            let places: Vec<_> = own
                .iter()
                .map(|(cpu, it)| format!("CPU {}: {}", cpu.cpu, facts.address(it.owner.address)))
                .collect();
            findings.push(finding(
                format!("{name} differs"),
                format!("{name} is not the same on all CPUs"),
                places.join("; "),
            ));
        }
    }
    let tables: BTreeSet<_> = cpus
        .iter()
        .map(|it| (it.idt.address, it.idt_hash))
        .collect();
    if tables.len() > 1 {
        findings.push(finding(
            "tables differ".into(),
            "the tables of interrupts are not the same on all CPUs".into(),
            String::new(),
        ));
    }
    findings
}

/// Who is called when the kernel comes by an address, without a byte of its text being changed.
fn of_breakpoint(facts: &Facts, one: &Callback) -> Finding {
    let found = finding(
        format!("breakpoint {:#x}", one.at),
        format!(
            "a hardware breakpoint watches the kernel at {}",
            facts.address(one.at)
        ),
        format!("in the registers of CPU {}", one.name),
    );
    Finding {
        perhaps: "perf, or a debugger, that somebody has watch the kernel".into(),
        look: "rtctl hooks; ls -l /proc/[0-9]*/fd | grep perf_event".into(),
        ..found
    }
}

/// The kernel's own tables of system calls. Who has one in it is told, whichever of them calls go by.
const TABLES: [&str; 3] = [
    "sys_call_table",
    "ia32_sys_call_table",
    "x32_sys_call_table",
];

/// A word of such a table that does not lead into the kernel's text.
fn of_table(facts: &Facts, one: &Callback) -> Option<Finding> {
    let name = facts.function(one.at)?;
    let is_fine = answered(one.func.kind) && one.func.kind != Kind::Module;
    if is_fine || !TABLES.contains(&name) {
        return None;
    }
    let (place, _) = facts.symbol(one.at)?;
    let offset = place.split_once("+0x").map_or("0", |(_, offset)| offset);
    let number = u64::from_str_radix(offset, 16).map_or(0, |offset| offset / 8);
    let found = finding(
        format!("{name} {number}"),
        format!("{name} has a function for system call {number} that is not the kernel's"),
        facts.place(&one.func),
    );
    Some(Finding {
        forms: vec![
            "the kernel's own table, read in its memory".into(),
            "the owner by our ledger, the list and the tree of modules".into(),
        ],
        perhaps: "a security module that replaces system calls: ask who installed it".into(),
        look: "rtctl check pointers text; rtctl hooks '__x64_sys_*'".into(),
        ..found
    })
}

fn of_text(facts: &Facts, text: &TextOf) -> Option<Finding> {
    let TextOf { name, address, .. } = text;
    if text.hash != 0 && text.first_hash != 0 && text.hash != text.first_hash {
        return Some(finding(
            format!("text of {name}"),
            format!("the text of {name} is not what it was when this module was loaded"),
            format!("{}, {} bytes", facts.address(*address), text.bytes),
        ));
    }
    let to = diverted(*address, &text.head)?;
    let owner = facts.owners.get(&to).cloned().unwrap_or(Owner {
        address: to,
        ..Owner::default()
    });
    (!may_lead_to(&owner)).then(|| {
        finding(
            format!("text of {name}"),
            format!("{name} begins with a jump out of the kernel's text"),
            format!("{} to {}", facts.address(*address), facts.place(&owner)),
        )
    })
}

/// Whether a system call may begin with a jump there: to where the kernel has them, or those who are
/// called at its site in ftrace's way, or a kprobe behind it.
fn may_lead_to(owner: &Owner) -> bool {
    match owner.kind {
        Kind::Kernel | Kind::Bpf | Kind::Ftrace | Kind::Kprobe => true,
        Kind::Module => owner.name == OURS,
        _ => false,
    }
}

fn finding(key: String, what: String, place: String) -> Finding {
    Finding {
        key,
        what,
        place,
        forms: vec![
            "the CPUs' own registers, and the text itself".into(),
            "the owner of addresses, the other CPUs, and the text when we were loaded".into(),
        ],
        perhaps:
            "a hypervisor's or a live patch's way in; text that is being patched at this moment"
                .into(),
        look: "rtctl check sites text; rtctl hooks '__x64_sys_*'".into(),
        ..Finding::default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::fact::Told;
    use super::super::facts::tests::owner;
    use super::*;

    fn cpu(number: u32) -> Cpu {
        Cpu {
            cpu: number,
            handlers: 256,
            syscall: owner(0x1000, Kind::Kernel, ""),
            compat: owner(0x2000, Kind::Kernel, ""),
            sysenter: owner(0, Kind::Zero, ""),
            idt: owner(0x9000, Kind::None, ""),
            foreign: owner(0, Kind::Zero, ""),
            foreign_vector: 0,
            cr0_wp: true,
            idt_hash: 7,
            off: 0,
        }
    }

    fn text() -> TextOf {
        let mut head = [0x90; 32];
        head[..4].copy_from_slice(&[0xf3, 0x0f, 0x1e, 0xfa]);
        TextOf {
            name: "x64_sys_call".into(),
            address: 0x5000,
            bytes: 4096,
            hash: 3,
            first_hash: 3,
            head,
        }
    }

    fn found(change: impl FnOnce(&mut Vec<Cpu>, &mut TextOf)) -> Vec<String> {
        let (mut cpus, mut text) = (vec![cpu(0), cpu(1)], text());
        change(&mut cpus, &mut text);
        let facts = Facts {
            cpus: Told::Is(cpus),
            syscalls: Told::Is(vec![text]),
            ..Facts::default()
        };
        let findings = check(&facts).unwrap().findings;
        findings.into_iter().map(|finding| finding.what).collect()
    }

    #[test]
    fn a_kernel_as_it_was_is_fine() {
        assert_eq!(found(|_, _| {}), [""; 0]);
        assert_eq!(found(|_, text| text.hash = 0), [""; 0]);
    }

    #[test]
    fn a_register_of_one_cpu_is_found_by_its_owner_and_by_the_other_cpu() {
        let moved = found(|cpus, _| cpus[1].syscall = owner(0xc000, Kind::None, ""));
        assert_eq!(
            moved,
            [
                "MSR_LSTAR of CPU 1 does not lead into the kernel's text",
                "MSR_LSTAR is not the same on all CPUs"
            ]
        );
        let moved = found(|cpus, _| cpus[1].syscall.address += 1);
        assert_eq!(moved, ["MSR_LSTAR is not the same on all CPUs"]);
    }

    #[test]
    fn what_kvm_has_lent_to_a_virtual_machine_is_not_compared() {
        for (kvm, findings) in [(true, 0), (false, 3)] {
            let mut cpus = vec![cpu(0), cpu(1)];
            cpus[1].syscall = owner(0xc000, Kind::None, "");
            cpus[1].off = abi::RTRACE_CPU_LENT | abi::RTRACE_CPU_MASK;
            let facts = Facts {
                cpus: Told::Is(cpus),
                syscalls: Told::Is(vec![text()]),
                kvm,
                ..Facts::default()
            };
            assert_eq!(check(&facts).unwrap().findings.len(), findings, "{kvm}");
        }
    }

    #[test]
    fn interrupts_and_write_protection_are_looked_at() {
        let gate = found(|cpus, _| cpus[0].foreign = owner(0xc000, Kind::Module, "x"));
        assert_eq!(
            gate,
            ["interrupt 0 of CPU 0 does not lead into the kernel's text"]
        );
        assert_eq!(found(|cpus, _| cpus[0].idt_hash = 8).len(), 1);
        assert_eq!(found(|cpus, _| cpus[0].cr0_wp = false).len(), 1);
        let off = abi::RTRACE_CPU_SMEP | abi::RTRACE_CPU_SMAP;
        assert_eq!(
            found(|cpus, _| cpus[1].off = off),
            ["CPU 1 goes without SMEP (CR4), SMAP (CR4)"]
        );
    }

    #[test]
    fn a_breakpoint_on_the_kernel_is_found_once_for_all_cpus() {
        let breakpoint = |cpu: u32| Callback {
            name: cpu.to_string(),
            at: 0x5000,
            func: owner(0x5000, Kind::Kernel, ""),
            kind: abi::RTRACE_CALLBACK_BREAKPOINT,
        };
        let facts = Facts {
            cpus: Told::Is(vec![cpu(0), cpu(1)]),
            syscalls: Told::Is(vec![text()]),
            callbacks: Told::Is(vec![breakpoint(0), breakpoint(1)]),
            ..Facts::default()
        };
        let findings = check(&facts).unwrap().findings;
        assert_eq!(findings.len(), 1);
        assert!(findings[0].what.starts_with("a hardware breakpoint"));
    }

    #[test]
    fn a_table_of_system_calls_that_leads_to_a_module_or_to_nobody_is_found() {
        for (symbol, kind, expected) in [
            ("sys_call_table+0x2f8/0x1000", Kind::Module, 1),
            ("ia32_sys_call_table+0x2f8/0x1000", Kind::None, 1),
            ("sys_call_table+0x2f8/0x1000", Kind::Thunk, 0),
            ("proc_root_operations+0x8/0x100", Kind::Module, 0),
        ] {
            let constant = Callback {
                at: 0x9000,
                func: owner(0xc000, kind, "x"),
                kind: abi::RTRACE_CALLBACK_CONSTANT,
                ..Callback::default()
            };
            let mut facts = Facts {
                cpus: Told::Is(vec![cpu(0)]),
                syscalls: Told::Is(vec![text()]),
                callbacks: Told::Is(vec![constant]),
                ..Facts::default()
            };
            facts.symbols.insert(0x9000, symbol.into());
            let findings = check(&facts).unwrap().findings;
            assert_eq!(findings.len(), expected, "{symbol} {kind:?}");
            let says = |one: &Finding| one.what.contains("for system call 95 that");
            assert!(findings.iter().all(says));
        }
    }

    #[test]
    fn text_that_changed_or_begins_with_a_jump_elsewhere_is_found() {
        let changed = found(|_, text| text.hash = 4);
        assert!(changed[0].starts_with("the text of x64_sys_call is not"));
        let jumps = found(|_, text| text.head[4..9].copy_from_slice(&[0xe9, 0, 0, 1, 0]));
        assert!(jumps[0].ends_with("begins with a jump out of the kernel's text"));
    }

    #[test]
    fn who_is_called_at_a_site_by_a_jump_is_fine_unless_it_is_another_module() {
        for (kind, name, fine) in [
            (Kind::Kernel, "", true),
            (Kind::Bpf, "bpf_trampoline_1", true),
            (Kind::Kprobe, "kprobe_optinsn_page", true),
            (Kind::Module, OURS, true),
            (Kind::Module, "x", false),
            (Kind::None, "", false),
            (Kind::Hidden, OURS, false),
        ] {
            assert_eq!(
                may_lead_to(&owner(0x1000, kind, name)),
                fine,
                "{kind:?} {name}"
            );
        }
    }
}
