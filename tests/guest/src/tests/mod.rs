// SPDX-License-Identifier: GPL-2.0-only
//! The tests, by what they are about.

#![forbid(unsafe_code)]

mod access;
mod calls;
mod commands;
mod contexts;
mod everything;
mod flight;
mod flood;
mod forms;
mod guard;
mod hostile;
mod hotplug;
mod lifetime;
mod mapping;
mod modules;
mod names;
mod narrowing;
mod nodes;
mod policies;
mod programs;
mod rogue;
mod scripts;
mod sessions;
mod shortage;
mod signals;
mod stub;
mod tool;
mod tool_access;
mod tool_check;
mod tool_doctor;
mod views;

use crate::test::Group;

/// The full name of the test that is the fuzzer.
pub const FUZZ: &str = "hostile: random operations*";

/// All of them, in the order in which they run. What locks the kernel down is the last: nothing
/// unlocks it again.
pub const GROUPS: [Group; 74] = [
    calls::GROUP,
    names::GROUP,
    contexts::GROUP,
    flight::GROUP,
    policies::GROUP,
    flood::GROUP,
    guard::GROUP,
    sessions::GROUP,
    narrowing::GROUP,
    mapping::GROUP,
    commands::GROUP,
    forms::GROUP,
    nodes::GROUP,
    views::GROUP,
    access::own_tasks::GROUP,
    access::changing::GROUP,
    access::scan::GROUP,
    access::refusals::GROUP,
    access::descriptors::GROUP,
    access::publishing::GROUP,
    access::observers::GROUP,
    access::revocation::GROUP,
    access::audit::GROUP,
    access::quotas::GROUP,
    access::cgroups::GROUP,
    access::matrix::GROUP,
    signals::GROUP,
    shortage::GROUP,
    programs::GROUP,
    programs::running::GROUP,
    programs::reading::GROUP,
    programs::keeping::GROUP,
    programs::short::GROUP,
    programs::aggregating::GROUP,
    programs::own::GROUP,
    programs::rights::GROUP,
    programs::changes::GROUP,
    programs::random::GROUP,
    stub::GROUP,
    stub::programs::GROUP,
    stub::walks::GROUP,
    stub::sleeping::GROUP,
    stub::schedule::GROUP,
    stub::ends::GROUP,
    stub::many::GROUP,
    stub::several::GROUP,
    stub::beside::GROUP,
    stub::stacks::GROUP,
    stub::everything::GROUP,
    stub::slots::GROUP,
    stub::GROUP.shared("shared stub"),
    stub::programs::GROUP.shared("shared stub, programs"),
    stub::walks::GROUP.shared("shared stub, walks"),
    stub::sleeping::GROUP.shared("shared stub, sleeping"),
    stub::ends::GROUP.shared("shared stub, ends of tasks"),
    stub::many::GROUP.shared("shared stub, many sessions"),
    stub::beside::GROUP.shared("shared stub, beside others"),
    stub::stacks::GROUP.shared("shared stub, stacks"),
    lifetime::GROUP,
    modules::GROUP,
    hotplug::GROUP,
    tool::GROUP,
    tool_access::GROUP,
    tool_doctor::GROUP,
    tool_check::GROUP,
    scripts::GROUP,
    everything::GROUP,
    rogue::innocent::GROUP,
    rogue::FOUND,
    rogue::watching::GROUP,
    rogue::nodes::GROUP,
    rogue::table::GROUP,
    hostile::GROUP,
    access::lockdown::GROUP,
];

pub use access::holder::{World, hold_main};
