// SPDX-License-Identifier: GPL-2.0-only
//! What dtrace says on standard error of drops and faults; without `dtrace: ` before it and
//! the newline behind it.
#![forbid(unsafe_code)]

use crate::record::Fault;
use crate::world::Probe;

/// What was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drop {
    /// Records of a CPU.
    Principal {
        /// Which.
        cpu: u32,
    },
    /// Aggregated values of a CPU.
    Aggregation {
        /// Which.
        cpu: u32,
    },
    /// Dynamic variables: there was no room.
    Dynamic,
    /// Records of speculations: more than `specsize`.
    Speculation,
    /// Speculations: those to be had were still busy.
    SpeculationBusy,
    /// Speculations: none was to be had.
    SpeculationUnavailable,
    /// Faults in an ERROR probe's clause.
    Error,
}

impl Drop {
    /// libdtrace's tag, shown with `-x droptags`.
    pub fn tag(self) -> &'static str {
        match self {
            Self::Principal { .. } => "DTRACEDROP_PRINCIPAL",
            Self::Aggregation { .. } => "DTRACEDROP_AGGREGATION",
            Self::Dynamic => "DTRACEDROP_DYNAMIC",
            Self::Speculation => "DTRACEDROP_SPEC",
            Self::SpeculationBusy => "DTRACEDROP_SPECBUSY",
            Self::SpeculationUnavailable => "DTRACEDROP_SPECUNAVAIL",
            Self::Error => "DTRACEDROP_DBLERROR",
        }
    }

    /// `3 drops on CPU 0`
    pub fn message(self, count: u64, droptags: bool) -> String {
        let (what, rest) = match self {
            Self::Principal { cpu } => ("drop", format!(" on CPU {cpu}")),
            Self::Aggregation { cpu } => ("aggregation drop", format!(" on CPU {cpu}")),
            Self::Dynamic => ("dynamic variable drop", String::new()),
            Self::Speculation => ("speculative drop", String::new()),
            Self::SpeculationBusy => (
                "failed speculation",
                " (available buffer(s) still busy)".into(),
            ),
            Self::SpeculationUnavailable => (
                "failed speculation",
                " (no speculative buffer available)".into(),
            ),
            Self::Error => ("error", " in ERROR probe enabling".into()),
        };
        let plural = if count > 1 { "s" } else { "" };
        let tag = match droptags {
            true => format!("[{}] ", self.tag()),
            false => String::new(),
        };
        format!("{tag}{count} {what}{plural}{rest}")
    }
}

/// A fault's name, as libdtrace has it; RTRACE_FAULT_*.
pub fn fault_name(fault: u32) -> &'static str {
    match fault {
        1 => "invalid address",
        2 => "invalid alignment",
        3 => "illegal operation",
        4 => "divide-by-zero",
        5 => "out of scratch space",
        6 => "invalid kernel access",
        7 => "invalid user access",
        8 => "tuple stack overflow",
        9 => "bad stack",
        10 => "invalid size",
        11 => "index out of bounds",
        32 => "record too long",
        _ => "unknown fault",
    }
}

/// What a fault's address says, if it says something.
fn detail(fault: &Fault) -> String {
    match fault.fault {
        1 | 2 | 9 | 10 => format!(" (0x{:x})", fault.address),
        // An index.
        11 => format!(" ({})", fault.address as i64),
        _ => String::new(),
    }
}

fn enabling(epid: u32, probe: &Probe) -> String {
    let Probe {
        id,
        provider,
        module,
        function,
        name,
    } = probe;
    format!("error on enabled probe ID {epid} (ID {id}: {provider}:{module}:{function}:{name}): ")
}

/// A fault of a clause. `action` is the action that it happened in (`Clause::action_of`); 0: the
/// predicate.
pub fn fault(fault: &Fault, probe: &Probe, action: u16) -> String {
    let detail = detail(fault);
    let place = match action {
        0 => "predicate".to_owned(),
        action => format!("action #{action}"),
    };
    format!(
        "{}{}{detail} in {place} at DIF offset {}",
        enabling(fault.epid, probe),
        fault_name(fault.fault),
        fault.instruction
    )
}

/// What an action of the tool could not do: an option that cannot be set, a file that cannot
/// be opened.
pub fn library_fault(epid: u32, probe: &Probe, what: &str) -> String {
    enabling(epid, probe) + what
}

/// Why an option was not set by `setopt()`.
pub fn option_not_set(name: &str, value: &str, why: &str) -> String {
    format!("couldn't set option \"{name}\" to \"{value}\": {why}\n")
}

/// What a program or a description enabled: `script 'x.d' matched 2 probes`.
pub fn matched(what: &str, name: &str, probes: usize) -> String {
    let plural = if probes == 1 { "" } else { "s" };
    format!("{what} '{name}' matched {probes} probe{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probe() -> Probe {
        Probe {
            id: 1,
            provider: "dtrace".into(),
            name: "BEGIN".into(),
            ..Probe::default()
        }
    }

    fn of(fault: u32, epid: u32, instruction: u32) -> Fault {
        Fault {
            context: 0,
            time: 0,
            probe: 0,
            cpu: 0,
            pid: 0,
            tid: 0,
            clause: 0,
            fault,
            instruction,
            epid,
            address: 0x40,
        }
    }

    #[test]
    fn drops_as_dtrace_tells_them() {
        // dtrace-utils test/unittest/drops/drp.DTRACEDROP_{PRINCIPAL,AGGREGATION,SPEC,DBLERROR}.r
        assert_eq!(
            Drop::Principal { cpu: 2 }.message(1, false),
            "1 drop on CPU 2"
        );
        assert_eq!(
            Drop::Aggregation { cpu: 0 }.message(4, true),
            "[DTRACEDROP_AGGREGATION] 4 aggregation drops on CPU 0"
        );
        assert_eq!(
            Drop::Speculation.message(1, true),
            "[DTRACEDROP_SPEC] 1 speculative drop"
        );
        assert_eq!(
            Drop::SpeculationUnavailable.message(3, true),
            "[DTRACEDROP_SPECUNAVAIL] 3 failed speculations (no speculative buffer available)"
        );
        assert_eq!(
            Drop::Error.message(1, true),
            "[DTRACEDROP_DBLERROR] 1 error in ERROR probe enabling"
        );
        assert_eq!(Drop::Dynamic.message(2, false), "2 dynamic variable drops");
    }

    #[test]
    fn faults_as_dtrace_tells_them() {
        // dtrace-utils test/unittest/error/tst.error.r, tst.DTRACEFLT_DIVZERO.div.r
        assert_eq!(
            fault(&of(1, 2, 16), &probe(), 1),
            "error on enabled probe ID 2 (ID 1: dtrace:::BEGIN): invalid address (0x40) in action #1 \
             at DIF offset 16"
        );
        assert_eq!(
            fault(&of(4, 3, 3), &probe(), 0),
            "error on enabled probe ID 3 (ID 1: dtrace:::BEGIN): divide-by-zero in predicate \
             at DIF offset 3"
        );
        assert_eq!(fault_name(77), "unknown fault");
    }

    #[test]
    fn options_that_cannot_be_set() {
        // dtrace-utils test/unittest/actions/setopt/tst.badopt.r
        let why = option_not_set("Nixon", "1", "Invalid option name");
        assert_eq!(
            library_fault(2, &probe(), &why),
            "error on enabled probe ID 2 (ID 1: dtrace:::BEGIN): couldn't set option \"Nixon\" to \
             \"1\": Invalid option name\n"
        );
    }
}
