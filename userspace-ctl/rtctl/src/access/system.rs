// SPDX-License-Identifier: GPL-2.0-only
//! What of the system decides whether a node can be opened at all: the kernel,
//! the module, lockdown, the user namespace. All of it is readable by anybody.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;

/// The inode of the initial user namespace (PROC_USER_INIT_INO, linux/nsfs.h).
const INITIAL: &str = "user:[4026531837]";

/// What is known of the system.
#[derive(Clone, Debug, Default)]
pub struct System {
    /// The running kernel's release.
    pub release: String,
    /// Whether the kernel has Rust, and where that was found; `None`: its
    /// configuration is nowhere to be found.
    pub rust: Option<(bool, PathBuf)>,
    /// Whether the module is loaded.
    pub loaded: bool,
    /// The module's file for this kernel, if there is one.
    pub file: Option<PathBuf>,
    /// Whether it is signed; `None`: there is none, or it is compressed.
    pub signed: Option<bool>,
    /// Whether the kernel loads signed modules only, whatever lockdown says (`module.sig_enforce`).
    pub enforces: bool,
    /// The level of lockdown; `None`: not to be seen, or the kernel has none.
    pub lockdown: Option<String>,
    /// Whether this process is in the initial user namespace.
    pub initial: bool,
    /// How many sessions a user may have (0: any number), if that is known.
    pub sessions_max: Option<u64>,
}

impl System {
    /// Looks at this system.
    pub fn read() -> Self {
        Self::below(Path::new("/"))
    }

    /// Whether lockdown forbids tracing.
    pub fn is_locked_down(&self) -> bool {
        self.lockdown.as_deref() == Some("confidentiality")
    }

    /// Whether the module's file is one that this kernel does not load, for want of a signature.
    pub fn wants_signature(&self) -> bool {
        // From the level integrity on (LOCKDOWN_MODULE_SIGNATURE).
        let locked = matches!(
            self.lockdown.as_deref(),
            Some("integrity" | "confidentiality")
        );
        self.signed == Some(false) && (self.enforces || locked)
    }

    /// Looks at the system whose root is there.
    fn below(root: &Path) -> Self {
        let line = |path: &str| {
            let text = fs::read_to_string(root.join(path)).ok()?;
            Some(text.trim().to_owned())
        };
        let release = line("proc/sys/kernel/osrelease").unwrap_or_default();
        let namespace = fs::read_link(root.join("proc/self/ns/user"));
        let file = module_file(root, &release);
        Self {
            rust: rust(root, &release),
            loaded: root.join("sys/module/rust_tracer").is_dir(),
            signed: file.as_deref().and_then(is_signed),
            file,
            enforces: line("sys/module/module/parameters/sig_enforce").as_deref() == Some("Y"),
            lockdown: line("sys/kernel/security/lockdown").and_then(|text| level(&text)),
            // A kernel without user namespaces has none but the initial one.
            initial: namespace.is_ok_and(|name| name.as_os_str() == INITIAL)
                || !root.join("proc/self/ns/user").is_symlink(),
            sessions_max: line("sys/module/rust_tracer/parameters/sessions_per_uid")
                .and_then(|text| text.parse().ok()),
            release,
        }
    }
}

/// The chosen one of `none [integrity] confidentiality`.
fn level(text: &str) -> Option<String> {
    let (_, rest) = text.split_once('[')?;
    let (level, _) = rest.split_once(']')?;
    Some(level.to_owned())
}

/// Whether the kernel's configuration has Rust, and which file says so.
fn rust(root: &Path, release: &str) -> Option<(bool, PathBuf)> {
    let places = [
        "proc/config.gz".to_owned(),
        format!("boot/config-{release}"),
        format!("lib/modules/{release}/config"),
        format!("lib/modules/{release}/build/.config"),
    ];
    places.into_iter().find_map(|place| {
        let path = root.join(&place);
        let file = File::open(&path).ok()?;
        let text: Box<dyn Read> = match place.ends_with(".gz") {
            true => Box::new(GzDecoder::new(file)),
            false => Box::new(file),
        };
        let mut found = false;
        for line in BufReader::new(text).lines() {
            found |= line.ok()? == "CONFIG_RUST=y";
        }
        Some((found, path))
    })
}

/// Where modprobe would find the module, or where it lies unknown to modprobe.
fn module_file(root: &Path, release: &str) -> Option<PathBuf> {
    let directory = root.join("lib/modules").join(release);
    let index = fs::read_to_string(directory.join("modules.dep")).unwrap_or_default();
    let indexed = index
        .lines()
        .filter_map(|line| Some(line.split_once(':')?.0))
        .filter(|path| is_module(path.rsplit('/').next().unwrap_or(path)))
        .map(|path| directory.join(path));
    let lying = ["updates", "updates/dkms", "extra"]
        .into_iter()
        .filter_map(|place| fs::read_dir(directory.join(place)).ok())
        .flat_map(|entries| entries.flatten())
        .filter(|entry| is_module(&entry.file_name().to_string_lossy()))
        .map(|entry| entry.path());
    indexed.chain(lying).find(|path| path.exists())
}

fn is_module(name: &str) -> bool {
    let compressed = name.strip_prefix("rust_tracer.ko");
    matches!(compressed, Some("" | ".gz" | ".xz" | ".zst"))
}

/// What a signed module ends in (MODULE_SIG_STRING, linux/module_signature.h).
const SIGNATURE: &[u8] = b"~Module signature appended~\n";

/// Whether a module is signed, by whomever; `None` if it is compressed.
fn is_signed(file: &Path) -> Option<bool> {
    if file.extension()? != "ko" {
        return None;
    }
    let mut file = File::open(file).ok()?;
    let behind = file
        .metadata()
        .ok()?
        .len()
        .checked_sub(SIGNATURE.len() as u64);
    let Some(behind) = behind else {
        return Some(false);
    };
    let mut end = Vec::new();
    file.seek(SeekFrom::Start(behind)).ok()?;
    file.read_to_end(&mut end).ok()?;
    Some(end == SIGNATURE)
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::fs::symlink;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    /// A root with these files.
    fn root(files: &[(&str, &str)]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        let release = ("proc/sys/kernel/osrelease", "7.3.1\n");
        for (name, text) in files.iter().chain([&release]) {
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        directory
    }

    #[test]
    fn an_empty_system_knows_nothing() {
        let root = root(&[]);
        let system = System::below(root.path());
        assert_eq!(system.release, "7.3.1");
        assert!(system.rust.is_none() && !system.loaded && system.file.is_none());
        assert!(system.lockdown.is_none() && system.sessions_max.is_none());
    }

    #[test]
    fn the_configuration_is_found_where_distributions_put_it() {
        let with = root(&[("boot/config-7.3.1", "CONFIG_A=y\nCONFIG_RUST=y\n")]);
        let config = with.path().join("boot/config-7.3.1");
        assert_eq!(System::below(with.path()).rust, Some((true, config)));
        let without = root(&[
            ("lib/modules/7.3.1/config", "# CONFIG_RUST is not set\n"),
            ("boot/config-6.12.0", "CONFIG_RUST=y\n"),
        ]);
        let config = without.path().join("lib/modules/7.3.1/config");
        assert_eq!(System::below(without.path()).rust, Some((false, config)));
    }

    #[test]
    fn the_running_kernels_own_configuration_comes_first() {
        let root = root(&[("boot/config-7.3.1", "# CONFIG_RUST is not set\n")]);
        let path = root.path().join("proc/config.gz");
        let mut gz = GzEncoder::new(File::create(&path).unwrap(), Compression::fast());
        gz.write_all(b"CONFIG_RUST=y\n").unwrap();
        gz.finish().unwrap();
        assert_eq!(System::below(root.path()).rust, Some((true, path)));
    }

    #[test]
    fn a_module_is_found_in_modprobes_index_and_beside_it() {
        let indexed = root(&[
            (
                "lib/modules/7.3.1/modules.dep",
                "kernel/fs/ext4.ko: kernel/lib/crc16.ko\nupdates/rust_tracer.ko.xz: \n",
            ),
            ("lib/modules/7.3.1/updates/rust_tracer.ko.xz", ""),
        ]);
        let file = indexed
            .path()
            .join("lib/modules/7.3.1/updates/rust_tracer.ko.xz");
        assert_eq!(System::below(indexed.path()).file, Some(file));
        let lying = root(&[("lib/modules/7.3.1/extra/rust_tracer.ko", "")]);
        let file = lying.path().join("lib/modules/7.3.1/extra/rust_tracer.ko");
        assert_eq!(System::below(lying.path()).file, Some(file));
        let gone = root(&[(
            "lib/modules/7.3.1/modules.dep",
            "extra/rust_tracer.ko:\nextra/rust_tracer.ko.d:\n",
        )]);
        assert_eq!(System::below(gone.path()).file, None);
    }

    #[test]
    fn a_module_that_wants_a_signature_is_seen() {
        let module = "lib/modules/7.3.1/updates/rust_tracer.ko";
        let enforce = "sys/module/module/parameters/sig_enforce";
        let wants = |files: &[(&str, &str)]| System::below(root(files).path()).wants_signature();
        let signed = "ELF\0~Module signature appended~\n";
        for unsigned in ["", "ELF\0 and what follows, which is longer than that"] {
            assert!(wants(&[(module, unsigned), (enforce, "Y\n")]));
            assert!(!wants(&[(module, unsigned), (enforce, "N\n")]));
        }
        assert!(!wants(&[(module, signed), (enforce, "Y\n")]));
        assert!(!wants(&[(&format!("{module}.xz"), ""), (enforce, "Y\n")]));
        let lockdown = "sys/kernel/security/lockdown";
        assert!(wants(&[
            (module, ""),
            (lockdown, "none [integrity] confidentiality\n")
        ]));
        assert!(!wants(&[
            (module, ""),
            (lockdown, "[none] integrity confidentiality\n")
        ]));
    }

    #[test]
    fn a_loaded_module_lockdown_and_the_namespace_are_seen() {
        let root = root(&[
            (
                "sys/kernel/security/lockdown",
                "none [integrity] confidentiality\n",
            ),
            ("sys/module/rust_tracer/parameters/sessions_per_uid", "64\n"),
            ("proc/self/ns/pid", ""),
        ]);
        let user = root.path().join("proc/self/ns/user");
        symlink("user:[4026532211]", &user).unwrap();
        let system = System::below(root.path());
        assert!(system.loaded && !system.initial);
        assert_eq!(system.lockdown.as_deref(), Some("integrity"));
        assert_eq!(system.sessions_max, Some(64));
        fs::remove_file(&user).unwrap();
        symlink(INITIAL, &user).unwrap();
        assert!(System::below(root.path()).initial);
    }
}
