// SPDX-License-Identifier: GPL-2.0-only
//! Who may see what: the three nodes, descriptors, observers, revocation, audit, quotas and cgroups.

#![forbid(unsafe_code)]

pub mod audit;
pub mod cgroups;
pub mod changing;
pub mod descriptors;
pub mod holder;
pub mod lockdown;
pub mod matrix;
pub mod observers;
pub mod own_tasks;
pub mod publishing;
pub mod quotas;
pub mod refusals;
pub mod revocation;
pub mod scan;
pub mod symbols;
