// SPDX-License-Identifier: GPL-2.0-only
//! The module's files ask for the machine as the kernel's configuration says it.

fn main() {
    println!("cargo::rustc-check-cfg=cfg(CONFIG_X86_64)");
    println!("cargo::rustc-cfg=CONFIG_X86_64");
}
