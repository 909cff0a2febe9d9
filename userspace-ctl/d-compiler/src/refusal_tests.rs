// SPDX-License-Identifier: GPL-2.0-only
//! What is refused, each with its tag. The tags are libdtrace's; most programs stand for one of
//! the tests err.D_*.d of dtrace-utils.

use crate::compile_tests::build;

/// Each of these programs is refused with the tag.
fn refused(cases: &[(&str, &str)]) {
    let mut wrong = Vec::new();
    for (tag, text) in cases {
        match build(text) {
            Ok(_) => wrong.push(format!("{tag}: {text}: was taken")),
            Err(error) if error.tag != *tag => wrong.push(format!("{tag}: {text}: {error}")),
            Err(error) => assert!(!error.message.is_empty(), "{text}"),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn names() {
    refused(&[
        ("D_IDENT_UNDEF", "BEGIN { trace(x); }"),
        ("D_IDENT_UNDEF", "BEGIN /x/ { trace(1); }"),
        ("D_IDENT_UNDEF", "BEGIN { trace(`no_such_symbol); }"),
        ("D_IDENT_UNDEF", "BEGIN { @a; }"),
        ("D_IDENT_UNDEF", "BEGIN { printa(@a); }"),
        ("D_IDENT_BADREF", "BEGIN { trace(self); }"),
        ("D_VAR_UNDEF", "BEGIN { trace(self->x); }"),
        ("D_VAR_UNDEF", "BEGIN { trace(this->x); }"),
        ("D_VAR_UNDEF", "BEGIN { trace(x[1]); }"),
        ("D_VAR_UNDEF", "BEGIN { x += 1; }"),
        ("D_VAR_UNDEF", "BEGIN { trace(self->x + 1); }"),
        ("D_IDENT_UNDEF", "BEGIN { trace(!x); }"),
        ("D_DEREF_NONPTR", "BEGIN { trace(*self->x); }"),
        ("D_ADDROF_VAR", "BEGIN { trace(&this->x); }"),
        (
            "D_OP_INCOMPAT",
            "BEGIN /!self->x/ { } BEGIN { self->x = \"a\"; }",
        ),
        ("D_IDENT_UNDEF", "BEGIN { trace(uregs[R_NONE]); }"),
        ("D_PROTO_ARG", "BEGIN { i = R_SP; trace(uregs[i]); }"),
        ("D_PROTO_ARG", "BEGIN { trace(uregs[\"R_SP\"]); }"),
        ("D_PROTO_LEN", "BEGIN { trace(uregs[R_SP, R_PC]); }"),
        ("D_REGS_IDX", "BEGIN { trace(uregs[-1]); }"),
        ("D_UNKNOWN", "BEGIN { trace(uregs[R_TRAPNO + 1]); }"),
        ("D_OP_WRITE", "BEGIN { uregs[R_SP] = 1; }"),
        ("D_IDENT_BADREF", "BEGIN { trace(uregs); }"),
        ("D_IDENT_BADREF", "BEGIN { x[1] = 1; trace(x); }"),
        ("D_IDENT_BADREF", "BEGIN { trace(trace); }"),
        ("D_IDENT_BADREF", "fbt::vfs_read:entry { trace(args); }"),
    ]);
}

#[test]
fn functions() {
    refused(&[
        ("D_FUNC_UNDEF", "BEGIN { nothing(); }"),
        ("D_FUNC_UNDEF", "BEGIN { @a = nothing(); }"),
        ("D_FUNC_UNDEF", "BEGIN { trace(msgsize(0)); }"),
        ("D_FUNC_IDKIND", "BEGIN { pid(); }"),
        ("D_PROTO_LEN", "BEGIN { trace(); }"),
        ("D_PROTO_LEN", "BEGIN { trace(1, 2); }"),
        ("D_PROTO_LEN", "BEGIN { exit(); }"),
        ("D_PROTO_LEN", "BEGIN { exit(1, 2); }"),
        ("D_PROTO_LEN", "BEGIN { trace(strlen()); }"),
        ("D_PROTO_LEN", "BEGIN { trace(strlen(\"a\", \"b\")); }"),
        ("D_PROTO_LEN", "BEGIN { trace(substr(\"a\")); }"),
        ("D_PROTO_LEN", "BEGIN { setopt(); }"),
        ("D_PROTO_LEN", "BEGIN { speculate(); }"),
        ("D_PROTO_LEN", "BEGIN { printf(); }"),
        ("D_PROTO_LEN", "BEGIN { trace(alloca()); }"),
        ("D_PROTO_ARG", "BEGIN { exit(\"a\"); }"),
        ("D_PROTO_ARG", "BEGIN { trace(strlen(1)); }"),
        ("D_PROTO_ARG", "BEGIN { trace(copyinstr(\"a\")); }"),
        ("D_PROTO_ARG", "BEGIN { trace(progenyof(\"a\")); }"),
        ("D_PROTO_ARG", "BEGIN { setopt(1); }"),
        ("D_PROTO_ARG", "BEGIN { chill(\"a\"); }"),
        ("D_PROTO_ARG", "BEGIN { raise(\"a\"); }"),
        ("D_PROTO_ARG", "BEGIN { copyinto(arg0, 1, \"\"); }"),
        ("D_PROTO_ARG", "BEGIN { bcopy(\"a\", \"b\", 1); }"),
        ("D_ALLOCA_SIZE", "BEGIN { trace(alloca(20000)); }"),
        ("D_ACT_DESTRUCTIVE", "BEGIN { stop(); }"),
        ("D_ACT_DESTRUCTIVE", "BEGIN { panic(); }"),
        ("D_ACT_DESTRUCTIVE", "BEGIN { system(\"date\"); }"),
        ("D_ACT_DESTRUCTIVE", "BEGIN { copyoutstr(\"a\", arg0, 1); }"),
        ("D_CG_EXPR", "BEGIN { x = 1; avg(1); }"),
        ("D_OP_INCOMPAT", "BEGIN { x = count(); }"),
        ("D_OP_INCOMPAT", "BEGIN { x = trace(1); }"),
        ("D_OP_ACT", "BEGIN { pid ? trace(1) : trace(2); }"),
        ("D_OP_ACT", "BEGIN { trace(1), trace(2); }"),
        ("D_OP_INCOMPAT", "BEGIN { pid ? trace(1) : 2; }"),
        ("D_OP_DYN", "BEGIN { @a = count(); pid ? trace(1) : @a; }"),
        ("D_OP_DYN", "BEGIN { @a = count(); trace(1), @a; }"),
        ("D_OP_SCALAR", "BEGIN { pid && trace(1); }"),
    ]);
}

#[test]
fn operators() {
    refused(&[
        ("D_OP_ARITH", "BEGIN { trace(\"a\" * 2); }"),
        ("D_OP_ARITH", "BEGIN { trace(-\"a\"); }"),
        ("D_OP_ARITH", "BEGIN { x = 1; x *= \"a\"; }"),
        ("D_OP_INT", "BEGIN { trace(\"a\" % 2); }"),
        ("D_OP_INT", "BEGIN { trace(\"a\" << 2); }"),
        ("D_OP_INT", "BEGIN { trace(~\"a\"); }"),
        ("D_OP_INT", "BEGIN { trace(\"a\" | 1); }"),
        ("D_OP_INT", "BEGIN { x = 1; x |= \"a\"; }"),
        ("D_OP_SCALAR", "BEGIN { trace(!\"a\"); }"),
        ("D_OP_SCALAR", "BEGIN { trace(\"a\" && 1); }"),
        ("D_OP_SCALAR", "BEGIN { trace(\"a\" ? 1 : 2); }"),
        ("D_OP_SCALAR", "BEGIN { x = \"a\"; x++; }"),
        ("D_OP_INCOMPAT", "BEGIN { trace(\"a\" == 1); }"),
        ("D_OP_INCOMPAT", "BEGIN { trace(\"a\" - \"b\" + \"c\"); }"),
        ("D_OP_INCOMPAT", "BEGIN { x = 1; x = \"a\"; }"),
        ("D_OP_INCOMPAT", "BEGIN { x = \"a\"; x = 1; }"),
        ("D_OP_INCOMPAT", "BEGIN { x = \"a\"; x += \"b\"; }"),
        ("D_OP_INCOMPAT", "BEGIN { trace(pid ? 1 : \"a\"); }"),
        ("D_IDENT_UNDEF", "BEGIN { trace(1 ? x : 2); }"),
        ("D_DIV_ZERO", "BEGIN { trace(x / 0); }"),
        ("D_DIV_ZERO", "BEGIN { trace(\"a\" % 0); }"),
        ("D_DIV_ZERO", "BEGIN { x /= 1 - 1; }"),
        ("D_OP_LVAL", "BEGIN { 1 = 2; }"),
        ("D_OP_LVAL", "BEGIN { 1++; }"),
        ("D_OP_LVAL", "BEGIN { (pid + 1) = 2; }"),
        ("D_OP_LVAL", "BEGIN { &*(int *)arg0 = (char *)1; }"),
        ("D_OP_WRITE", "BEGIN { pid = 1; }"),
        ("D_OP_LVAL", "inline int i = 1; BEGIN { i = 2; }"),
        ("D_OP_WRITE", "inline int i = pid; BEGIN { i = 2; }"),
        (
            "D_OP_WRITE",
            "inline string s = \"a\"; BEGIN { s = \"b\"; }",
        ),
        ("D_OP_WRITE", "int x; inline int i = x + 1; BEGIN { i++; }"),
        ("D_OP_WRITE", "BEGIN { timestamp++; }"),
        ("D_OP_WRITE", "BEGIN { execname = \"a\"; }"),
        ("D_OP_WRITE", "BEGIN { execname[0] = 'a'; }"),
        ("D_OP_VFPTR", "BEGIN { x = (void *)1; x++; }"),
        ("D_OP_PTR", "BEGIN { trace(pid->a); }"),
        ("D_OP_SOU", "BEGIN { trace(pid.a); }"),
        ("D_OP_SOU", "BEGIN { x = (int *)1; trace(x->a); }"),
        ("D_OP_ARRFUN", "int a[3]; int b[3]; BEGIN { a = b; }"),
        (
            "D_TYPE_MEMBER",
            "struct s { int a; }; struct s v; BEGIN { trace(v.b); }",
        ),
        ("D_DEREF_NONPTR", "BEGIN { trace(*pid); }"),
        ("D_DEREF_VOID", "BEGIN { trace(*(void *)arg0); }"),
        ("D_ADDROF_VAR", "BEGIN { x = 1; y = &x; }"),
        ("D_ADDROF_LVAL", "BEGIN { y = &1; }"),
        ("D_DIV_ZERO", "BEGIN { trace(1 / 0); }"),
        ("D_DIV_ZERO", "BEGIN { trace(pid % 0); }"),
        ("D_DIV_ZERO", "BEGIN { x = 1; x /= 0; }"),
        (
            "D_CAST_INVAL",
            "struct s { int a; }; BEGIN { trace((struct s)pid); }",
        ),
        (
            "D_STRINGOF_TYPE",
            "struct s { int a; }; struct s v; BEGIN { trace(stringof(v)); }",
        ),
        ("D_SIZEOF_TYPE", "BEGIN { trace(sizeof (void)); }"),
        (
            "D_SIZEOF_BITFIELD",
            "struct s { int a : 3; }; struct s v; BEGIN { trace(sizeof (v.a)); }",
        ),
        ("D_OFFSETOF_TYPE", "BEGIN { trace(offsetof(int, a)); }"),
        (
            "D_OFFSETOF_BITFIELD",
            "struct s { int a : 3; }; BEGIN { trace(offsetof(struct s, a)); }",
        ),
        (
            "D_UNKNOWN",
            "struct s { int a; }; BEGIN { trace(offsetof(struct s, b)); }",
        ),
        (
            "D_XLATE_NONE",
            "struct s { int a; }; BEGIN { trace(xlate <struct s> (pid)); }",
        ),
        ("D_PRED_SCALAR", "BEGIN /\"a\"/ { trace(1); }"),
        ("D_ARR_BOUNDS", "int a[3]; BEGIN { trace(a[3]); }"),
        ("D_ARR_BADREF", "int a[3]; BEGIN { trace(a[1, 2]); }"),
        ("D_ARR_LOCAL", "BEGIN { this->x[1] = 1; }"),
    ]);
}

#[test]
fn arrays() {
    refused(&[
        ("D_PROTO_LEN", "BEGIN { x[1] = 1; x[1, 2] = 1; }"),
        ("D_PROTO_ARG", "BEGIN { x[1] = 1; x[\"a\"] = 1; }"),
        ("D_PROTO_ARG", "int x[string]; BEGIN { x[1] = 1; }"),
        ("D_KEY_TYPE", "BEGIN { @a = count(); x[@a] = 1; }"),
        (
            "D_OP_INCOMPAT",
            "int x[string]; BEGIN { x[\"a\"] = \"b\"; }",
        ),
    ]);
}

#[test]
fn aggregations() {
    refused(&[
        ("D_AGG_FUNC", "BEGIN { @a = 1; }"),
        ("D_AGG_FUNC", "BEGIN { @a = strlen(\"a\"); }"),
        ("D_AGG_FUNC", "BEGIN { @a = trace(1); }"),
        ("D_AGG_FUNC", "BEGIN { @a = @a; }"),
        ("D_IDENT_UNDEF", "BEGIN { @a = x; }"),
        ("D_OP_LVAL", "BEGIN { (@a = count()) = count(); }"),
        ("D_PROTO_LEN", "BEGIN { @a = count(); @a = sum(); }"),
        ("D_AGG_NULL", "BEGIN { @a[1]; }"),
        ("D_AGG_NULL", "BEGIN { @a = count(); @a; }"),
        ("D_AGG_REDEF", "BEGIN { @a = count(); @a = sum(1); }"),
        ("D_AGG_SCALAR", "BEGIN { @a = sum(execname); }"),
        ("D_AGG_SCALAR", "BEGIN { @a = quantize(execname); }"),
        ("D_PROTO_LEN", "BEGIN { @a = sum(); }"),
        ("D_PROTO_LEN", "BEGIN { @a = count(1); }"),
        (
            "D_PROTO_LEN",
            "BEGIN { @a[1] = count(); @a[1, 2] = count(); }",
        ),
        (
            "D_PROTO_ARG",
            "BEGIN { @a[1] = count(); @a[\"a\"] = count(); }",
        ),
        (
            "D_PROTO_ARG",
            "BEGIN { @a[stack()] = count(); @a[1] = count(); }",
        ),
        ("D_PROTO_ARG", "BEGIN { @a = quantize(pid, \"a\"); }"),
        ("D_KEY_TYPE", "BEGIN { @a = count(); @b[@a] = count(); }"),
        ("D_KEY_TYPE", "BEGIN { @b[trace(1)] = count(); }"),
        (
            "D_LQUANT_BASETYPE",
            "BEGIN { @a = lquantize(pid, pid, 10); }",
        ),
        (
            "D_LQUANT_BASEVAL",
            "BEGIN { @a = lquantize(pid, 4294967296, 10); }",
        ),
        ("D_LQUANT_LIMTYPE", "BEGIN { @a = lquantize(pid, 0, pid); }"),
        (
            "D_LQUANT_LIMVAL",
            "BEGIN { @a = lquantize(pid, 0, 4294967296); }",
        ),
        ("D_LQUANT_MISMATCH", "BEGIN { @a = lquantize(pid, 10, 0); }"),
        (
            "D_LQUANT_STEPTYPE",
            "BEGIN { @a = lquantize(pid, 0, 10, 0); }",
        ),
        (
            "D_LQUANT_STEPVAL",
            "BEGIN { @a = lquantize(pid, 0, 1000000, 65536); }",
        ),
        (
            "D_LQUANT_STEPLARGE",
            "BEGIN { @a = lquantize(pid, 0, 10, 20); }",
        ),
        (
            "D_LQUANT_STEPSMALL",
            "BEGIN { @a = lquantize(pid, 0, 100000, 1); }",
        ),
        (
            "D_LQUANT_MATCHBASE",
            "BEGIN { @a = lquantize(pid, 0, 10); @a = lquantize(pid, 1, 10); }",
        ),
        (
            "D_LQUANT_MATCHLIM",
            "BEGIN { @a = lquantize(pid, 0, 10); @a = lquantize(pid, 0, 11); }",
        ),
        (
            "D_LQUANT_MATCHSTEP",
            "BEGIN { @a = lquantize(pid, 0, 10); @a = lquantize(pid, 0, 10, 2); }",
        ),
        ("D_PROTO_LEN", "BEGIN { @a = lquantize(pid, 0); }"),
        (
            "D_PROTO_LEN",
            "BEGIN { @a = lquantize(pid, 0, 10, 1, 1, 1); }",
        ),
        (
            "D_LLQUANT_FACTORTYPE",
            "BEGIN { @a = llquantize(pid, pid, 0, 6, 10); }",
        ),
        (
            "D_LLQUANT_FACTORVAL",
            "BEGIN { @a = llquantize(pid, 1, 0, 6, 10); }",
        ),
        (
            "D_LLQUANT_LMAGTYPE",
            "BEGIN { @a = llquantize(pid, 10, pid, 6, 10); }",
        ),
        (
            "D_LLQUANT_LMAGVAL",
            "BEGIN { @a = llquantize(pid, 10, -1, 6, 10); }",
        ),
        (
            "D_LLQUANT_HMAGTYPE",
            "BEGIN { @a = llquantize(pid, 10, 0, pid, 10); }",
        ),
        (
            "D_LLQUANT_HMAGVAL",
            "BEGIN { @a = llquantize(pid, 10, 6, 0, 10); }",
        ),
        (
            "D_LLQUANT_HMAGVAL",
            "BEGIN { @a = llquantize(pid, 10, 0, 20, 10); }",
        ),
        (
            "D_LLQUANT_STEPTYPE",
            "BEGIN { @a = llquantize(pid, 10, 0, 6, pid); }",
        ),
        (
            "D_LLQUANT_STEPTYPE",
            "BEGIN { @a = llquantize(pid, 10, 0, 6, 0); }",
        ),
        (
            "D_LLQUANT_STEPVAL",
            "BEGIN { @a = llquantize(pid, 10, 0, 6, 7); }",
        ),
        (
            "D_LLQUANT_STEPVAL",
            "BEGIN { @a = llquantize(pid, 10, 0, 6, 30); }",
        ),
        (
            "D_LLQUANT_MATCHFACTOR",
            "BEGIN { @a = llquantize(pid, 10, 0, 6, 10); @a = llquantize(pid, 20, 0, 6, 20); }",
        ),
        (
            "D_LLQUANT_MATCHLMAG",
            "BEGIN { @a = llquantize(pid, 10, 0, 6, 10); @a = llquantize(pid, 10, 1, 6, 10); }",
        ),
        (
            "D_LLQUANT_MATCHHMAG",
            "BEGIN { @a = llquantize(pid, 10, 0, 6, 10); @a = llquantize(pid, 10, 0, 7, 10); }",
        ),
        (
            "D_LLQUANT_MATCHSTEPS",
            "BEGIN { @a = llquantize(pid, 10, 0, 6, 10); @a = llquantize(pid, 10, 0, 6, 20); }",
        ),
        ("D_CLEAR_AGGARG", "BEGIN { clear(1); }"),
        ("D_CLEAR_AGGBAD", "BEGIN { clear(@a[1]); }"),
        ("D_TRUNC_AGGARG", "BEGIN { trunc(1); }"),
        (
            "D_PROTO_ARG",
            "BEGIN { @a = count(); trunc(@a, execname); }",
        ),
        ("D_PROTO_ARG", "BEGIN { @a = count(); trunc(@a, @a); }"),
        ("D_NORMALIZE_AGGARG", "BEGIN { normalize(1, 2); }"),
        ("D_PROTO_LEN", "BEGIN { @a = count(); normalize(@a); }"),
        (
            "D_PROTO_ARG",
            "BEGIN { @a = count(); normalize(@a, execname); }",
        ),
        ("D_PRINTA_PROTO", "BEGIN { printa(\"a\"); }"),
        ("D_PRINTA_AGGARG", "BEGIN { printa(1); }"),
        (
            "D_PRINTA_AGGARG",
            "BEGIN { @a = count(); printa(\"%@d\", @a, 1); }",
        ),
        ("D_PRINTA_AGGBAD", "BEGIN { printa(@a[1]); }"),
        (
            "D_PRINTA_AGGKEY",
            "BEGIN { @a = count(); @b[1] = count(); printa(@a, @b); }",
        ),
        (
            "D_PRINTA_AGGPROTO",
            "BEGIN { @a[execname] = count(); @b[1] = count(); printa(@a, @b); }",
        ),
        (
            "D_PRINTF_ARG_PROTO",
            "BEGIN { @a = count(); printa(\"%d\", @a); }",
        ),
        (
            "D_PRINTF_ARG_TYPE",
            "BEGIN { @a[execname] = count(); printa(\"%d %@d\", @a); }",
        ),
        ("D_AGG_MDIM", "BEGIN { @a[1][2] = count(); }"),
    ]);
}

#[test]
fn formats() {
    refused(&[
        ("D_PRINTF_FMT_EMPTY", "BEGIN { printf(\"\"); }"),
        ("D_PRINTF_ARG_FMT", "BEGIN { printf(execname); }"),
        ("D_PROTO_ARG", "BEGIN { printf(1); }"),
        ("D_PROTO_ARG", "BEGIN { printf(curcpu); }"),
        ("D_PRINTF_ARG_FMT", "char a[4]; BEGIN { printf(a); }"),
        ("D_PRINTF_ARG_FMT", "BEGIN { freopen(1); }"),
        ("D_PRINTF_ARG_PROTO", "BEGIN { printf(\"%*5d\", 1); }"),
        ("D_SYNTAX", "BEGIN { printf(\"%*5*d\", 1, 2); }"),
        ("D_PRINTF_ARG_PROTO", "BEGIN { printf(\"%d\"); }"),
        ("D_PRINTF_ARG_PROTO", "BEGIN { printf(\"%d %d\", 1); }"),
        ("D_PRINTF_ARG_PROTO", "BEGIN { printf(\"%*d\", 1); }"),
        ("D_PRINTF_ARG_EXTRA", "BEGIN { printf(\"a\", 1); }"),
        ("D_PRINTF_ARG_TYPE", "BEGIN { printf(\"%d\", execname); }"),
        ("D_PRINTF_ARG_TYPE", "BEGIN { printf(\"%s\", pid); }"),
        (
            "D_PRINTF_ARG_TYPE",
            "BEGIN { @a = count(); printf(\"%d\", @a); }",
        ),
        ("D_PRINTF_ARG_TYPE", "BEGIN { printf(\"%s\", sym(arg0)); }"),
        ("D_PRINTF_ARG_TYPE", "BEGIN { printf(\"%s\", umod(arg0)); }"),
        ("D_PRINTF_ARG_TYPE", "BEGIN { printf(\"%A\", func(arg0)); }"),
        (
            "D_PRINTF_ARG_TYPE",
            "BEGIN { @a[mod(arg0)] = count(); printa(\"%s\", @a); }",
        ),
        ("D_PRINTF_ARG_TYPE", "BEGIN { printf(\"%c\", timestamp); }"),
        ("D_PRINTF_ARG_TYPE", "BEGIN { printf(\"%Y\", pid); }"),
        ("D_PRINTF_DYN_PROTO", "BEGIN { printf(\"%*d\"); }"),
        (
            "D_PRINTF_DYN_TYPE",
            "BEGIN { printf(\"%*d\", execname, 1); }",
        ),
        ("D_PRINTF_AGG_CONV", "BEGIN { printf(\"%@d\", 1); }"),
        ("D_SYNTAX", "BEGIN { printf(\"%\"); }"),
        ("D_SYNTAX", "BEGIN { printf(\"%q\", 1); }"),
        ("D_FREOPEN_INVALID", "BEGIN { freopen(\".\"); }"),
    ]);
}

#[test]
fn actions() {
    refused(&[
        (
            "D_TRACE_VOID",
            "BEGIN { trace(bcopy(alloca(1), alloca(1), 1)); }",
        ),
        ("D_TRACE_DYN", "BEGIN { @a = count(); trace(@a); }"),
        (
            "D_TRACEMEM_ADDR",
            "struct s { int a; }; struct s v; BEGIN { tracemem(v, 1); }",
        ),
        ("D_TRACEMEM_SIZE", "BEGIN { tracemem(arg0, pid); }"),
        ("D_TRACEMEM_SIZE", "BEGIN { tracemem(arg0, 0); }"),
        ("D_STACK_SIZE", "BEGIN { stack(0); }"),
        ("D_STACK_SIZE", "BEGIN { stack(pid); }"),
        ("D_PROTO_ARG", "BEGIN { stack(execname); }"),
        ("D_PROTO_ARG", "BEGIN { printf(\"%k\", stack(\"a\")); }"),
        ("D_PROTO_LEN", "BEGIN { stack(1, 2); }"),
        ("D_USTACK_FRAMES", "BEGIN { ustack(pid); }"),
        ("D_PROTO_ARG", "BEGIN { ustack(1, \"a\"); }"),
        ("D_USTACK_STRSIZE", "BEGIN { ustack(1, -1); }"),
        ("D_PROTO_LEN", "BEGIN { ustack(1, 2, 3); }"),
        ("D_PRINT_SIZE", "BEGIN { print((void *)1); }"),
        (
            "D_PROTO_LEN",
            "struct s { int a; }; struct s v; BEGIN { print(v, 4); }",
        ),
        ("D_PROTO_ARG", "BEGIN { print(trace(1)); }"),
        ("D_PROTO_ARG", "BEGIN { print(1); }"),
        ("D_PROTO_LEN", "BEGIN { print(); }"),
        ("D_ACT_SPEC", "BEGIN { speculate(1); commit(1); }"),
        ("D_ACT_SPEC", "BEGIN { speculate(1); raise(1); }"),
        // What is wrong with D comes before what the tracer is not there for.
        ("D_IDENT_UNDEF", "BEGIN { panic(); trace(nothing); }"),
        ("D_SYNTAX", "BEGIN { panic(); } BEGIN { trace(; }"),
        ("D_IDENT_UNDEF", "BEGIN { trace(sizeof (`)); }"),
        // A prototype is looked at before what aggregates is.
        (
            "D_PROTO_ARG",
            "BEGIN { @ = lquantize(probefunc, probefunc, 1); }",
        ),
        ("D_AGG_SCALAR", "BEGIN { @ = lquantize(probefunc, 1, 2); }"),
        ("D_PROTO_ARG", "BEGIN { speculate(1); raise(\"a\"); }"),
        ("D_COMM_DREC", "BEGIN { trace(1); commit(1); }"),
        ("D_DREC_COMM", "BEGIN { commit(1); trace(1); }"),
        ("D_DREC_COMM", "BEGIN { commit(1); exit(0); }"),
        ("D_SPEC_SPEC", "BEGIN { speculate(1); speculate(1); }"),
        ("D_SPEC_COMM", "BEGIN { commit(1); speculate(1); }"),
        ("D_SPEC_DREC", "BEGIN { trace(1); speculate(1); }"),
        ("D_AGG_COMM", "BEGIN { commit(1); @a = count(); }"),
        ("D_AGG_SPEC", "BEGIN { speculate(1); @a = count(); }"),
        ("D_PROTO_ARG", "BEGIN { raise(raise(1)); }"),
        ("D_PROTO_ARG", "BEGIN { exit(raise(1)); }"),
        ("D_TRACE_VOID", "BEGIN { trace(raise(1)); }"),
        (
            "D_PRINTF_ARG_TYPE",
            "BEGIN { printf(\"%d\", system(\"x\")); }",
        ),
        ("D_OP_INCOMPAT", "BEGIN { x = 1; x = raise(1); }"),
        ("D_ACT_DESTRUCTIVE", "BEGIN { 1 ? raise(1) : raise(2); }"),
        ("D_EXIT_SPEC", "BEGIN { speculate(1); exit(0); }"),
        (
            "D_EXIT_SPEC",
            "BEGIN { if (pid) { speculate(1); exit(0); } }",
        ),
    ]);
    // What an if parts are clauses of their own.
    for text in [
        "BEGIN { if (pid) { speculate(1); } speculate(1); }",
        "BEGIN { commit(1); if (pid) { trace(1); } else { @ = count(); } commit(2); }",
        "BEGIN { trace(1); if (pid) { speculate(1); } exit(0); }",
    ] {
        assert!(build(text).is_ok(), "{text}");
    }
}

#[test]
fn declarations() {
    refused(&[
        ("D_DECL_IDRED", "int x; string x; BEGIN { x = 1; }"),
        ("D_DECL_IDRED", "int pid; BEGIN { trace(1); }"),
        (
            "D_DECL_IDRED",
            "inline int x = 1; inline int x = 2; BEGIN { trace(1); }",
        ),
        (
            "D_DECL_IDRED",
            "enum a { X }; enum b { X }; BEGIN { trace(1); }",
        ),
        ("D_DECL_VOIDOBJ", "void x; BEGIN { trace(1); }"),
        ("D_DECL_INCOMPLETE", "struct nothing x; BEGIN { trace(1); }"),
        ("D_DECL_USELESS", "int; BEGIN { trace(1); }"),
        ("D_DECL_ARRSUB", "int x[0]; BEGIN { trace(1); }"),
        ("D_DECL_ARRNULL", "int x[]; BEGIN { trace(1); }"),
        ("D_DECL_LOCASSC", "this int x[string]; BEGIN { trace(1); }"),
        ("D_DECL_BADCLASS", "static int x; BEGIN { trace(1); }"),
        (
            "D_DECL_ENCONST",
            "int v; enum e { A = v }; BEGIN { trace(1); }",
        ),
        (
            "D_DECL_ENOFLOW",
            "enum e { A = 2147483648 }; BEGIN { trace(1); }",
        ),
        ("D_OP_INCOMPAT", "inline string x = 1; BEGIN { trace(1); }"),
        ("D_DECL_IDRED", "enum a { X, Y, X }; BEGIN { trace(1); }"),
        (
            "D_DECL_TYPERED",
            "enum a { X }; enum a { X }; BEGIN { trace(1); }",
        ),
        ("D_SIZEOF_TYPE", "BEGIN { trace(sizeof (enum nothing)); }"),
        ("D_DECL_INCOMPLETE", "enum nothing x; BEGIN { trace(1); }"),
        (
            "D_DECL_DYNOBJ",
            "struct s { int a[string]; }; BEGIN { trace(1); }",
        ),
        (
            "D_DECL_PROTO_FORM",
            "int x[int a, string a]; BEGIN { trace(1); }",
        ),
        (
            "D_DECL_PROTO_FORM",
            "extern int f(int a, int a); BEGIN { trace(1); }",
        ),
    ]);
}

#[test]
fn arguments() {
    refused(&[
        ("D_ARGS_MULTI", "fbt::vfs_*:entry { trace(args[0]); }"),
        ("D_ARGS_MULTI", "fbt:::entry { trace(args[0]); }"),
        ("D_ARGS_MULTI", "syscall:::entry { trace(args[0]); }"),
        ("D_ARGS_MULTI", "syscall:::return { trace(args[0]); }"),
        ("D_ARGS_IDX", "BEGIN { trace(args[0]); }"),
        ("D_ARGS_IDX", "syscall::read:return { trace(args[2]); }"),
        ("D_ARGS_IDX", "syscall::read:entry { trace(args[-1]); }"),
        ("D_ARGS_IDX", "syscall::read:entry { trace(args[3]); }"),
        ("D_ARGS_IDX", "write:entry { trace(args[3]); }"),
        (
            "D_PROTO_ARG",
            "syscall::write:entry { trace(copyinstr(args[1])); }",
        ),
        ("D_PROTO_ARG", "syscall::read:entry { trace(args[pid]); }"),
        ("D_PROTO_LEN", "syscall::read:entry { trace(args[0, 1]); }"),
    ]);
}

#[test]
fn too_deep_an_expression_has_no_registers() {
    // Each call keeps its operand while the other is evaluated: nothing can be reordered.
    let mut text = String::from("rand()");
    for _ in 0..40 {
        text = format!("(rand() + {text})");
    }
    refused(&[("D_NOREG", &format!("BEGIN {{ trace({text}); }}"))]);
}
