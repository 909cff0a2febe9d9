// SPDX-License-Identifier: GPL-2.0-only
//! A session as the ABI has it: one open file, one function per command, no
//! convenience that could hide what the module did.

#![forbid(unsafe_code)]

mod access;
mod programs;
mod views;

use std::fmt;
use std::os::fd::OwnedFd;

use rust_tracer::abi;
use rustix::io::Errno;

use crate::sys::{self, Mapping, Plain, Sys};
use crate::test::{Failure, Outcome, fail};

/// The node that shows everything.
pub const KERNEL: &str = "/dev/rust_tracer/kernel";
/// The node that shows what runs, but no data.
pub const SYSTEM: &str = "/dev/rust_tracer/system";
/// The node that shows the opener's own tasks.
pub const USER: &str = "/dev/rust_tracer/user";
/// The three nodes, in the order of `RTRACE_NODE_*`.
pub const NODES: [&str; 3] = [KERNEL, SYSTEM, USER];

/// A command's structure, with the command's number.
pub trait Command: Plain {
    /// `RTRACE_IOC_*`
    const NUMBER: u64;
    /// The same with `size` as the header wants it.
    fn sized(self) -> Self;
}

macro_rules! commands {
    ($($structure:ident = $number:ident;)*) => {
        /// The numbers of the commands that take a structure: `RTRACE_IOC_*`.
        pub const COMMANDS: &[u64] = &[$(abi::$number as u64),*];
        $(
        impl Command for abi::$structure {
            const NUMBER: u64 = abi::$number as u64;
            fn sized(self) -> Self {
                Self { size: size_of::<Self>() as u32, ..self }
            }
        }
        )*
    };
}

commands! {
    rtrace_info = COMMAND_INFO;
    rtrace_functions = COMMAND_FUNCTIONS;
    rtrace_add = COMMAND_ADD;
    rtrace_probes = COMMAND_PROBES;
    rtrace_config = COMMAND_CONFIG;
    rtrace_target = COMMAND_TARGET;
    rtrace_start = COMMAND_START;
    rtrace_status = COMMAND_STATUS;
    rtrace_ledger = COMMAND_LEDGER;
    rtrace_error = COMMAND_LAST_ERROR;
    rtrace_sessions = COMMAND_SESSIONS;
    rtrace_revoke = COMMAND_REVOKE;
    rtrace_publish = COMMAND_PUBLISH;
    rtrace_observe = COMMAND_OBSERVE;
    rtrace_read = COMMAND_READ;
    rtrace_symbol = COMMAND_SYMBOL;
    rtrace_quota = COMMAND_QUOTA;
    rtrace_program = COMMAND_PROGRAM;
    rtrace_add_own = COMMAND_ADD_OWN;
    rtrace_aggregate = COMMAND_AGGREGATE;
    rtrace_view = COMMAND_VIEW;
    rtrace_owners = COMMAND_OWNERS;
    rtrace_text = COMMAND_TEXT;
}

/// A command that failed, with what the module said about it.
#[derive(Debug)]
pub struct Refused {
    /// What the system call answered.
    pub errno: Errno,
    /// The text of `RTRACE_IOC_LAST_ERROR`.
    pub text: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{} ({})", self.errno, self.text)
    }
}

impl From<Refused> for Failure {
    #[track_caller]
    fn from(refused: Refused) -> Self {
        fail(refused)
    }
}

pub use access::{Listed, READ_MIN};
pub use programs::Aggregated;
pub use views::name;

/// What a command comes to.
pub type Answer<T = ()> = Result<T, Refused>;

/// A function as `RTRACE_IOC_FUNCTIONS` lists it.
#[derive(Clone, Debug)]
pub struct Function {
    /// The fixed part.
    pub head: abi::rtrace_function,
    /// The module's name.
    pub module: String,
    /// The name that matched.
    pub name: String,
    /// Its other names, if they were asked for.
    pub aliases: Vec<String>,
}

/// A probe as `RTRACE_IOC_PROBES` lists it.
#[derive(Clone, Debug)]
pub struct Probe {
    /// The fixed part.
    pub head: abi::rtrace_probe,
    /// The module's name.
    pub module: String,
    /// The function's name.
    pub name: String,
}

/// One open file.
#[derive(Debug)]
pub struct Session {
    /// The file.
    pub fd: OwnedFd,
}

/// `MODULE:FUNCTION`, or `FUNCTION` alone for any module.
fn split(pattern: &str) -> (&str, &str) {
    pattern.split_once(':').unwrap_or(("", pattern))
}

impl Session {
    /// Opens the kernel node to read and write.
    pub fn open() -> Outcome<Self> {
        Self::open_as(KERNEL, libc::O_RDWR).map_err(|errno| fail(format!("{KERNEL}: {errno}")))
    }

    /// Opens a node with these flags.
    pub fn open_as(node: &str, flags: i32) -> Sys<Self> {
        Ok(Self {
            fd: sys::open(node, flags)?,
        })
    }

    /// Any command, with its structure.
    pub fn command<T: Command>(&self, argument: &mut T) -> Answer {
        sys::ioctl(&self.fd, T::NUMBER, argument).map_err(|errno| self.refused(errno))
    }

    fn refused(&self, errno: Errno) -> Refused {
        let text = self.last_error().map_or_else(
            |errno| format!("LAST_ERROR itself: {errno}"),
            |(text, _)| text,
        );
        Refused { errno, text }
    }

    /// The last error's text and errno.
    pub fn last_error(&self) -> Sys<(String, i32)> {
        let mut text = vec![0u8; 1024];
        let mut error = abi::rtrace_error {
            buf: text.as_mut_ptr() as u64,
            buf_len: text.len() as u32,
            ..Default::default()
        }
        .sized();
        sys::ioctl(&self.fd, abi::rtrace_error::NUMBER, &mut error)?;
        text.truncate(error.len as usize);
        Ok((String::from_utf8_lossy(&text).into_owned(), error.error))
    }

    /// `RTRACE_IOC_INFO`
    pub fn info(&self) -> Answer<abi::rtrace_info> {
        let mut info = abi::rtrace_info::default().sized();
        self.command(&mut info).map(|()| info)
    }

    /// `RTRACE_IOC_STATUS`
    pub fn status(&self) -> Answer<abi::rtrace_status> {
        let mut status = abi::rtrace_status::default().sized();
        self.command(&mut status).map(|()| status)
    }

    /// Adds the probes of `MODULE:FUNCTION`, globs allowed.
    pub fn add(&self, pattern: &str, flags: u32) -> Answer<abi::rtrace_add> {
        let (module, function) = split(pattern);
        let mut add = abi::rtrace_add {
            flags,
            module: module.as_ptr() as u64,
            module_len: module.len() as u32,
            function: function.as_ptr() as u64,
            function_len: function.len() as u32,
            ..Default::default()
        }
        .sized();
        self.command(&mut add).map(|()| add)
    }

    /// Adds probes by their ids.
    pub fn add_ids(&self, ids: &[u32]) -> Answer<abi::rtrace_add> {
        let mut add = abi::rtrace_add {
            ids: ids.as_ptr() as u64,
            ids_count: ids.len() as u32,
            ..Default::default()
        }
        .sized();
        self.command(&mut add).map(|()| add)
    }

    /// `RTRACE_IOC_CONFIG`
    pub fn configure(&self, config: abi::rtrace_config) -> Answer<abi::rtrace_config> {
        let mut config = config.sized();
        self.command(&mut config).map(|()| config)
    }

    /// `RTRACE_IOC_TARGET`
    pub fn target(&self, pid: i32) -> Answer {
        self.command(
            &mut abi::rtrace_target {
                pid,
                ..Default::default()
            }
            .sized(),
        )
    }

    /// `RTRACE_IOC_START`
    pub fn start(&self) -> Answer<abi::rtrace_start> {
        let mut start = abi::rtrace_start::default().sized();
        self.command(&mut start).map(|()| start)
    }

    /// `RTRACE_IOC_STOP`
    pub fn stop(&self) -> Answer {
        sys::ioctl_at(&self.fd, abi::COMMAND_STOP, 0).map_err(|errno| self.refused(errno))
    }

    /// Every function that the pattern names, by as many calls as a buffer of this size needs.
    pub fn functions(&self, pattern: &str, flags: u32, buffer: usize) -> Answer<Vec<Function>> {
        let (module, name) = split(pattern);
        let mut bytes = vec![0u8; buffer];
        let mut found = Vec::new();
        let mut cursor = 0;
        loop {
            let mut request = abi::rtrace_functions {
                flags,
                module: module.as_ptr() as u64,
                module_len: module.len() as u32,
                function: name.as_ptr() as u64,
                function_len: name.len() as u32,
                buf: bytes.as_mut_ptr() as u64,
                buf_len: bytes.len() as u64,
                cursor,
                ..Default::default()
            }
            .sized();
            match self.command(&mut request) {
                Err(refused) if refused.errno == Errno::STALE => {
                    found.clear();
                    cursor = 0;
                    continue;
                }
                answer => answer?,
            }
            let filled = &bytes[..request.filled as usize];
            let size = |head: &abi::rtrace_function| head.entry_size;
            each_entry(filled, request.count, size, |head, names| {
                let module_len = head.module_len as usize;
                let name_len = head.name_len as usize;
                let text = |range: std::ops::Range<usize>| {
                    String::from_utf8_lossy(&names[range]).into_owned()
                };
                found.push(Function {
                    head,
                    module: text(0..module_len),
                    name: text(module_len..module_len + name_len),
                    aliases: text(
                        module_len + name_len..module_len + name_len + head.aliases_len as usize,
                    )
                    .split(' ')
                    .filter(|alias| !alias.is_empty())
                    .map(str::to_owned)
                    .collect(),
                });
            });
            cursor = request.cursor;
            if cursor == 0 {
                return Ok(found);
            }
        }
    }

    /// Every probe of the session.
    pub fn probes(&self) -> Answer<Vec<Probe>> {
        let mut bytes = vec![0u8; 1 << 20];
        let mut found = Vec::new();
        loop {
            let mut request = abi::rtrace_probes {
                first: found.len() as u32,
                buf: bytes.as_mut_ptr() as u64,
                buf_len: bytes.len() as u64,
                ..Default::default()
            }
            .sized();
            if found.is_empty() && self.status()?.probes == 0 {
                return Ok(found);
            }
            self.command(&mut request)?;
            let filled = &bytes[..request.filled as usize];
            let size = |head: &abi::rtrace_probe| head.entry_size;
            each_entry(filled, request.count, size, |head, names| {
                let (module, name) = names.split_at(head.module_len as usize);
                found.push(Probe {
                    head,
                    module: String::from_utf8_lossy(module).into_owned(),
                    name: String::from_utf8_lossy(&name[..head.name_len as usize]).into_owned(),
                });
            });
            assert_eq!(
                request.next as usize,
                found.len(),
                "`next` follows the last entry"
            );
            if request.next == request.total {
                return Ok(found);
            }
        }
    }

    /// The ledger's rows.
    pub fn ledger(&self, flags: u32) -> Answer<Vec<abi::rtrace_ledger_row>> {
        const ROWS: usize = 4096;
        let mut rows = vec![abi::rtrace_ledger_row::default(); ROWS];
        let mut found = Vec::new();
        let mut cursor = 0;
        loop {
            let mut request = abi::rtrace_ledger {
                flags,
                buf: rows.as_mut_ptr() as u64,
                buf_len: size_of_val(rows.as_slice()) as u64,
                cursor,
                ..Default::default()
            }
            .sized();
            self.command(&mut request)?;
            found.extend_from_slice(&rows[..request.count as usize]);
            cursor = request.cursor;
            if cursor == 0 {
                return Ok(found);
            }
        }
    }

    /// Maps one area of a CPU's ring as the header says.
    pub fn map(&self, cpu: u32, area: u64, length: usize) -> Sys<Mapping> {
        let protection = match area {
            abi::AREA_CONSUMER => libc::PROT_READ | libc::PROT_WRITE,
            _ => libc::PROT_READ,
        };
        let offset = offset_of_area(cpu, area);
        Mapping::new(&self.fd, length, protection, libc::MAP_SHARED, offset)
    }
}

/// `RTRACE_MMAP_OFFSET`, with `abi::AREA_*` for the area.
pub fn offset_of_area(cpu: u32, area: u64) -> u64 {
    u64::from(cpu) * abi::AREA_CPU + area
}

/// Goes through entries of variable size, `count` of which are all of `bytes`: the fixed part of
/// each, and what follows it. `size`: by its fixed part, how far it is to the next one.
fn each_entry<T: Plain>(
    bytes: &[u8],
    count: u32,
    size: impl Fn(&T) -> u32,
    mut each: impl FnMut(T, &[u8]),
) {
    let mut rest = bytes;
    for _ in 0..count {
        let (head, more) = T::read_from_prefix(rest).expect("the module fills whole entries");
        let size = size(&head) as usize;
        each(head, more);
        rest = &rest[size..];
    }
    assert!(rest.is_empty(), "`filled` is more than `count` entries");
}
