// SPDX-License-Identifier: GPL-2.0-only
//! The three device nodes and what an opened one may be used for.

use std::ffi::CStr;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::abi;

/// A device node of the module. Who may open it is the admin's choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Node {
    /// Everything: all tasks, arguments, return values.
    Kernel,
    /// All tasks, but no data of theirs.
    System,
    /// The opener's own tasks.
    User,
}

impl Node {
    /// All nodes, the most privileged first.
    pub const ALL: [Self; 3] = [Self::Kernel, Self::System, Self::User];

    /// The node's name, which is its file name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kernel => "kernel",
            Self::System => "system",
            Self::User => "user",
        }
    }

    /// The node's path.
    pub fn path(self) -> PathBuf {
        let directory = CStr::from_bytes_with_nul(abi::RTRACE_NODE_DIR)
            .ok()
            .and_then(|directory| directory.to_str().ok())
            .unwrap_or_default();
        PathBuf::from(directory).join(self.name())
    }

    /// The node of an `RTRACE_NODE_*`.
    pub fn from_abi(number: u32) -> Option<Self> {
        match number {
            abi::RTRACE_NODE_KERNEL => Some(Self::Kernel),
            abi::RTRACE_NODE_SYSTEM => Some(Self::System),
            abi::RTRACE_NODE_USER => Some(Self::User),
            _ => None,
        }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Node {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|node| node.name() == name)
            .ok_or_else(|| format!("no node is called '{name}': use kernel, system or user"))
    }
}

/// What a session is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Listing and statistics; needs read permission.
    Observe,
    /// The ordinary session: arm and read; needs read and write permission.
    Trace,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_have_names_and_paths() {
        assert_eq!(
            Node::Kernel.path().to_str(),
            Some("/dev/rust_tracer/kernel")
        );
        assert_eq!("system".parse(), Ok(Node::System));
        assert!("root".parse::<Node>().is_err());
    }
}
