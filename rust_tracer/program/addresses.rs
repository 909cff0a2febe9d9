// SPDX-License-Identifier: GPL-2.0

//! Network addresses as text: inet_ntoa(), inet_ntoa6(), inet_ntop(), link_ntop().
//!
//! The forms are DTrace's (illumos `dtrace_dif_subr`, and Oracle's for inet_ntoa6 and link_ntop):
//! lower case, the longest run of zero groups as `::`, and IPv4 addresses inside IPv6 ones as such.
//!
//! Contexts: any, as the probe path. Nothing here allocates or panics.

#![forbid(unsafe_code)]

use super::strings::Writer;

/// Linux's `AF_INET`.
pub(crate) const AF_INET: u64 = 2;
/// Linux's `AF_INET6`.
pub(crate) const AF_INET6: u64 = 10;

/// Bytes of the longest text of these: an InfiniBand address.
pub(crate) const ADDRESS_MAX: usize = 60;

/// Linux's `ARPHRD_ETHER`: an address has 6 bytes.
pub(crate) const ARPHRD_ETHER: u64 = 1;
/// Linux's `ARPHRD_INFINIBAND`: an address has 20 bytes.
pub(crate) const ARPHRD_INFINIBAND: u64 = 32;

fn hex_digit(value: u8) -> u8 {
    match value & 15 {
        digit @ 0..10 => digit.wrapping_add(b'0'),
        digit => digit.wrapping_sub(10).wrapping_add(b'a'),
    }
}

/// A hardware address, two digits for each byte.
pub(crate) fn link(address: &[u8], into: &mut [u8]) -> usize {
    let mut out = Writer::new(into);
    let mut between = false;
    for &byte in address {
        if between {
            out.put(b':');
        }
        between = true;
        out.put(hex_digit(byte >> 4));
        out.put(hex_digit(byte));
    }
    out.len()
}

fn put_v4(out: &mut Writer<'_>, address: &[u8]) {
    let mut between = false;
    for &byte in address {
        if between {
            out.put(b'.');
        }
        between = true;
        let digit = |place: u8| (byte / place % 10).wrapping_add(b'0');
        if byte >= 100 {
            out.put(digit(100));
        }
        if byte >= 10 {
            out.put(digit(10));
        }
        out.put(digit(1));
    }
}

/// An IPv4 address.
pub(crate) fn v4(address: &[u8; 4], into: &mut [u8]) -> usize {
    let mut out = Writer::new(into);
    put_v4(&mut out, address);
    out.len()
}

/// The run of groups that `::` stands for: the longest one of zeroes, the first of several, of
/// `least` groups. One group alone counts with DTrace unless it is the last.
fn zeroes(groups: &[u16; 8], least: usize) -> (usize, usize) {
    let (mut best, mut best_len) = (8usize, 0usize);
    let mut len = 0usize;
    for (index, &group) in (0usize..).zip(groups) {
        len = if group == 0 { len.wrapping_add(1) } else { 0 };
        let lone_last = len == 1 && index == 7;
        if len > best_len && len >= least && !lone_last {
            best_len = len;
            best = index.wrapping_add(1).wrapping_sub(len);
        }
    }
    (best, best_len)
}

/// An IPv6 address. If it holds an IPv4 address (mapped or compatible), `bare` leaves the rest
/// out, as inet_ntoa6() does. `::` stands for `least` groups or more.
#[inline(never)]
pub(crate) fn v6(address: &[u8; 16], bare: bool, least: usize, into: &mut [u8]) -> usize {
    let mut out = Writer::new(into);
    let number = u128::from_be_bytes(*address);
    let high = number >> 32;
    let low = number as u32;
    let holds_v4 = high == 0xffff || (high == 0 && low > 1);
    let [.., a, b, c, d] = *address;
    if holds_v4 && bare {
        put_v4(&mut out, &[a, b, c, d]);
        return out.len();
    }
    let mut groups = [0u16; 8];
    for (group, bytes) in groups.iter_mut().zip(address.chunks_exact(2)) {
        if let &[high, low] = bytes {
            *group = u16::from_be_bytes([high, low]);
        }
    }
    let (start, len) = zeroes(&groups, least);
    let end = start.wrapping_add(len);
    let count = if holds_v4 { 6 } else { 8 };
    for (index, &group) in (0usize..).zip(groups.iter().take(count)) {
        if index == start {
            out.append(b"::");
        }
        if index >= start && index < end {
            continue;
        }
        if index != 0 && index != end {
            out.put(b':');
        }
        let mut leading = true;
        for shift in [12, 8, 4, 0] {
            let digit = (group >> shift) as u8 & 15;
            leading &= digit == 0 && shift != 0;
            if !leading {
                out.put(hex_digit(digit));
            }
        }
    }
    if holds_v4 {
        if end < 6 {
            out.put(b':');
        }
        put_v4(&mut out, &[a, b, c, d]);
    }
    out.len()
}
