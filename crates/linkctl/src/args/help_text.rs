//! Help texts whose words differ between Linux and Windows.

#[cfg(not(windows))]
macro_rules! this_system {
    ($linux:literal, $windows:literal) => {
        $linux
    };
}

#[cfg(windows)]
macro_rules! this_system {
    ($linux:literal, $windows:literal) => {
        $windows
    };
}

/// One text for people on Linux, one for people on Windows.
macro_rules! by_system {
    ($linux:literal, $windows:literal $(,)?) => {
        $crate::args::this_system!($linux, $windows)
    };
    // The parts of `after_help`.
    (($linux:literal | $windows:literal)) => {
        $crate::args::this_system!($linux, $windows)
    };
    ($both:literal) => {
        $both
    };
}

/// What stands below the options: `[text]`, then examples without the word `linkctl`, one in each pair of brackets. Text
/// and examples are made of parts: `"for both"` or `("Linux" | "Windows")`.
macro_rules! after_help {
    ($([$($text:tt)+])? $heading:ident: $([$($part:tt)+])+) => {
        concat!(
            $($($crate::args::by_system!($text),)+ "\n\n",)?
            stringify!($heading), ":",
            $("\n  linkctl ", $($crate::args::by_system!($part)),+),+
        )
    };
}

pub(crate) use {after_help, by_system, this_system};
