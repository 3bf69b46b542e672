//! What `repair` found and did.

use links::Name;
use links::apply::Report;
use links::repair::{Candidate, Mapping, Mend, Verdict};
use serde::Serialize;

use super::{ErrorRecord, name};

/// What `repair` found and did.
#[derive(Serialize)]
pub(crate) struct Document {
    pub(crate) verb: &'static str,
    pub(crate) operation: Option<i64>,
    pub(crate) dry_run: bool,
    pub(crate) links: Vec<Record>,
    pub(crate) mappings: Vec<MappingRecord>,
    pub(crate) searched_all: bool,
    pub(crate) distrusted: usize,
    pub(crate) errors: Vec<ErrorRecord>,
}

#[derive(Serialize)]
pub(crate) struct Record {
    pub(crate) path: Name,
    pub(crate) kind: &'static str,
    pub(crate) old_target: Option<Name>,
    pub(crate) new_target: Option<Name>,
    /// `planned`, `done`, `failed`, `not-reached`, `shown`, `with-another` or `remains`.
    pub(crate) result: &'static str,
    pub(crate) why: String,
    pub(crate) confidence: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) candidates: Vec<CandidateRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<ErrorRecord>,
}

impl Record {
    /// A link, with why it is as it is in words.
    pub(crate) fn new(mend: &Mend, why: String, report: Option<&Report>) -> Self {
        let mut record = Self {
            path: name(&mend.link),
            kind: mend.kind.as_str(),
            old_target: mend.old.shown().map(Name),
            new_target: None,
            result: "remains",
            why,
            confidence: None,
            candidates: Vec::new(),
            error: None,
        };
        match &mend.verdict {
            Verdict::Found { new, confidence, step, .. } => {
                let result = step.and_then(|step| report?.results.get(step));
                record.new_target = new.shown().map(Name);
                record.confidence = Some(confidence.as_str());
                record.result = match (step, report, result) {
                    (None, ..) => "shown",
                    (Some(_), None, _) => "planned",
                    (Some(_), Some(_), Some(Ok(_))) => "done",
                    (Some(_), Some(_), Some(Err(_))) => "failed",
                    (Some(_), Some(_), None) => "not-reached",
                };
                record.error = result.and_then(|result| result.as_ref().err()).map(Into::into);
            }
            Verdict::With(_) => record.result = "with-another",
            Verdict::Remains { candidates, .. } => {
                record.candidates = candidates.iter().map(Into::into).collect();
            }
        }
        record
    }
}

record! {
    CandidateRecord of candidate: &Candidate => {
        path: Name = name(&candidate.path),
        score: usize = candidate.score,
    }
}

record! {
    MappingRecord of mapping: &Mapping => {
        old: Name = name(&mapping.old),
        new: Name = name(&mapping.new),
        mends: usize = mapping.mends,
        of: usize = mapping.of,
        confidence: &'static str = mapping.confidence.as_str(),
    }
}
