// SPDX-License-Identifier: GPL-2.0-only
//! A word on what takes long: only if it takes more than 2 s, and only on a
//! terminal.

use std::io::{IsTerminal, stderr};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// How long to keep silent.
const PATIENCE: Duration = Duration::from_secs(2);

/// Says what is being done for as long as it lives.
pub struct Progress {
    thread: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// Begins something that may take long.
    pub fn begin(what: impl Into<String>) -> Self {
        if !stderr().is_terminal() {
            return Self { thread: None };
        }
        let what = what.into();
        let (done, end) = channel();
        let show = move || {
            if end.recv_timeout(PATIENCE) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            let bar = ProgressBar::new_spinner().with_message(what);
            let style = ProgressStyle::with_template("rtctl: {msg} {spinner} {elapsed}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
            bar.set_elapsed_start();
            bar.enable_steady_tick(Duration::from_millis(100));
            // An error means that `done` is gone, and with it the wait.
            let _ = end.recv();
            bar.finish_and_clear();
        };
        Self {
            thread: thread::Builder::new()
                .spawn(show)
                .ok()
                .map(|thread| (done, thread)),
        }
    }
}

/// The time before the first word counts as well.
trait Elapsed {
    fn set_elapsed_start(&self);
}

impl Elapsed for ProgressBar {
    fn set_elapsed_start(&self) {
        self.set_elapsed(PATIENCE);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((done, thread)) = self.thread.take() {
            drop(done);
            // Nothing depends on it but the terminal.
            let _ = thread.join();
        }
    }
}
