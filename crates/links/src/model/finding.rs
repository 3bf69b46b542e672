//! What a planner or the preflight found that the user should know.

use std::path::PathBuf;

/// Something found while planning, or before the first change of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// How grave it is.
    pub severity: Severity,
    /// The stable name of this sort of finding, for programs.
    pub code: &'static str,
    /// The path it is about.
    pub path: PathBuf,
    /// What it is. Names in it are quoted and escaped already.
    pub text: String,
}

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// What only a try on the disk can tell, and no try was made.
    NotTried,
    /// Something will not be as it was; where the plan is strict, a refusal.
    Warning,
    /// It cannot be done, or would lose something.
    Refusal,
}

impl Severity {
    /// The stable name used in every output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::NotTried => "not-tried",
            Self::Warning => "warning",
            Self::Refusal => "refusal",
        }
    }
}

impl Finding {
    /// A finding.
    pub fn new(severity: Severity, code: &'static str, path: impl Into<PathBuf>, text: impl Into<String>) -> Self {
        Self { severity, code, path: path.into(), text: text.into() }
    }
}
