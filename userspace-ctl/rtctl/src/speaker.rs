// SPDX-License-Identifier: GPL-2.0-only
//! What the tool says besides its data: notices and errors, on standard error.

use std::io::Write;

/// Says things on standard error.
pub struct Speaker {
    quiet: bool,
    out: Box<dyn Write>,
}

impl Speaker {
    /// A speaker that leaves out notices if it is to be quiet.
    pub fn new(quiet: bool, out: Box<dyn Write>) -> Self {
        Self { quiet, out }
    }

    /// Leaves out notices from now on, or not.
    pub fn be_quiet(&mut self, quiet: bool) {
        self.quiet = quiet;
    }

    /// Says what is good to know.
    pub fn notice(&mut self, text: &str) {
        if !self.quiet {
            self.error(text);
        }
    }

    /// Says what must be known.
    pub fn error(&mut self, text: &str) {
        // There is nobody to tell that nobody can be told.
        let _ = writeln!(self.out, "rtctl: {text}");
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::cell::RefCell;
    use std::io;
    use std::rc::Rc;

    use super::*;

    /// What a speaker said.
    #[derive(Clone, Default)]
    pub(crate) struct Heard(Rc<RefCell<Vec<u8>>>);

    impl Heard {
        pub(crate) fn speaker(quiet: bool) -> (Self, Speaker) {
            let heard = Self::default();
            (heard.clone(), Speaker::new(quiet, Box::new(heard)))
        }

        pub(crate) fn text(&self) -> String {
            String::from_utf8(self.0.borrow().clone()).unwrap()
        }
    }

    impl Write for Heard {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_quiet_speaker_keeps_to_what_must_be_known() {
        let (heard, mut says) = Heard::speaker(true);
        says.notice("nice");
        says.error("needed");
        assert_eq!(heard.text(), "rtctl: needed\n");
    }
}
