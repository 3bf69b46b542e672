//! Bars and counters on the terminal; nothing is printed elsewhere.

use std::io::{self, IsTerminal as _};
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::{ProgressBar, ProgressStyle};
use links::Error;
use links::apply::{Done, Meter, Observer};
use links::plan::Step;

use super::journal::unjournaled;

/// Runs work on a tree of so many objects and bytes with a bar on the terminal: bytes, files, rate, time left.
pub(super) fn shown<T>(meter: &Meter, size: Option<(u64, u64)>, work: impl FnOnce() -> T) -> T {
    let Some((objects, bytes)) = size.filter(|_| io::stderr().is_terminal()) else {
        return work();
    };
    let (template, length) = if bytes > 0 {
        ("{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta} left, {msg}", bytes)
    } else {
        ("{spinner} {msg}", objects)
    };
    let bar = bar(template, length);
    let reads_back = AtomicBool::new(false);
    let show = |bar: &ProgressBar| {
        // What was copied is read back from the beginning.
        let checked = meter.checked.load(Ordering::Relaxed);
        if checked > 0 && !reads_back.swap(true, Ordering::Relaxed) {
            bar.reset();
        }
        let what = if checked > 0 { "read back" } else { "copied" };
        bar.set_position(if checked > 0 { checked } else { meter.bytes.load(Ordering::Relaxed) });
        let files = meter.files.load(Ordering::Relaxed).min(objects);
        bar.set_message(format!("{what}, {files} of {objects} files"));
    };
    with_bar(&bar, show, work)
}

/// Runs something while a bar is brought up to date ten times a second; takes the bar away at the end.
fn with_bar<T>(bar: &ProgressBar, show: impl Fn(&ProgressBar) + Sync, work: impl FnOnce() -> T) -> T {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let ticker = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                std::thread::park_timeout(std::time::Duration::from_millis(100));
                show(bar);
            }
        });
        let answer = work();
        done.store(true, Ordering::Relaxed);
        ticker.thread().unpark();
        drop(ticker.join());
        bar.finish_and_clear();
        answer
    })
}

/// Runs something, with a line on the terminal that says how far it is.
pub(crate) fn ticking<T>(message: impl Fn() -> String + Sync, work: impl FnOnce(&ProgressBar) -> T) -> T {
    if !io::stderr().is_terminal() {
        return work(&ProgressBar::hidden());
    }
    let show = |bar: &ProgressBar| {
        bar.set_message(message());
        bar.tick();
    };
    let bar = bar("{spinner} {msg}", 0);
    with_bar(&bar, show, || work(&bar))
}

/// indicatif draws on standard error, and only on a terminal.
fn bar(template: &str, length: u64) -> ProgressBar {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(length).with_style(style)
}

/// A bar on a terminal, for work that takes a while; nothing elsewhere.
pub(super) struct Progress {
    pub(super) bar: ProgressBar,
    /// What is said of a journal that cannot be written.
    unrecorded: String,
}

impl Progress {
    /// Without a number of steps, no bar is shown.
    pub(super) fn new(steps: Option<usize>, unrecorded: &str) -> Self {
        let steps = steps.map(|steps| u64::try_from(steps).unwrap_or(u64::MAX));
        let bar = steps.map(|steps| bar("{bar:30} {pos}/{len} links, {eta} left", steps));
        Self { bar: bar.unwrap_or_else(ProgressBar::hidden), unrecorded: unrecorded.to_owned() }
    }
}

impl Observer for Progress {
    fn step_ended(&mut self, _step: &Step, _result: &links::Result<Done>) {
        self.bar.inc(1);
    }

    fn warning(&mut self, error: &Error) {
        self.bar.suspend(|| unjournaled(error, &self.unrecorded));
    }
}
