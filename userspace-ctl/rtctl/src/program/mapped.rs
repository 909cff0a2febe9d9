// SPDX-License-Identifier: GPL-2.0-only
//! What a process has mapped: lines of /proc/PID/maps, and the files that they are about.
//!
//! Which file that is, and what is in it, is the process's to choose, and who traces may have more rights than it has.
//! So no name is followed out of the process's root, nothing is opened that is no regular file, none is read that is not
//! the mapped one, and what is read is bounded.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::rc::Rc;

use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags, fstat, open, openat2};

/// The largest file that is read.
const BYTES_MOST: u64 = 1 << 29;

/// A mapped part of a file that can be executed.
#[derive(Clone, Debug)]
pub struct Mapped {
    /// The first address.
    pub start: u64,
    /// The address behind the last.
    pub end: u64,
    /// Where in the file it begins.
    pub offset: u64,
    /// The file.
    pub file: Rc<Named>,
}

/// A file, as a process names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Named {
    /// The file system's device, as it is written.
    device: Box<str>,
    /// The file's number there.
    inode: u64,
    /// From the process's root.
    path: Box<str>,
    /// Nothing is there under that name any more.
    deleted: bool,
}

impl Mapped {
    /// A line of /proc/PID/maps, if it is a file's code.
    pub fn parse(line: &str) -> Option<Self> {
        let mut words = line.splitn(6, ' ');
        let (start, end) = words.next()?.split_once('-')?;
        let rights = words.next()?;
        let offset = words.next()?;
        let device = words.next()?;
        let inode = words.next()?;
        let path = words.next()?.trim_start();
        (rights.contains('x') && path.starts_with('/')).then_some(())?;
        let number = |text| u64::from_str_radix(text, 16).ok();
        let kept = path.strip_suffix(" (deleted)");
        Some(Self {
            start: number(start)?,
            end: number(end)?,
            offset: number(offset)?,
            file: Rc::new(Named {
                device: device.into(),
                inode: inode.parse().ok()?,
                path: kept.unwrap_or(path).into(),
                deleted: kept.is_some(),
            }),
        })
    }

    /// What is in the file, if it can be read.
    pub fn read(&self, pid: u32) -> Option<Vec<u8>> {
        let exact = || {
            // The mapping itself leads there; to who may checkpoint processes.
            let link = format!("/proc/{pid}/map_files/{:x}-{:x}", self.start, self.end);
            open(link, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).ok()
        };
        let found = exact().or_else(|| self.file.by_name(pid))?;
        self.file.read(&found)
    }
}

impl Named {
    /// The file's name without its folder.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// Opens nothing yet. Below the process's own root; and below ours, if the process has ended.
    fn by_name(&self, pid: u32) -> Option<OwnedFd> {
        if self.deleted {
            return None;
        }
        let folder = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = open(format!("/proc/{pid}/root"), folder, Mode::empty());
        let root = root.or_else(|_| open("/", folder, Mode::empty())).ok()?;
        let inside = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        openat2(root, &*self.path, flags, Mode::empty(), inside).ok()
    }

    fn read(&self, found: &impl AsFd) -> Option<Vec<u8>> {
        let found = found.as_fd();
        let stat = fstat(found).ok()?;
        let is_it = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
            && stat.st_ino == self.inode
            && (stat.st_size as u64) <= BYTES_MOST;
        if !is_it {
            return None;
        }
        let link = format!("/proc/self/fd/{}", found.as_raw_fd());
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = rustix::fs::openat(CWD, link, flags, Mode::empty()).ok()?;
        let mut bytes = Vec::new();
        let mut file = File::from(file).take(BYTES_MOST);
        file.read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, symlink};
    use std::path::Path;

    use super::*;

    #[test]
    fn lines_of_maps_are_taken_apart() {
        let line = "7f5e2c000000-7f5e2c155000 r-xp 00026000 fe:01 1234      /usr/lib/a b.so";
        let map = Mapped::parse(line).unwrap();
        assert_eq!((map.start, map.end), (0x7f5e_2c00_0000, 0x7f5e_2c15_5000));
        assert_eq!((map.offset, map.file.name()), (0x26000, "a b.so"));
        assert_eq!((&*map.file.path, map.file.inode), ("/usr/lib/a b.so", 1234));
        assert!(!map.file.deleted);
        let gone = Mapped::parse(&format!("{line} (deleted)")).unwrap();
        assert_eq!(&*gone.file.path, "/usr/lib/a b.so");
        assert!(gone.file.deleted);
        for other in [
            "7ffe0000-7ffe1000 r-xp 00000000 00:00 0     [vdso]",
            "7ffe0000-7ffe1000 rw-p 00000000 fe:01 1     /usr/lib/a.so",
            "",
            "x",
        ] {
            assert!(Mapped::parse(other).is_none(), "{other}");
        }
    }

    /// A file that this process says it has mapped, where it has not.
    fn named(path: &Path, inode: u64) -> Mapped {
        let path = path.display();
        Mapped::parse(&format!("1000-2000 r-xp 00000000 fe:01 {inode} {path}")).unwrap()
    }

    #[test]
    fn what_is_read_is_the_mapped_file_and_a_regular_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "text").unwrap();
        let inode = |path: &Path| std::fs::symlink_metadata(path).unwrap().ino();
        let me = std::process::id();
        assert_eq!(named(&file, inode(&file)).read(me).unwrap(), b"text");
        // It was replaced.
        assert_eq!(named(&file, inode(&file) + 1).read(me), None);
        let pipe = folder.path().join("pipe");
        rustix::fs::mkfifoat(CWD, &pipe, Mode::RUSR | Mode::WUSR).unwrap();
        assert_eq!(named(&pipe, inode(&pipe)).read(me), None);
        let link = folder.path().join("link");
        symlink("/dev/zero", &link).unwrap();
        let zero = std::fs::metadata("/dev/zero").unwrap().ino();
        for inode in [inode(&link), zero] {
            assert_eq!(named(&link, inode).read(me), None);
        }
    }

    #[test]
    fn what_has_ended_is_looked_for_by_name() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let inode = file.as_file().metadata().unwrap().ino();
        let read = |inode| named(file.path(), inode).read(u32::MAX);
        assert_eq!(read(inode), Some(Vec::new()));
        assert_eq!(read(inode + 1), None);
    }
}
