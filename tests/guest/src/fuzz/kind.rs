// SPDX-License-Identifier: GPL-2.0-only
//! The kinds of operations, by which a run is counted.

#![forbid(unsafe_code)]

macro_rules! kinds {
    ($($kind:ident $name:literal $refusable:literal,)*) => {
        /// A kind of operation.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Kind {
            $(#[doc = $name] $kind,)*
        }

        impl Kind {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$kind,)*];
            /// How many there are.
            pub const COUNT: usize = Self::ALL.len();

            /// What it is called.
            pub fn name(self) -> &'static str {
                match self { $(Self::$kind => $name,)* }
            }

            /// Whether a run must have seen both that it works and that it is refused.
            pub fn must_do_both(self) -> bool {
                match self { $(Self::$kind => $refusable,)* }
            }
        }
    };
}

kinds! {
    Info "INFO" true,
    Functions "FUNCTIONS" true,
    Add "ADD" true,
    Probes "PROBES" true,
    Config "CONFIG" true,
    Target "TARGET" true,
    Start "START" true,
    Stop "STOP" true,
    Status "STATUS" true,
    Ledger "LEDGER" true,
    LastError "LAST_ERROR" true,
    Sessions "SESSIONS" true,
    Revoke "REVOKE" true,
    Publish "PUBLISH" true,
    Observe "OBSERVE" true,
    Read "READ" true,
    Symbol "SYMBOL" true,
    Quota "QUOTA" true,
    Program "PROGRAM" true,
    AddOwn "ADD_OWN" true,
    Aggregate "AGGREGATE" false,
    View "VIEW" true,
    Owners "OWNERS" true,
    Text "TEXT" true,
    Unknown "unknown ioctl" false,
    Open "open" true,
    Close "close" false,
    Dup "dup" false,
    Poll "poll" false,
    Io "read, write" false,
    Fire "fire" false,
    Mmap "mmap" true,
    Munmap "munmap" true,
    Mremap "mremap" true,
    Mprotect "mprotect" true,
    Madvise "madvise" true,
    Mlock "mlock" true,
    Touch "touch" true,
    Fault "userfault" false,
    Rewrite "rewrite" false,
    Pass "pass" false,
    Receive "receive" false,
    Fork "fork" false,
    Exec "exec" false,
}

impl Kind {
    /// Its place in [`ALL`](Self::ALL).
    pub fn number(self) -> usize {
        self as usize
    }

    /// The kind of that number.
    pub fn of(number: usize) -> Option<Self> {
        Self::ALL.get(number).copied()
    }
}
