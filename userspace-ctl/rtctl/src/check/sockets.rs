// SPDX-License-Identifier: GPL-2.0-only
//! Sockets: those that processes have, and those that /proc/net lists.
//!
//! What shows sockets in /proc/net is what is changed to hide a door. The process behind it has the
//! socket open all the same, and says what it is when its descriptor is asked.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::net::{AddressFamily, getsockname, ipproto, sockopt};
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

use super::report::Finding;
use super::said;

/// Where sockets are listed.
const LISTS: [&str; 9] = [
    "tcp", "tcp6", "udp", "udp6", "raw", "raw6", "unix", "netlink", "packet",
];

/// A socket by which others reach a process, and that is listed nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unlisted {
    /// Its inode.
    pub inode: u64,
    /// `TCP` or `UDP`.
    pub protocol: &'static str,
    /// Where it is to be reached.
    pub address: SocketAddr,
    /// A process that has it open.
    pub pid: u32,
}

/// What sockets there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sockets {
    /// How many processes have open.
    pub open: usize,
    /// See there.
    pub unlisted: Vec<Unlisted>,
}

/// Looks at the processes of our own network namespace, as far as we may.
pub fn look() -> Result<Sockets, String> {
    let proc = Path::new("/proc");
    let read = |error| format!("/proc: {error}");
    let own = fs::read_link("/proc/self/ns/net").map_err(read)?;
    let (mut seen, mut candidates) = (BTreeSet::new(), Vec::new());
    let before = listed();
    for pid in said::numbers(proc).map_err(read)? {
        let process = proc.join(pid.to_string());
        // Who has ended meanwhile, or is not to be looked at, has none.
        if fs::read_link(process.join("ns/net")).ok().as_ref() != Some(&own) {
            continue;
        }
        for (fd, inode) in sockets_of(&process) {
            if seen.insert(inode) && !before.contains(&inode) {
                candidates.push((pid, fd, inode));
            }
        }
    }
    let mut unlisted: Vec<_> = candidates
        .into_iter()
        .filter_map(|(pid, fd, inode)| reachable(pid, fd, inode))
        .collect();
    if !unlisted.is_empty() {
        // Opened since; or of another network, where it takes nothing here.
        let known = listed();
        unlisted.retain(|socket| !known.contains(&socket.inode) && is_taken(socket));
    }
    Ok(Sockets {
        open: seen.len(),
        unlisted,
    })
}

/// What is found of them.
pub fn findings(sockets: &Sockets) -> impl Iterator<Item = Finding> + '_ {
    sockets.unlisted.iter().map(|socket| {
        let Unlisted {
            inode,
            protocol,
            address,
            pid,
        } = socket;
        let list = format!("/proc/net/{}", protocol.to_ascii_lowercase());
        Finding {
            key: format!("socket {inode}"),
            what: format!("the process {pid} is to be reached at {address} ({protocol}), which {list} leaves out"),
            place: format!("the socket {inode}, by its descriptors in /proc/{pid}/fd"),
            forms: vec![
                "the process's own descriptors".into(),
                "the address, which the kernel gives to nobody else".into(),
                list,
            ],
            perhaps: "a socket that is being opened at this moment".into(),
            look: format!("ls -l /proc/{pid}/fd; ss -lntup; rtctl check pointers ops"),
            ..Finding::default()
        }
    })
}

/// Whether its address is in use in our network.
fn is_taken(socket: &Unlisted) -> bool {
    let bound = match socket.protocol {
        "TCP" => TcpListener::bind(socket.address).map(drop),
        _ => UdpSocket::bind(socket.address).map(drop),
    };
    bound.is_err_and(|error| error.kind() == ErrorKind::AddrInUse)
}

/// The inodes of all sockets that are listed.
fn listed() -> BTreeSet<u64> {
    let lists = LISTS.iter();
    let texts = lists.filter_map(|list| fs::read_to_string(Path::new("/proc/net").join(list)).ok());
    texts.flat_map(|text| inodes(&text)).collect()
}

/// A list's column of inodes; each list has one, under this heading or the other.
fn inodes(text: &str) -> Vec<u64> {
    let mut lines = text.lines();
    let heading: Vec<&str> = lines
        .next()
        .unwrap_or_default()
        .split_ascii_whitespace()
        .collect();
    let column = heading
        .iter()
        .position(|word| word.eq_ignore_ascii_case("inode"));
    // Two headings of the IP lists stand over one column: tx_queue rx_queue, and tr tm->when.
    let joined = ["rx_queue", "tm->when"];
    let joined = heading.iter().filter(|word| joined.contains(word)).count();
    let column = column.map_or(NO_HEADING, |at| at - joined);
    let inode = |line: &str| line.split_ascii_whitespace().nth(column)?.parse().ok();
    lines.filter_map(inode).collect()
}

/// Where it is in the lists of IP, whose headings somebody may have taken away.
const NO_HEADING: usize = 9;

/// The descriptors of a process that are sockets, and their inodes.
fn sockets_of(process: &Path) -> Vec<(i32, u64)> {
    let fds = said::numbers(&process.join("fd")).unwrap_or_default();
    let socket = |fd: u32| {
        let link = fs::read_link(process.join("fd").join(fd.to_string())).ok()?;
        let inode = link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?;
        Some((i32::try_from(fd).ok()?, inode.parse().ok()?))
    };
    fds.into_iter().filter_map(socket).collect()
}

/// That socket, if others reach the process by it.
fn reachable(pid: u32, fd: i32, inode: u64) -> Option<Unlisted> {
    let socket = borrow(pid, fd)?;
    let socket = socket.as_fd();
    let inet = [AddressFamily::INET, AddressFamily::INET6];
    let domain = sockopt::socket_domain(socket).ok()?;
    let protocol = sockopt::socket_protocol(socket).ok()?;
    if !inet.contains(&domain) {
        return None;
    }
    let address = SocketAddr::try_from(getsockname(socket).ok()?).ok()?;
    let listens = || sockopt::socket_acceptconn(socket).unwrap_or(false);
    let protocol = match protocol {
        Some(ipproto::TCP) if listens() => "TCP",
        Some(ipproto::UDP) if address.port() != 0 => "UDP",
        _ => return None,
    };
    Some(Unlisted {
        inode,
        protocol,
        address,
        pid,
    })
}

/// Another's descriptor, for as long as it is looked at.
fn borrow(pid: u32, fd: i32) -> Option<OwnedFd> {
    let pid = Pid::from_raw(i32::try_from(pid).ok()?)?;
    let process = pidfd_open(pid, PidfdFlags::empty()).ok()?;
    pidfd_getfd(process, fd, PidfdGetfdFlags::empty()).ok()
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;
    use std::os::fd::AsRawFd;

    use super::*;

    #[test]
    fn inodes_are_taken_from_their_column() {
        let tcp = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
                   0: 0100007F:0277 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 x\n";
        assert_eq!(inodes(tcp), [4711]);
        let unheaded = tcp.replacen("  sl", "  0:", 1).replacen("inode", "4712", 1);
        assert_eq!(inodes(&unheaded), [4711]);
        let unix = "Num       RefCount Protocol Flags    Type St Inode Path\nffff: 00000002 00000000 00010000 0001 01 815 /run/x\n";
        assert_eq!(inodes(unix), [815]);
        let netlink = "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n\
                       ffff 0   1          00000001 0        0        0     2        0        99\n";
        assert_eq!(inodes(netlink), [99]);
    }

    #[test]
    fn what_listens_is_reachable_and_what_is_not_bound_is_not() {
        let pid = std::process::id();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let datagrams = UdpSocket::bind("127.0.0.1:0").unwrap();
        let connected = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let of = |fd: i32| reachable(pid, fd, 1).map(|socket| (socket.protocol, socket.address));
        let address = listener.local_addr().unwrap();
        assert_eq!(of(listener.as_raw_fd()), Some(("TCP", address)));
        let address = datagrams.local_addr().unwrap();
        assert_eq!(of(datagrams.as_raw_fd()), Some(("UDP", address)));
        assert_eq!(of(connected.as_raw_fd()), None);
        let taken = |fd: i32| reachable(pid, fd, 1).is_some_and(|socket| is_taken(&socket));
        assert!(taken(listener.as_raw_fd()) && taken(datagrams.as_raw_fd()));
        // They are listed, as all are on this machine.
        let sockets = look().unwrap();
        assert!(sockets.open >= 3);
        assert_eq!(sockets.unlisted, []);
    }

    #[test]
    fn a_door_that_is_left_out_is_found() {
        let sockets = Sockets {
            open: 1,
            unlisted: vec![Unlisted {
                inode: 7,
                protocol: "TCP",
                address: "0.0.0.0:4444".parse().unwrap(),
                pid: 66,
            }],
        };
        let found: Vec<_> = findings(&sockets).collect();
        assert_eq!(
            found[0].what,
            "the process 66 is to be reached at 0.0.0.0:4444 (TCP), which /proc/net/tcp leaves out"
        );
    }
}
