//! Exit codes, and which one wins where several apply.

use std::process::ExitCode;

use links::{Error, ErrorKind};

/// How a run ends. A later one outweighs an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// Everything asked for was done.
    Done,
    /// A check found something.
    Found,
    /// The command line makes no sense.
    Usage,
    /// Refused for safety; nothing was changed.
    Refused,
    /// Failed, or done in part.
    Failed,
    /// Stopped by the user.
    Interrupted,
}

impl Exit {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Found => 1,
            Self::Usage => 2,
            Self::Failed => 3,
            Self::Refused => 4,
            Self::Interrupted => 130,
        }
    }

    /// Refused: linkctl could have done it and would not. Failed: it could not be done.
    pub(crate) fn of(kind: ErrorKind) -> Self {
        use ErrorKind as K;
        match kind {
            K::InvalidOption => Self::Usage,
            K::Stopped => Self::Interrupted,
            K::AlreadyExists
            | K::Busy
            | K::Changed
            | K::CrossesVolumes
            | K::InvalidPath
            | K::InvalidTarget
            | K::IsDirectory
            | K::KindNeeded
            | K::LastName
            | K::NotALink
            | K::NotSupported
            | K::Nothing
            | K::SameFile
            | K::TargetIsLink
            | K::Undecided
            | K::VolumeAway => Self::Refused,
            _ => Self::Failed,
        }
    }

    /// The gravest of several errors.
    pub(crate) fn of_all<'a>(errors: impl IntoIterator<Item = &'a Error>) -> Option<Self> {
        errors.into_iter().map(|error| Self::of(error.kind())).max()
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_documentation_and_the_gravest_wins() {
        let order = [
            (Exit::Done, 0),
            (Exit::Found, 1),
            (Exit::Usage, 2),
            (Exit::Refused, 4),
            (Exit::Failed, 3),
            (Exit::Interrupted, 130),
        ];
        for (exit, code) in order {
            assert_eq!(exit.code(), code, "{exit:?}");
        }
        assert!(order.is_sorted_by(|a, b| a.0 < b.0));
        let several = [Exit::Done, Exit::Failed, Exit::Refused];
        assert_eq!(several.into_iter().max(), Some(Exit::Failed), "done in part is more than refused");
    }

    #[test]
    fn what_cannot_be_done_fails_and_what_we_will_not_do_is_refused() {
        let cases = [
            (ErrorKind::AlreadyExists, 4),
            (ErrorKind::NotSupported, 4),
            (ErrorKind::IsDirectory, 4),
            (ErrorKind::Changed, 4),
            (ErrorKind::NotFound, 3),
            (ErrorKind::ParentMissing, 3),
            (ErrorKind::PermissionDenied, 3),
            (ErrorKind::Full, 3),
            (ErrorKind::TooLong, 3),
            (ErrorKind::NotVerified, 3),
            (ErrorKind::Journal, 3),
            (ErrorKind::InvalidOption, 2),
        ];
        for (kind, code) in cases {
            assert_eq!(Exit::of(kind).code(), code, "{kind:?}");
        }
    }
}
