// SPDX-License-Identifier: GPL-2.0-only
//! Programs that mean harm.

use crate::fuzz;
use crate::options::Options;
use crate::test::{Outcome, group};

group! { "hostile":
    "a command that waits for a page of its caller's holds nobody else up" => held,
    "random operations by several users do no harm, and honest sessions count right" => random,
}

fn random(options: &Options) -> Outcome {
    fuzz::run(options)
}

fn held(_: &Options) -> Outcome {
    fuzz::held::run()
}
