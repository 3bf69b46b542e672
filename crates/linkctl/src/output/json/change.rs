//! What changing verbs plan and do.

use std::borrow::Cow;
use std::ffi::OsStr;

use links::apply::Report;
use links::plan::{Cost, Finding, Lost, Severity, Step};
use links::{LinkKind, Name};
use serde::{Serialize, Serializer};

use super::{ErrorRecord, name};
use crate::failure::text_of;
use crate::output::shown;

/// One step of a changing verb.
#[derive(Serialize)]
struct ChangeRecord<'a> {
    action: &'static str,
    path: Name<&'a OsStr>,
    kind: Option<&'static str>,
    target: Option<Name<Cow<'a, OsStr>>>,
    /// `planned`, `done`, `failed` or `not-reached`.
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorRecord>,
}

/// The steps of a plan, as [`ChangeRecord`]s one after the other.
pub(crate) struct Changes<'a> {
    pub(crate) steps: &'a [Step],
    pub(crate) report: Option<&'a Report>,
    pub(crate) dry_run: bool,
}

impl<'a> Serialize for Changes<'a> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let change = |(index, step): (usize, &'a Step)| {
            let result = self.report.and_then(|report| report.results.get(index));
            ChangeRecord {
                action: step.action().as_str(),
                path: Name(step.path().shown().as_os_str()),
                kind: step.kind().map(LinkKind::as_str),
                target: step.target().and_then(shown).map(Name),
                result: match result {
                    _ if self.dry_run => "planned",
                    Some(Ok(_)) => "done",
                    Some(Err(_)) => "failed",
                    None => "not-reached",
                },
                error: result.and_then(|result| result.as_ref().err()).map(Into::into),
            }
        };
        serializer.collect_seq(self.steps.iter().enumerate().map(change))
    }
}

/// What a changing verb did.
#[derive(Serialize)]
pub(crate) struct Document<'a> {
    pub(crate) verb: &'a str,
    pub(crate) operation: Option<i64>,
    pub(crate) dry_run: bool,
    pub(crate) changes: Changes<'a>,
    pub(crate) notes: Vec<NoteRecord>,
    /// Of a dry run: what only a try on the disk can tell.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) not_tried: Vec<FindingRecord>,
    /// Of a verb that moves whole trees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tree: Option<TreeRecord>,
    pub(crate) errors: Vec<ErrorRecord>,
}

record! {
    /// A tree that is moved.
    TreeRecord of (cost, findings, report): (Cost, &[Finding], Option<&Report>) => {
        objects: u64 = cost.objects,
        /// How many bytes have to be copied; none where it is renamed.
        bytes: u64 = cost.bytes,
        /// What was found before anything was done.
        findings: Vec<FindingRecord> = findings.iter().map(Into::into).collect(),
        /// What the copy could not keep.
        lost: Vec<NoteRecord> = report.iter().flat_map(|report| report.lost()).map(Into::into).collect(),
        /// The old tree, where it was kept, and why.
        kept: Vec<ErrorRecord> = report.iter().flat_map(|report| report.kept()).map(Into::into).collect(),
    }
}

record! {
    FindingRecord of finding: &Finding => {
        /// `note`, `not-tried`, `warning` or `refusal`.
        severity: &'static str = finding.severity.as_str(),
        /// The stable name of this sort of finding.
        code: &'static str = finding.code,
        path: Name = name(&finding.path),
        text: String = text_of(finding),
    }
}

/// Something worth knowing.
#[derive(Serialize)]
pub(crate) struct NoteRecord {
    path: Name,
    text: String,
    /// The stable name of this sort of note.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
}

impl NoteRecord {
    pub(crate) fn of_note(finding: &Finding) -> Option<Self> {
        let is_note = finding.severity == Severity::Note;
        is_note.then(|| Self { path: name(&finding.path), text: text_of(finding), code: Some(finding.code) })
    }
}

impl From<&Lost> for NoteRecord {
    fn from(lost: &Lost) -> Self {
        Self { path: name(&lost.path), text: lost.what.clone(), code: None }
    }
}
