// SPDX-License-Identifier: GPL-2.0-only
//! What a test must leave as it found it, and what the kernel must not say.

#![forbid(unsafe_code)]

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::Command;

use crate::sys;
use crate::test::{Outcome, fail};

/// tracefs, mounted.
pub fn tracefs() -> Outcome<&'static Path> {
    let at = Path::new("/sys/kernel/tracing");
    if !at.join("enabled_functions").exists() {
        sys::mount("tracefs", at)?;
    }
    Ok(at)
}

/// A list of ftrace's. A file that was opened before the kernel was locked down can be read
/// afterwards, a new one cannot be opened.
#[derive(Debug)]
pub struct TraceList(File);

impl TraceList {
    /// The functions that ftrace calls anybody for, one a line.
    pub fn enabled_functions() -> Outcome<Self> {
        Ok(Self(File::open(tracefs()?.join("enabled_functions"))?))
    }

    /// The functions that ftrace was called for while it was busy with them, on a kernel that takes
    /// notes.
    pub fn recursed_functions() -> Outcome<Option<Self>> {
        match File::open(tracefs()?.join("recursed_functions")) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            file => Ok(Some(Self(file?))),
        }
    }

    /// As it is now.
    pub fn now(&mut self) -> Outcome<String> {
        let mut text = String::new();
        self.0.seek(SeekFrom::Start(0))?;
        self.0.read_to_string(&mut text)?;
        Ok(text)
    }
}

/// Loads the module as a user would, and waits until udev has given its nodes to their groups.
pub fn load() -> Outcome {
    let status = Command::new("modprobe").arg("rust_tracer").status()?;
    if !status.success() {
        return Err(fail(format!("modprobe rust_tracer: {status}")));
    }
    settle()
}

/// Waits until udev has nothing to do. It does not always find the time to answer that on a guest
/// that is busy: then it is asked again.
pub fn settle() -> Outcome {
    const TRIES: usize = 10;
    for _ in 0..TRIES {
        if Command::new("udevadm").arg("settle").status()?.success() {
            return Ok(());
        }
    }
    Err(fail("udev does not settle"))
}

/// The functions that ftrace calls anybody for, one a line.
pub fn enabled_functions() -> Outcome<String> {
    TraceList::enabled_functions()?.now()
}

/// How far the kernel is locked down: `none`, `integrity` or `confidentiality`.
pub fn lockdown() -> Outcome<String> {
    let text = fs::read_to_string(LOCKDOWN)?;
    let level = text.split_whitespace().find(|word| word.starts_with('['));
    let level = level.ok_or_else(|| fail(format!("{LOCKDOWN}: {text}")))?;
    Ok(level.trim_matches(['[', ']']).to_owned())
}

/// Locks the kernel down further, for good.
pub fn lock_down(level: &str) -> Outcome {
    Ok(fs::write(LOCKDOWN, level)?)
}

const LOCKDOWN: &str = "/sys/kernel/security/lockdown";

/// Has the kernel not complain of NMI handlers that take long: under emulation the host may
/// stop a CPU at any point, also inside one.
pub fn allow_long_nmis() -> Outcome {
    let at = Path::new("/sys/kernel/debug");
    if !at.join("x86").exists() {
        sys::mount("debugfs", at)?;
    }
    Ok(fs::write(at.join("x86/nmi_longest_ns"), "60000000000")?)
}

/// The address of a function of the kernel proper.
pub fn address_of(name: &str) -> Outcome<u64> {
    address(name, 'T')
}

/// The address of a symbol of the kernel proper, by the letter of its kind (nm(1)).
pub fn address(name: &str, kind: char) -> Outcome<u64> {
    let symbols = fs::read_to_string("/proc/kallsyms")?;
    let line = symbols
        .lines()
        .find(|line| line.ends_with(&format!(" {kind} {name}")));
    let address = line.and_then(|line| u64::from_str_radix(line.split(' ').next()?, 16).ok());
    address.ok_or_else(|| fail(format!("no address of {name}")))
}

/// How many references the rust_tracer module has; none: it is not loaded.
pub fn references() -> Option<u64> {
    let text = fs::read_to_string("/sys/module/rust_tracer/refcnt").ok()?;
    text.trim().parse().ok()
}

/// The same for people.
pub fn say_references() -> String {
    format!("the module's references: {:?}", references())
}

/// Whether it is one of the lab's kernels that check themselves, with larger stacks and other text.
pub fn checks_itself() -> bool {
    fs::read_to_string("/proc/version").is_ok_and(|version| version.contains("clang"))
}

/// How many CPUs are online.
pub fn online_cpus() -> usize {
    let list = fs::read_to_string("/sys/devices/system/cpu/online").unwrap_or_default();
    list.trim()
        .split(',')
        .filter_map(|range| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            Some(last.parse::<usize>().ok()? - first.parse::<usize>().ok()? + 1)
        })
        .sum()
}

/// The kernel's log, from where it was opened.
#[derive(Debug)]
pub struct KernelLog {
    file: File,
}

/// What a line of a splat has in it; scripts/lab/splat.py knows the same of the console. A line
/// that only names one of these in passing (as a command line may) is not looked for here.
const SPLATS: [&str; 35] = [
    // Memory, and what the compiler checks.
    "BUG:",
    "BUG ",
    "Oops:",
    "Oops!",
    "general protection fault",
    "double fault:",
    "stack guard page",
    "Unable to handle kernel",
    "KASAN:",
    "KCSAN:",
    "KMSAN:",
    "KFENCE:",
    "UBSAN:",
    "detected buffer overflow",
    "list_add corruption",
    "list_del corruption",
    "refcount_t:",
    "ODEBUG:",
    "new suspected memory leaks",
    // Locks, RCU, and who is late.
    "WARNING:",
    "INFO: possible",
    "INFO: inconsistent lock state",
    "INFO: suspicious RCU usage",
    "INFO: trying to register non-static key",
    "DEBUG_LOCKS_WARN_ON",
    "rcu: INFO:",
    "INFO: rcu",
    "kthread starved",
    "INFO: task",
    "INFO: NMI handler",
    "soft lockup",
    "hard LOCKUP",
    // Whatever it is.
    "panicked at",
    "Call Trace:",
    "Kernel panic",
];

/// Linux 7.3's own, see `scripts/lab/splat.py`.
const HARMLESS: &str = "WARNING: stack going in the wrong direction? at return_to_handler+";
/// And one with a trace.
const HARMLESS_BLOCK: [&str; 2] = ["WARNING: kernel/trace/fprobe.c:", " at fprobe_return+"];

fn is_splat(line: &str) -> bool {
    !line.contains(HARMLESS) && SPLATS.iter().any(|mark| line.contains(mark))
}

/// How a report of KCSAN begins and ends.
const RACE: [&str; 2] = ["BUG: KCSAN:", "===================="];

/// Whether a frame is the module's, but for a stub that follows a call.
fn is_ours(frame: &str) -> bool {
    const STUBS: [&str; 2] = ["rtrace_slot_", "rtrace_stub_"];
    frame.contains("[rust_tracer]")
        && !STUBS
            .iter()
            .any(|stub| frame.trim_start().starts_with(stub))
}

/// Whether the kernel complains, but for what is harmless, in these lines.
fn has_splat<'a>(lines: impl Iterator<Item = &'a str>) -> bool {
    let [begins, ends] = RACE;
    let (mut harmless, mut race) = (false, false);
    for line in lines {
        race = (race || line.contains(begins)) && !line.contains(ends);
        if race {
            if is_ours(line) {
                return true;
            }
            continue;
        }
        harmless |= HARMLESS_BLOCK.iter().all(|mark| line.contains(mark));
        if !harmless && is_splat(line) {
            return true;
        }
        harmless &= !line.contains("---[ end trace ");
    }
    false
}

impl KernelLog {
    /// From here on.
    pub fn from_now() -> Outcome<Self> {
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NONBLOCK)
            .open("/dev/kmsg")?;
        let mut log = Self { file };
        log.new_lines()?;
        Ok(log)
    }

    /// The lines since the last call.
    pub fn new_lines(&mut self) -> Outcome<Vec<String>> {
        let mut lines = Vec::new();
        let mut record = [0u8; 8192];
        loop {
            match self.file.read(&mut record) {
                Ok(length) => {
                    let text = String::from_utf8_lossy(&record[..length]);
                    let message = text.split_once(';').map_or(&*text, |(_, message)| message);
                    lines.push(message.lines().next().unwrap_or_default().to_owned());
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(lines),
                // Lines were overwritten before they were read: go on at the oldest.
                Err(error) if error.raw_os_error() == Some(libc::EPIPE) => {}
                Err(error) => return Err(fail(format!("/dev/kmsg: {error}"))),
            }
        }
    }

    /// The new lines if there is a splat among them.
    pub fn new_splat(&mut self) -> Outcome<Option<Vec<String>>> {
        let lines = self.new_lines()?;
        let splat = has_splat(lines.iter().map(String::as_str));
        Ok(splat.then_some(lines))
    }
}

#[cfg(test)]
mod tests {
    use super::{has_splat, is_splat};

    #[test]
    fn every_complaint_of_the_kernel_is_noticed() {
        for line in include_str!("splats.txt").lines() {
            assert!(is_splat(line), "{line}");
        }
    }

    #[test]
    fn a_harmless_complaint_hides_no_other() {
        let harmless = [
            "------------[ cut here ]------------",
            "WARNING: kernel/trace/fprobe.c:676 at fprobe_return+0x183/0x1a0, CPU#1: migration/1/24",
            "Call Trace:",
            "---[ end trace 0000000000000000 ]---",
        ];
        assert!(!has_splat(harmless.into_iter()));
        let mut others = harmless.to_vec();
        others.push("BUG: sleeping function called from invalid context");
        assert!(has_splat(others.into_iter()));
        let other = harmless[1].replace("fprobe_return", "fprobe_entry");
        assert!(has_splat([other.as_str()].into_iter()));
    }

    #[test]
    fn races_are_complaints_if_the_module_is_in_them() {
        let end = "==================================================================";
        let report = |frame| {
            let begin = "BUG: KCSAN: data-race in init_file / init_file";
            [
                end,
                begin,
                "read to 0xffff8881003a95e8 of 4 bytes",
                frame,
                "Call Trace:",
                end,
                "more",
            ]
        };
        assert!(!has_splat(report("init_file+0x27/0x180").into_iter()));
        let ours = " rtrace_look_at_cpu+0x27/0x180 [rust_tracer]";
        assert!(has_splat(report(ours).into_iter()));
        assert!(!has_splat(
            report(" rtrace_slot_3+0xaa/0x300 [rust_tracer]").into_iter()
        ));
        let mut others = report("init_file+0x27/0x180").to_vec();
        others.push("BUG: KASAN: use-after-free");
        assert!(has_splat(others.into_iter()));
    }

    #[test]
    fn what_the_kernel_says_all_the_time_is_none() {
        for line in [
            "rust_tracer: loading out-of-tree module taints kernel.",
            "smpboot: CPU 1 is now offline",
            "kmemleak: Automatic memory scanning thread ended",
            "Spectre V2 : Mitigation: Retpolines",
            "WARNING: stack going in the wrong direction? at return_to_handler+0x46/0x50",
        ] {
            assert!(!is_splat(line), "{line}");
        }
    }
}
