// SPDX-License-Identifier: GPL-2.0-only
//! The tests, by what they are about.

#![forbid(unsafe_code)]

mod calls;
mod commands;
mod contexts;
mod everything;
mod flight;
mod hotplug;
mod lifetime;
mod mapping;
mod modules;
mod names;
mod narrowing;
mod nodes;
mod policies;
mod sessions;
mod tool;

use crate::test::Group;

/// All of them, in the order in which they run.
pub const GROUPS: [Group; 15] = [
    calls::GROUP,
    names::GROUP,
    contexts::GROUP,
    flight::GROUP,
    policies::GROUP,
    sessions::GROUP,
    narrowing::GROUP,
    mapping::GROUP,
    commands::GROUP,
    nodes::GROUP,
    lifetime::GROUP,
    modules::GROUP,
    hotplug::GROUP,
    tool::GROUP,
    everything::GROUP,
];
