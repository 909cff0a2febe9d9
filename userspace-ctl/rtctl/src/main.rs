// SPDX-License-Identifier: GPL-2.0-only
//! rtctl: trace the kernel with DTrace's habits.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    rtctl::tool::main(std::env::args_os())
}
