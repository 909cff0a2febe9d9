// SPDX-License-Identifier: GPL-2.0-only
//! Generates the ABI types from the one header that both sides share.

use std::env;
use std::path::PathBuf;

use bindgen::callbacks::{DeriveInfo, ParseCallbacks, TypeKind};

/// The commands of the header. Their numbers are made by a macro over `sizeof`,
/// so the compiler is asked for them rather than bindgen's macro evaluator.
const COMMANDS: [&str; 24] = [
    "INFO",
    "FUNCTIONS",
    "ADD",
    "PROBES",
    "CONFIG",
    "TARGET",
    "START",
    "STOP",
    "STATUS",
    "LEDGER",
    "LAST_ERROR",
    "SESSIONS",
    "REVOKE",
    "PUBLISH",
    "OBSERVE",
    "READ",
    "SYMBOL",
    "QUOTA",
    "PROGRAM",
    "ADD_OWN",
    "AGGREGATE",
    "VIEW",
    "OWNERS",
    "TEXT",
];

/// Makes every structure convertible to and from bytes without `unsafe`; the
/// derive of `IntoBytes` refuses a structure with implicit padding.
#[derive(Debug)]
struct Bytes;

impl ParseCallbacks for Bytes {
    fn add_derives(&self, info: &DeriveInfo<'_>) -> Vec<String> {
        if info.kind != TypeKind::Struct {
            return Vec::new();
        }
        ["FromBytes", "IntoBytes", "Immutable", "KnownLayout"]
            .map(|name| format!("zerocopy::{name}"))
            .into()
    }
}

fn main() {
    let here = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("set by cargo"));
    let header = here.join("../../include/uapi/rust_tracer.h");
    println!("cargo::rerun-if-changed={}", header.display());
    for part in ["rust_tracer_program.h", "rust_tracer_views.h"] {
        println!(
            "cargo::rerun-if-changed={}",
            header.with_file_name(part).display()
        );
    }

    let mut source = format!("#include \"{}\"\n", header.display());
    for name in COMMANDS {
        source += &format!("static const unsigned long COMMAND_{name} = RTRACE_IOC_{name};\n");
    }
    for name in ["STATUS", "CONSUMER", "DATA"] {
        source += &format!(
            "static const unsigned long long AREA_{name} = RTRACE_MMAP_OFFSET(0, RTRACE_AREA_{name});\n"
        );
    }
    source += "static const unsigned long long AREA_CPU = RTRACE_MMAP_OFFSET(1, 0);\n";

    let out = PathBuf::from(env::var("OUT_DIR").expect("set by cargo")).join("abi.rs");
    bindgen::Builder::default()
        .header_contents("abi.h", &source)
        .allowlist_type("rtrace_.*")
        .allowlist_var("(RTRACE|COMMAND|AREA)_.*")
        .parse_callbacks(Box::new(Bytes))
        .derive_default(true)
        // They have arrays that are too long for a derived one.
        .no_default("rtrace_owner|rtrace_stack|rtrace_view_.*")
        .derive_eq(true)
        .layout_tests(true)
        .use_core()
        .generate()
        .unwrap_or_else(|error| panic!("bindgen on {}: {error}", header.display()))
        .write_to_file(&out)
        .unwrap_or_else(|error| panic!("{}: {error}", out.display()));
}
