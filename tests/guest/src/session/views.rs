// SPDX-License-Identifier: GPL-2.0-only
//! The commands about what the kernel says of itself.

use rust_tracer::abi;
use zerocopy::FromBytes;

use super::{Answer, Command, Session};

/// A kind of rows, and the view that has them.
pub trait Row: FromBytes + Copy {
    /// `RTRACE_VIEW_*`
    const VIEW: u32;
}

macro_rules! rows {
    ($($row:ident = $view:ident;)*) => {$(
        impl Row for abi::$row {
            const VIEW: u32 = abi::$view;
        }
    )*};
}

rows! {
    rtrace_view_module = RTRACE_VIEW_MODULES;
    rtrace_view_ops = RTRACE_VIEW_OPS;
    rtrace_view_site = RTRACE_VIEW_SITES;
    rtrace_view_kprobe = RTRACE_VIEW_KPROBES;
    rtrace_view_text = RTRACE_VIEW_TEXT;
    rtrace_view_cpu = RTRACE_VIEW_CPUS;
    rtrace_view_tracepoint = RTRACE_VIEW_TRACEPOINTS;
    rtrace_view_task = RTRACE_VIEW_TASKS;
    rtrace_view_self = RTRACE_VIEW_SELF;
    rtrace_view_pointer = RTRACE_VIEW_FILE;
    rtrace_view_text_of = RTRACE_VIEW_SYSCALLS;
    rtrace_view_hook = RTRACE_VIEW_HOOKS;
    rtrace_view_callback = RTRACE_VIEW_CALLBACKS;
}

/// A name as rows have it, up to its NUL.
pub fn name(bytes: &[impl Copy + Into<i16>]) -> String {
    let bytes = bytes.iter().map(|byte| (*byte).into() as u8);
    let bytes: Vec<u8> = bytes.take_while(|byte| *byte != 0).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

impl Session {
    /// One call of `RTRACE_IOC_VIEW`: fills the buffer, and answers what it says.
    pub fn view_once(
        &self,
        view: u32,
        fd: i32,
        cursor: u64,
        buffer: &mut [u8],
    ) -> Answer<abi::rtrace_view> {
        let mut request = abi::rtrace_view {
            view,
            fd,
            cursor,
            buf: buffer.as_mut_ptr() as u64,
            buf_len: buffer.len() as u64,
            ..Default::default()
        }
        .sized();
        self.command(&mut request).map(|()| request)
    }

    /// All rows, by as many calls as a buffer of this size needs.
    pub fn view_by<T: Row>(&self, fd: i32, buffer: usize) -> Answer<Vec<T>> {
        let mut bytes = vec![0u8; buffer];
        let mut rows = Vec::new();
        let mut cursor = 0;
        loop {
            let told = self.view_once(T::VIEW, fd, cursor, &mut bytes)?;
            assert_eq!(told.row_size as usize, size_of::<T>(), "`row_size`");
            assert_eq!(
                told.filled,
                u64::from(told.count) * u64::from(told.row_size),
                "`filled`"
            );
            for row in bytes[..told.filled as usize].chunks_exact(size_of::<T>()) {
                rows.push(T::read_from_bytes(row).expect("as long as a row"));
            }
            cursor = told.cursor;
            if cursor == 0 {
                return Ok(rows);
            }
        }
    }

    /// All rows of a view.
    pub fn view<T: Row>(&self) -> Answer<Vec<T>> {
        self.view_by(0, 1 << 18)
    }

    /// Whose addresses are.
    pub fn owners(&self, addresses: &[u64]) -> Answer<Vec<abi::rtrace_owner>> {
        let none = abi::rtrace_owner {
            address: 0,
            base: 0,
            kind: u32::MAX,
            seen: 0,
            name: [0; abi::RTRACE_OWNER_NAME as usize],
        };
        let mut owners: Vec<_> = addresses
            .iter()
            .map(|address| abi::rtrace_owner {
                address: *address,
                ..none
            })
            .collect();
        let mut request = abi::rtrace_owners {
            buf: owners.as_mut_ptr() as u64,
            count: owners.len() as u32,
            ..Default::default()
        }
        .sized();
        self.command(&mut request).map(|()| owners)
    }

    /// Bytes of executable memory.
    pub fn text(&self, address: u64, bytes: usize) -> Answer<Vec<u8>> {
        let mut text = vec![0u8; bytes];
        let mut request = abi::rtrace_text {
            address,
            buf: text.as_mut_ptr() as u64,
            buf_len: bytes as u64,
            ..Default::default()
        }
        .sized();
        self.command(&mut request).map(|()| text)
    }
}
