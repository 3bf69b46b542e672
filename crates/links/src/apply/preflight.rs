//! What is looked for and tried before the first change of a plan.

use super::log::Records;
use super::recovery;
use super::step::kind;
use crate::model::{Finding, Severity, Step};

/// What stands in the way of the steps.
pub(super) fn run(steps: &[Step], records: Option<&Records<'_>>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(Records::Journal(journal)) = records {
        match recovery::in_the_way(journal, steps) {
            Ok(found) => findings.extend(found),
            Err(error) => findings.push(refusal("journal-unreadable", &error)),
        }
    }
    for step in steps {
        match kind(step).preflight() {
            Ok(found) => findings.extend(found),
            Err(error) => findings.push(refusal("cannot-look", &error)),
        }
    }
    findings
}

fn refusal(code: &'static str, error: &crate::error::Error) -> Finding {
    Finding::new(Severity::Refusal, code, error.path(), error.cause())
}
