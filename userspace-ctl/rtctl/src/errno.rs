// SPDX-License-Identifier: GPL-2.0-only
//! Return values that are errors, by name.

use nix::errno::Errno;

/// The largest error number the kernel returns as a negative value.
const MAX: u32 = 4095;

/// Errors that the kernel keeps to itself (include/linux/errno.h).
const INTERNAL: [(u32, &str); 20] = [
    (512, "ERESTARTSYS"),
    (513, "ERESTARTNOINTR"),
    (514, "ERESTARTNOHAND"),
    (515, "ENOIOCTLCMD"),
    (516, "ERESTART_RESTARTBLOCK"),
    (517, "EPROBE_DEFER"),
    (518, "EOPENSTALE"),
    (519, "ENOPARAM"),
    (521, "EBADHANDLE"),
    (522, "ENOTSYNC"),
    (523, "EBADCOOKIE"),
    (524, "ENOTSUPP"),
    (525, "ETOOSMALL"),
    (526, "ESERVERFAULT"),
    (527, "EBADTYPE"),
    (528, "EJUKEBOX"),
    (529, "EIOCBQUEUED"),
    (530, "ERECALLCONFLICT"),
    (531, "ENOGRACE"),
    (532, "EBUSY_RETRY"),
];

/// A return value that looks like an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The error number, positive.
    pub number: u32,
    /// Whether the value is an error only as a 32-bit integer. Without the
    /// function's type it cannot be told from a large unsigned number.
    pub narrow: bool,
}

impl Failure {
    /// What a return value says, if it lies in the range of errors.
    pub fn of(value: u64) -> Option<Self> {
        let wide = value.wrapping_neg();
        if (1..=u64::from(MAX)).contains(&wide) {
            return Some(Self {
                number: wide as u32,
                narrow: false,
            });
        }
        let narrow = u32::try_from(value).ok()?.wrapping_neg();
        (1..=MAX).contains(&narrow).then_some(Self {
            number: narrow,
            narrow: true,
        })
    }

    /// The error's name, if it has one.
    pub fn name(self) -> Option<String> {
        let internal = INTERNAL.iter().find(|(number, _)| *number == self.number);
        if let Some((_, name)) = internal {
            return Some((*name).to_owned());
        }
        match Errno::from_raw(i32::try_from(self.number).ok()?) {
            Errno::UnknownErrno => None,
            errno => Some(format!("{errno:?}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(value: i64) -> Option<String> {
        Failure::of(value as u64)?.name()
    }

    #[test]
    fn errors_have_names() {
        assert_eq!(name(-2).as_deref(), Some("ENOENT"));
        assert_eq!(name(-11).as_deref(), Some("EAGAIN"));
        assert_eq!(name(-512).as_deref(), Some("ERESTARTSYS"));
        assert_eq!(name(-517).as_deref(), Some("EPROBE_DEFER"));
        assert_eq!(name(-4095), None);
    }

    #[test]
    fn only_the_range_of_errors_counts() {
        for value in [0, 1, 4096, -4096, i64::MIN, i64::MAX] {
            assert_eq!(Failure::of(value as u64), None, "{value}");
        }
        assert_eq!(Failure::of(u64::MAX).map(|it| it.number), Some(1));
    }

    #[test]
    fn an_int_is_an_error_only_if_it_is_an_int() {
        let failure = Failure::of(0xffff_fffe).unwrap();
        assert!(failure.narrow);
        assert_eq!(failure.name().as_deref(), Some("ENOENT"));
        assert!(!Failure::of(-2_i64 as u64).unwrap().narrow);
    }
}
