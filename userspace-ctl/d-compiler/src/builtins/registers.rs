// SPDX-License-Identifier: GPL-2.0-only
//! What `uregs[]` is indexed by: the registers of user code on x86-64, as the library regs.d of
//! Oracle's DTrace names them.
#![forbid(unsafe_code)]

use rust_tracer::abi;

/// `RTRACE_UREG_*` of a name.
pub fn number(name: &str) -> Option<u32> {
    let known = REGISTERS.iter().find(|(known, _)| *known == name);
    known.map(|(_, number)| *number)
}

/// The name of a register, `RTRACE_UREG_*`.
pub fn name(number: u32) -> Option<&'static str> {
    let known = REGISTERS.iter().find(|(_, known)| *known == number);
    known.map(|(name, _)| *name)
}

/// The registers' own names come first, then others for the same ones.
static REGISTERS: &[(&str, u32)] = &[
    ("R_R15", abi::RTRACE_UREG_R15),
    ("R_R14", abi::RTRACE_UREG_R14),
    ("R_R13", abi::RTRACE_UREG_R13),
    ("R_R12", abi::RTRACE_UREG_R12),
    ("R_RBP", abi::RTRACE_UREG_RBP),
    ("R_RBX", abi::RTRACE_UREG_RBX),
    ("R_R11", abi::RTRACE_UREG_R11),
    ("R_R10", abi::RTRACE_UREG_R10),
    ("R_R9", abi::RTRACE_UREG_R9),
    ("R_R8", abi::RTRACE_UREG_R8),
    ("R_RAX", abi::RTRACE_UREG_RAX),
    ("R_RCX", abi::RTRACE_UREG_RCX),
    ("R_RDX", abi::RTRACE_UREG_RDX),
    ("R_RSI", abi::RTRACE_UREG_RSI),
    ("R_RDI", abi::RTRACE_UREG_RDI),
    ("R_ERR", abi::RTRACE_UREG_ERR),
    ("R_RIP", abi::RTRACE_UREG_RIP),
    ("R_CS", abi::RTRACE_UREG_CS),
    ("R_RFL", abi::RTRACE_UREG_RFL),
    ("R_RSP", abi::RTRACE_UREG_RSP),
    ("R_SS", abi::RTRACE_UREG_SS),
    ("R_DS", abi::RTRACE_UREG_DS),
    ("R_ES", abi::RTRACE_UREG_ES),
    ("R_FS", abi::RTRACE_UREG_FS),
    ("R_GS", abi::RTRACE_UREG_GS),
    ("R_TRAPNO", abi::RTRACE_UREG_TRAPNO),
    ("R_EBX", abi::RTRACE_UREG_RBX),
    ("R_ECX", abi::RTRACE_UREG_RCX),
    ("R_EDX", abi::RTRACE_UREG_RDX),
    ("R_ESI", abi::RTRACE_UREG_RSI),
    ("R_EDI", abi::RTRACE_UREG_RDI),
    ("R_EBP", abi::RTRACE_UREG_RBP),
    ("R_EAX", abi::RTRACE_UREG_RAX),
    ("R_EIP", abi::RTRACE_UREG_RIP),
    ("R_EFL", abi::RTRACE_UREG_RFL),
    ("R_ESP", abi::RTRACE_UREG_RSP),
    ("R_PC", abi::RTRACE_UREG_RIP),
    ("R_FP", abi::RTRACE_UREG_RBP),
    ("R_SP", abi::RTRACE_UREG_RSP),
    ("R_PS", abi::RTRACE_UREG_RFL),
    ("R_R0", abi::RTRACE_UREG_RAX),
    ("R_R1", abi::RTRACE_UREG_RBX),
];
