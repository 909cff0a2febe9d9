// SPDX-License-Identifier: GPL-2.0-only
//! Ordinary work for the kernel: files, processes, and TCP on loopback.

#![forbid(unsafe_code)]

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, ExitCode};
use std::thread;

/// Files that one round writes, reads and removes.
const FILES: usize = 20;
/// Processes that one round starts.
const PROCESSES: usize = 5;
/// Requests that one round sends over a TCP connection.
const REQUESTS: usize = 50;

/// One round of each.
pub fn round() -> io::Result<()> {
    files()?;
    processes()?;
    network()
}

/// The `workload` command.
pub fn main(rounds: u64) -> ExitCode {
    for _ in 0..rounds {
        if let Err(error) = round() {
            eprintln!("rt-guest-tests workload: {error}");
            return ExitCode::FAILURE;
        }
    }
    println!(
        "{rounds} rounds of {FILES} files, {PROCESSES} processes and {REQUESTS} requests over TCP"
    );
    ExitCode::SUCCESS
}

fn files() -> io::Result<()> {
    let directory = Path::new("/tmp").join(format!("rt-workload-{}", std::process::id()));
    fs::create_dir_all(&directory)?;
    let contents = vec![b'x'; 10_000];
    for number in 0..FILES {
        let path = directory.join(number.to_string());
        let mut file = File::create(&path)?;
        file.write_all(&contents)?;
        file.sync_all()?;
        let mut copy = Vec::new();
        File::open(&path)?.read_to_end(&mut copy)?;
    }
    for entry in fs::read_dir(&directory)? {
        entry?.metadata()?;
    }
    // A file that is not there: the kernel's functions return errors as well.
    let _ = File::open(directory.join("missing"));
    fs::remove_dir_all(&directory)
}

fn processes() -> io::Result<()> {
    for _ in 0..PROCESSES {
        Command::new("/bin/true").status()?;
    }
    Ok(())
}

fn network() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let server = thread::spawn(move || -> io::Result<()> {
        let (mut connection, _) = listener.accept()?;
        let mut request = [0u8; 64];
        while connection.read_exact(&mut request).is_ok() {
            connection.write_all(&[b'y'; 1024])?;
        }
        Ok(())
    });
    let mut connection = TcpStream::connect(address)?;
    let mut reply = [0u8; 1024];
    for _ in 0..REQUESTS {
        connection.write_all(&[b'z'; 64])?;
        connection.read_exact(&mut reply)?;
    }
    // Not closed alone: another thread may have forked a process that has it, too.
    connection.shutdown(Shutdown::Both)?;
    server
        .join()
        .map_err(|_| io::Error::other("the server panicked"))?
}
