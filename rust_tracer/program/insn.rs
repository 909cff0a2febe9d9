// SPDX-License-Identifier: GPL-2.0

//! Instructions: how a word is read, and what each operation makes of its fields.
//!
//! One table ([`FORMS`], [`SUBROUTINES`]) says of each operation which fields it uses and for
//! what. The verifier, the disassembler in user space and the tests' reference evaluator read it;
//! this file needs nothing but `core`, and is compiled into all three.
//!
//! ```text
//!   63                            32 31    24 23    16 15     8 7      0
//!  |               i                |   b    |   a    |   d    |   op   |
//! ```
//!
//! The numbers are those of `include/uapi/rust_tracer_program.h`; a host test compares them.

#![forbid(unsafe_code)]

/// Registers of a firing. `RTRACE_PROGRAM_REGISTERS`.
pub(crate) const REGISTERS: u32 = 32;

/// One instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Insn {
    pub(crate) op: u8,
    pub(crate) d: u8,
    pub(crate) a: u8,
    pub(crate) b: u8,
    pub(crate) i: i32,
}

impl Insn {
    /// The fields of a word.
    #[inline(always)]
    pub(crate) fn decode(word: u64) -> Insn {
        Insn {
            op: word as u8,
            d: (word >> 8) as u8,
            a: (word >> 16) as u8,
            b: (word >> 24) as u8,
            i: (word >> 32) as u32 as i32,
        }
    }

    /// The word of the fields.
    #[inline(always)]
    #[allow(dead_code, reason = "user space and the tests make instructions")]
    pub(crate) fn encode(self) -> u64 {
        u64::from(self.op)
            | (u64::from(self.d) << 8)
            | (u64::from(self.a) << 16)
            | (u64::from(self.b) << 24)
            | (u64::from(self.i as u32) << 32)
    }

    /// What the operation makes of its fields; `None`: there is no such operation.
    pub(crate) fn form(self) -> Option<&'static Form> {
        FORMS
            .get(usize::from(self.op))
            .filter(|form| !form.name.is_empty())
    }
}

/// What a field for a register is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    /// Not used: 0.
    Unused,
    /// A register that is written, with a number.
    Number,
    /// A register that is written, with a pointer into the firing's own memory, or 0.
    Own,
    /// A register that is written with what the subroutine gives.
    Result,
    /// A register that is written with the variable's value: a number or a pointer.
    Value,
    /// A register that is read: a number, or it does not matter.
    Read,
    /// A register that is read: memory at this pointer is.
    Pointer,
    /// A register that is read: own memory at this pointer is written.
    Target,
    /// A register that is read: a value for the variable, a number or a pointer.
    Assigned,
    /// A register that is read, or nothing, as the aggregating function has it.
    Aggregated,
    /// Not a register but a number of frames: the low byte, or 256 times it.
    Frames,
    /// The first of the registers that the subroutine reads.
    Arguments,
    /// Not a register but how many the subroutine reads.
    Count,
}

/// What `i` means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Immediate {
    /// Not used: 0.
    Unused,
    /// A number.
    Number,
    /// The next instruction's index and this is that of another, later one.
    Jump,
    /// Of a constant.
    Constant,
    /// Of a byte of the string constants.
    Text,
    /// Bytes, added to a pointer.
    Offset,
    /// Bytes or elements at most; 0: as the operation says.
    Limit,
    /// Bytes, at least 1.
    Bytes,
    /// Frames at most, at least 1.
    Frames,
    /// `RTRACE_VAR_*` that is a number.
    BuiltIn,
    /// `RTRACE_VAR_*` that is a string.
    BuiltInText,
    /// Of a variable without keys: global or clause-local.
    Variable,
    /// Of an array or a thread-local variable.
    Dynamic,
    /// Of an aggregation.
    Aggregation,
    /// `RTRACE_ITEM(action, argument)`.
    Item,
    /// `RTRACE_SUB_*`.
    Subroutine,
}

/// An operation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Form {
    /// As it is written in listings; empty: there is no such operation.
    pub(crate) name: &'static str,
    pub(crate) d: Field,
    pub(crate) a: Field,
    pub(crate) b: Field,
    pub(crate) i: Immediate,
    /// What an execution costs at most, apart from what depends on sizes (`cost.rs`). 1 is a
    /// few machine instructions.
    pub(crate) cost: u32,
}

/// How many operation numbers there are. `RTRACE_OPS`.
pub(crate) const OPS: usize = 93;

macro_rules! operations {
    ($($number:literal $constant:ident $name:literal
        $d:ident $a:ident $b:ident $i:ident $cost:literal;)*) => {
        /// `RTRACE_OP_*`.
        #[allow(missing_docs, reason = "the header documents them")]
        pub(crate) mod op {
            $(pub(crate) const $constant: u8 = $number;)*
        }

        /// By number.
        pub(crate) static FORMS: [Form; OPS] = {
            let mut forms = [Form {
                name: "",
                d: Field::Unused,
                a: Field::Unused,
                b: Field::Unused,
                i: Immediate::Unused,
                cost: 0,
            }; OPS];
            $(forms[$number] = Form {
                name: $name,
                d: Field::$d,
                a: Field::$a,
                b: Field::$b,
                i: Immediate::$i,
                cost: $cost,
            };)*
            forms
        };
    };
}

operations! {
    // number, name              d      a          b          i           cost
    0  RET       "ret"           Unused Unused     Unused     Unused      1;
    1  FILTER    "filter"        Unused Read       Unused     Unused      1;
    2  JMP       "jmp"           Unused Unused     Unused     Jump        1;
    3  JZ        "jz"            Unused Read       Unused     Jump        1;
    4  JNZ       "jnz"           Unused Read       Unused     Jump        1;
    5  JEQ       "jeq"           Unused Read       Read       Jump        1;
    6  JNE       "jne"           Unused Read       Read       Jump        1;
    7  JLT       "jlt"           Unused Read       Read       Jump        1;
    8  JLE       "jle"           Unused Read       Read       Jump        1;
    9  JLTU      "jltu"          Unused Read       Read       Jump        1;
    10 JLEU      "jleu"          Unused Read       Read       Jump        1;
    11 MOV       "mov"           Value  Read       Unused     Unused      1;
    12 LDI       "ldi"           Number Unused     Unused     Number      1;
    13 LDC       "ldc"           Number Unused     Unused     Constant    1;
    14 LDSC      "ldsc"          Own    Unused     Unused     Text        1;
    15 FREE      "free"          Unused Read       Unused     Unused      1;
    16 ADD       "add"           Value  Read       Read       Unused      1;
    17 SUB       "sub"           Value  Read       Read       Unused      1;
    18 MUL       "mul"           Number Read       Read       Unused      1;
    19 DIV       "div"           Number Read       Read       Unused      4;
    20 DIVU      "divu"          Number Read       Read       Unused      4;
    21 MOD       "mod"           Number Read       Read       Unused      4;
    22 MODU      "modu"          Number Read       Read       Unused      4;
    23 AND       "and"           Number Read       Read       Unused      1;
    24 OR        "or"            Number Read       Read       Unused      1;
    25 XOR       "xor"           Number Read       Read       Unused      1;
    26 SHL       "shl"           Number Read       Read       Unused      1;
    27 SHR       "shr"           Number Read       Read       Unused      1;
    28 SAR       "sar"           Number Read       Read       Unused      1;
    29 SEQ       "seq"           Number Read       Read       Unused      1;
    30 SNE       "sne"           Number Read       Read       Unused      1;
    31 SLT       "slt"           Number Read       Read       Unused      1;
    32 SLE       "sle"           Number Read       Read       Unused      1;
    33 SLTU      "sltu"          Number Read       Read       Unused      1;
    34 SLEU      "sleu"          Number Read       Read       Unused      1;
    35 SCMP      "scmp"          Number Pointer    Pointer    Unused      8;
    36 ADDI      "addi"          Value  Read       Unused     Number      1;
    37 MULI      "muli"          Number Read       Unused     Number      1;
    38 ANDI      "andi"          Number Read       Unused     Number      1;
    39 SHLI      "shli"          Number Read       Unused     Number      1;
    40 SHRI      "shri"          Number Read       Unused     Number      1;
    41 SARI      "sari"          Number Read       Unused     Number      1;
    42 SEQI      "seqi"          Number Read       Unused     Number      1;
    43 NEG       "neg"           Number Read       Unused     Unused      1;
    44 NOT       "not"           Number Read       Unused     Unused      1;
    45 LNOT      "lnot"          Number Read       Unused     Unused      1;
    46 SX8       "sx8"           Number Read       Unused     Unused      1;
    47 SX16      "sx16"          Number Read       Unused     Unused      1;
    48 SX32      "sx32"          Number Read       Unused     Unused      1;
    49 ZX8       "zx8"           Number Read       Unused     Unused      1;
    50 ZX16      "zx16"          Number Read       Unused     Unused      1;
    51 ZX32      "zx32"          Number Read       Unused     Unused      1;
    52 LD8       "ld8"           Number Pointer    Unused     Offset      8;
    53 LD16      "ld16"          Number Pointer    Unused     Offset      8;
    54 LD32      "ld32"          Number Pointer    Unused     Offset      8;
    55 LD64      "ld64"          Number Pointer    Unused     Offset      8;
    56 LDSX8     "ldsx8"         Number Pointer    Unused     Offset      8;
    57 LDSX16    "ldsx16"        Number Pointer    Unused     Offset      8;
    58 LDSX32    "ldsx32"        Number Pointer    Unused     Offset      8;
    59 LDSTR     "ldstr"         Own    Pointer    Unused     Limit       8;
    60 LDMEM     "ldmem"         Own    Pointer    Unused     Bytes       8;
    61 GET       "get"           Number Unused     Unused     BuiltIn     8;
    62 GETSTR    "getstr"        Own    Unused     Unused     BuiltInText 32;
    63 LDV       "ldv"           Value  Unused     Unused     Variable    2;
    64 STV       "stv"           Unused Assigned   Unused     Variable    2;
    65 KEY0      "key0"          Unused Unused     Unused     Unused      1;
    66 KEY       "key"           Unused Read       Unused     Unused      1;
    67 KEYS      "keys"          Unused Pointer    Unused     Unused      8;
    68 KEYB      "keyb"          Unused Pointer    Unused     Bytes       8;
    69 KEYP      "keyp"          Unused Unused     Unused     Unused      2;
    70 KEYK      "keyk"          Unused Unused     Unused     Frames      64;
    71 KEYU      "keyu"          Unused Unused     Unused     Frames      64;
    72 LDD       "ldd"           Value  Unused     Unused     Dynamic     64;
    73 STD       "std"           Unused Assigned   Unused     Dynamic     64;
    74 AGG       "agg"           Unused Aggregated Aggregated Aggregation 64;
    75 EMIT      "emit"          Unused Read       Unused     Item        2;
    76 EMITS     "emits"         Unused Pointer    Unused     Item        8;
    77 EMITB     "emitb"         Unused Pointer    Read       Item        16;
    78 EMITP     "emitp"         Unused Unused     Unused     Item        2;
    79 EMITK     "emitk"         Unused Frames     Frames     Item        64;
    80 EMITU     "emitu"         Unused Frames     Frames     Item        64;
    81 SPECNEW   "specnew"       Number Unused     Unused     Unused      1024;
    82 SPECULATE "speculate"     Unused Read       Unused     Limit       8;
    83 COMMIT    "commit"        Unused Read       Unused     Item        16;
    84 DISCARD   "discard"       Unused Read       Unused     Item        16;
    85 EXIT      "exit"          Unused Read       Unused     Item        2;
    86 CALL      "call"          Result Arguments  Count      Subroutine  8;
    87 ST8       "st8"           Unused Target     Read       Offset      2;
    88 ST16      "st16"          Unused Target     Read       Offset      2;
    89 ST32      "st32"          Unused Target     Read       Offset      2;
    90 ST64      "st64"          Unused Target     Read       Offset      2;
    91 BOUND     "bound"         Unused Read       Unused     Limit       1;
    92 SIZE      "size"          Unused Read       Unused     Limit       1;
}

/// What a subroutine takes or gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A number.
    Number,
    /// A pointer to a string, in the kernel or the firing's own memory. As a result: in its own,
    /// or 0.
    Text,
    /// A pointer to bytes, in the kernel or the firing's own memory. As a result: in its own.
    Bytes,
    /// A pointer to bytes of the firing's own, which are written.
    Target,
    /// A pointer to the memory of the process.
    User,
    /// A pointer to a structure of the kernel's.
    Kernel,
}

/// A subroutine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subroutine {
    /// As D calls it.
    pub(crate) name: &'static str,
    /// What it takes, in order.
    pub(crate) takes: &'static [Kind],
    /// How many of these may be left out, from the end.
    pub(crate) optional: u8,
    /// What it gives.
    pub(crate) gives: Kind,
    /// How often it goes through a string of the greatest length, at most.
    pub(crate) passes: u32,
}

macro_rules! subroutines {
    ($($number:literal $constant:ident $name:literal
        ($($takes:ident)*) $optional:literal $gives:ident $passes:literal;)*) => {
        /// `RTRACE_SUB_*`.
        #[allow(missing_docs, reason = "the header documents them")]
        pub(crate) mod sub {
            $(pub(crate) const $constant: u32 = $number;)*
        }

        /// By number. `RTRACE_SUBS` of them.
        pub(crate) static SUBROUTINES: &[Subroutine] = &[
            $(Subroutine {
                name: $name,
                takes: &[$(Kind::$takes),*],
                optional: $optional,
                gives: Kind::$gives,
                passes: $passes,
            },)*
        ];
    };
}

subroutines! {
    // number, name            takes                  optional gives passes
    0  RAND       "rand"       ()                     0 Number 0;
    1  STRLEN     "strlen"     (Text)                 0 Number 1;
    2  STRJOIN    "strjoin"    (Text Text)            0 Text   3;
    3  STRCHR     "strchr"     (Text Number)          0 Text   2;
    4  STRRCHR    "strrchr"    (Text Number)          0 Text   2;
    5  STRSTR     "strstr"     (Text Text)            0 Text   12;
    6  STRTOK     "strtok"     (Text Text)            1 Text   12;
    7  SUBSTR     "substr"     (Text Number Number)   1 Text   2;
    8  INDEX      "index"      (Text Text Number)     1 Number 12;
    9  RINDEX     "rindex"     (Text Text Number)     1 Number 12;
    10 BASENAME   "basename"   (Text)                 0 Text   3;
    11 DIRNAME    "dirname"    (Text)                 0 Text   3;
    12 CLEANPATH  "cleanpath"  (Text)                 0 Text   12;
    13 LLTOSTR    "lltostr"    (Number Number)        1 Text   1;
    14 STRTOLL    "strtoll"    (Text Number)          1 Number 4;
    15 TOUPPER    "toupper"    (Text)                 0 Text   4;
    16 TOLOWER    "tolower"    (Text)                 0 Text   4;
    17 INET_NTOA  "inet_ntoa"  (Bytes)                0 Text   1;
    18 INET_NTOA6 "inet_ntoa6" (Bytes Number)         1 Text   1;
    19 INET_NTOP  "inet_ntop"  (Number Bytes)         0 Text   1;
    20 LINK_NTOP  "link_ntop"  (Number Bytes)         0 Text   1;
    21 HTONS      "htons"      (Number)               0 Number 0;
    22 HTONL      "htonl"      (Number)               0 Number 0;
    23 HTONLL     "htonll"     (Number)               0 Number 0;
    24 PROGENYOF  "progenyof"  (Number)               0 Number 0;
    25 COPYIN     "copyin"     (User Number)          0 Bytes  0;
    26 COPYINSTR  "copyinstr"  (User Number)          1 Text   4;
    27 COPYINTO   "copyinto"   (User Number Target)   0 Number 0;
    28 ALLOCA     "alloca"     (Number)               0 Bytes  0;
    29 BCOPY      "bcopy"      (Bytes Target Number)  0 Number 0;
    30 GETMAJOR   "getmajor"   (Number)               0 Number 0;
    31 GETMINOR   "getminor"   (Number)               0 Number 0;
    32 D_PATH     "d_path"     (Kernel)               0 Text   2;
    33 STRNCMP    "strncmp"    (Text Text Number)     0 Number 3;
    34 EXECARGS   "execargs"   (User Number)          0 Text   4;
    35 JSON       "json"       (Text Text)            0 Text   12;
    36 STACK      "stack"      (Number)               0 Bytes  0;
    37 USTACK     "ustack"     (Number Number)        1 Bytes  0;
}

/// The subroutine of a number.
pub(crate) fn subroutine(number: i32) -> Option<&'static Subroutine> {
    SUBROUTINES.get(usize::try_from(number).ok()?)
}

macro_rules! built_ins {
    ($($number:literal $constant:ident $name:literal;)*) => {
        /// `RTRACE_VAR_*`.
        #[allow(missing_docs, reason = "the header documents them")]
        pub(crate) mod var {
            $(pub(crate) const $constant: u32 = $number;)*
        }

        /// As D calls it; `None`: there is none of that number.
        pub(crate) fn built_in(number: u32) -> Option<&'static str> {
            Some(match number {
                0 => "arg0",
                1 => "arg1",
                2 => "arg2",
                3 => "arg3",
                4 => "arg4",
                5 => "arg5",
                6 => "arg6",
                7 => "arg7",
                8 => "arg8",
                9 => "arg9",
                16 => "entryarg0",
                17 => "entryarg1",
                18 => "entryarg2",
                19 => "entryarg3",
                20 => "entryarg4",
                21 => "entryarg5",
                $($number => $name,)*
                _ => return user_register(number).and_then(|register| {
                    USER_REGISTERS.get(register as usize).copied()
                }),
            })
        }
    };
}

built_ins! {
    32 TIMESTAMP     "timestamp";
    33 VTIMESTAMP    "vtimestamp";
    34 WALLTIMESTAMP "walltimestamp";
    35 ELAPSED       "elapsed";
    36 ID            "id";
    37 EPID          "epid";
    38 PROBE         "probe";
    39 CPU           "cpu";
    40 PID           "pid";
    41 TID           "tid";
    42 PPID          "ppid";
    43 UID           "uid";
    44 GID           "gid";
    45 ERRNO         "errno";
    46 CURTHREAD     "curthread";
    47 CALLER        "caller";
    48 STACKDEPTH    "stackdepth";
    49 USTACKDEPTH   "ustackdepth";
    50 UCALLER       "ucaller";
    51 IPL           "ipl";
    52 TARGET        "$target";
    64 EXECNAME      "execname";
    65 PROBEPROV     "probeprov";
    66 PROBEMOD      "probemod";
    67 PROBEFUNC     "probefunc";
    68 PROBENAME     "probename";
    69 CWD           "cwd";
}

/// The first argument; nine more follow. `RTRACE_VAR_ARG0`.
pub(crate) const ARG0: u32 = 0;
/// The first argument at entry; five more follow. `RTRACE_VAR_ENTRYARG0`.
pub(crate) const ENTRYARG0: u32 = 16;

/// The first register of the current task in user space; the others follow. `RTRACE_VAR_UREG0`.
pub(crate) const UREG0: u32 = 128;
/// How many registers of user space there are. `RTRACE_UREGS`.
pub(crate) const UREGS: u32 = 26;

/// Registers of user space as D calls them, by `RTRACE_UREG_*`.
static USER_REGISTERS: [&str; UREGS as usize] = [
    "uregs[R_R15]",
    "uregs[R_R14]",
    "uregs[R_R13]",
    "uregs[R_R12]",
    "uregs[R_RBP]",
    "uregs[R_RBX]",
    "uregs[R_R11]",
    "uregs[R_R10]",
    "uregs[R_R9]",
    "uregs[R_R8]",
    "uregs[R_RAX]",
    "uregs[R_RCX]",
    "uregs[R_RDX]",
    "uregs[R_RSI]",
    "uregs[R_RDI]",
    "uregs[R_ERR]",
    "uregs[R_RIP]",
    "uregs[R_CS]",
    "uregs[R_RFL]",
    "uregs[R_RSP]",
    "uregs[R_SS]",
    "uregs[R_DS]",
    "uregs[R_ES]",
    "uregs[R_FS]",
    "uregs[R_GS]",
    "uregs[R_TRAPNO]",
];

/// Which register of user space a built-in variable is; `None`: it is another variable.
#[inline(always)]
pub(crate) fn user_register(number: u32) -> Option<u32> {
    number
        .checked_sub(UREG0)
        .filter(|register| *register < UREGS)
}

/// Whether a built-in variable is a string (GETSTR), not a number (GET).
pub(crate) fn is_text(number: u32) -> bool {
    (var::EXECNAME..UREG0).contains(&number)
}
