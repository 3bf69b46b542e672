//! What is looked for and tried before the first change of a plan.

use super::log::{Records, give_up};
use super::step::kind;
use super::{Observer, recovery};
use crate::model::{Finding, Severity, Step};

/// What stands in the way of the steps. A journal that cannot be read does not: the plan is carried out without it.
pub(super) fn run(steps: &[Step], records: &mut Option<Records<'_>>, observer: &mut dyn Observer) -> Vec<Finding> {
    let mut findings = Vec::new();
    let left = match records {
        Some(Records::Journal(journal)) => recovery::in_the_way(journal, steps),
        _ => Ok(None),
    };
    match (left, &mut *records) {
        (Ok(found), _) => findings.extend(found),
        (Err(error), Some(open)) => {
            give_up(open, &error, observer);
            *records = None;
        }
        (Err(_), None) => {}
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
