// SPDX-License-Identifier: GPL-2.0-only
//! What users call system calls that the kernel calls otherwise (asm/unistd_64.h against the names
//! in arch/x86/entry/syscalls/syscall_64.tbl), and what types their arguments have.
#![forbid(unsafe_code)]

/// By the kernel's names.
const RENAMED: [(&str, &str); 5] = [
    ("newstat", "stat"),
    ("newfstat", "fstat"),
    ("newlstat", "lstat"),
    ("newuname", "uname"),
    ("sendfile64", "sendfile"),
];

/// A system call as users know it, by the kernel's name for it.
pub fn as_users_know(kernel: &str) -> &str {
    let renamed = RENAMED.iter().find(|(name, _)| *name == kernel);
    renamed.map_or(kernel, |(_, known)| known)
}

/// A system call as the kernel knows it, by either name.
pub fn as_the_kernel_knows(name: &str) -> &str {
    let renamed = RENAMED.iter().find(|(_, known)| *known == name);
    renamed.map_or(name, |(kernel, _)| kernel)
}

/// The types of what a system call takes, as C writes them, by the kernel's name for it. `None`: it is none of those that
/// the kernel had when the table was made.
pub fn arguments(kernel: &str) -> Option<impl Iterator<Item = &'static str>> {
    const TABLE: &str = include_str!("syscalls/arguments.txt");
    let of = |line: &'static str| line.strip_prefix(kernel)?.strip_prefix(':');
    let arguments = TABLE.lines().find_map(of)?;
    Some(
        arguments
            .split(',')
            .map(str::trim)
            .filter(|one| !one.is_empty()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_those_of_the_call() {
        let of = |name| arguments(name).map(|all| all.collect::<Vec<_>>());
        assert_eq!(
            of("write"),
            Some(vec!["unsigned int", "const char *", "size_t"])
        );
        assert_eq!(of("getpid"), Some(vec![]));
        assert_eq!(of("writ"), None);
        assert_eq!(of("#"), None);
    }

    #[test]
    fn calls_have_two_names() {
        assert_eq!(as_users_know("newuname"), "uname");
        assert_eq!(as_the_kernel_knows("uname"), "newuname");
        assert_eq!(as_the_kernel_knows("newuname"), "newuname");
        assert_eq!(as_users_know("read"), as_the_kernel_knows("read"));
    }
}
