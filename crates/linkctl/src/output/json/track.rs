//! What `track` records.

use links::Name;
use links::journal::Tracked;
use links::track::Report;

use super::{ErrorRecord, file_kind, name};

record! {
    /// What is recorded of links by a verb, or would be by a dry run.
    Document of (verb, dry_run, report): (&'static str, bool, &Report),
        records = |all: &[Tracked]| all.iter().map(|tracked| (tracked, None).into()).collect()
    => {
        verb: &'static str = verb,
        dry_run: bool = dry_run,
        tracked: Vec<Record> = records(&report.tracked),
        /// Links that lead nowhere now, of which nothing new is recorded.
        broken: Vec<Name> = report.broken.iter().map(name).collect(),
        forgotten: Vec<Record> = records(&report.forgotten),
        errors: Vec<ErrorRecord> = report.errors.iter().map(Into::into).collect(),
    }
}

record! {
    Record of (tracked, state): (&Tracked, Option<&'static str>) => {
        path: Name = name(&tracked.link),
        kind: &'static str = tracked.target.kind().as_str(),
        target: Option<Name> = tracked.target.shown().map(Name),
        /// What it led to when it was recorded.
        led_to: LedTo = tracked.into(),
        /// When that was, in milliseconds since 1970 (UTC).
        recorded: i64 = tracked.seen,
        /// Of a list: the state of the link, or `changed` where it is gone or says something else.
        #[serde(skip_serializing_if = "Option::is_none")]
        state: Option<&'static str> = state,
    }
}

record! {
    LedTo of tracked: &Tracked, identity = &tracked.identity => {
        path: Name = name(&identity.path),
        kind: &'static str = file_kind(identity.kind),
        size: u64 = identity.size,
    }
}
