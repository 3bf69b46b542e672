//! `linkctl check`.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;

use links::check::{Blame, Rule, Rules};
use links::{Details, Error, Found, Link, Name, ScanOptions, Target};
use serde::Serialize;

use super::volume;
use crate::args::CheckArgs;
use crate::exit::Exit;
use crate::failure::{Failure, complain, say};
use crate::output::{self, json, sanitize, table};

pub(crate) fn run(args: &CheckArgs) -> Result<Exit, Failure> {
    let rules = rules(args)?;
    let (mut blamed, errors) =
        if args.volume.volume.is_some() { volume::check(args, &rules)? } else { live(args, &rules)? };
    blamed.sort_by(|a, b| (&a.0.path, a.1.rule).cmp(&(&b.0.path, b.1.rule)));
    if args.output.json() {
        let (findings, errors) =
            (blamed.iter().map(record).collect(), errors.iter().map(Into::into).collect());
        json::print(&Document { schema: json::SCHEMA, findings, errors })?;
    } else if !blamed.is_empty() {
        let rows: Vec<[String; 3]> = blamed.iter().map(row).collect();
        let mut out = output::stdout();
        table::columns(&mut out, ["RULE", "LINK", "WHY"], &rows)?;
        out.flush()?;
    } else if errors.is_empty() && io::stdout().is_terminal() {
        complain("note", "no link breaks a rule");
    }
    Ok(match (errors.is_empty(), blamed.is_empty()) {
        (false, _) => Exit::Failed,
        (true, false) => Exit::Found,
        (true, true) => Exit::Done,
    })
}

/// Links with what they are blamed for, and what could not be read.
pub(super) type Judged = (Vec<(Link, Blame)>, Vec<Error>);

fn live(args: &CheckArgs, rules: &Rules) -> Result<Judged, Failure> {
    let roots = if args.paths.is_empty() { vec![PathBuf::from(".")] } else { args.paths.clone() };
    let mut options = ScanOptions::new(roots);
    options.filter.exclude(&args.exclude)?;
    options.one_file_system = args.one_file_system;
    options.details = Details::State;
    options.drive = args.drive.letter();
    let (mut blamed, mut errors) = (Vec::new(), Vec::new());
    for found in links::scan(options) {
        match found {
            Ok(Found::Link(link)) => {
                let blames = rules.judge(&link);
                blamed.extend(blames.into_iter().map(|blame| (link.clone(), blame)));
            }
            Ok(_) => {}
            Err(error) => {
                say("check", &error);
                errors.push(error);
            }
        }
    }
    Ok((blamed, errors))
}

fn rules(args: &CheckArgs) -> Result<Rules, Failure> {
    let mut named: Vec<Rule> = args.rule.iter().flat_map(|rules| rules.0.clone()).collect();
    if named.is_empty() {
        named = Rule::BROKEN.to_vec();
        // Who names a tree wants to know what leaves it.
        named.extend(args.root.is_some().then_some(Rule::Escapes));
    }
    if args.volume.volume.is_some() {
        volume::check_rules(&named)?;
    }
    let mut rules = Rules::new(named);
    if rules.rules.iter().any(|rule| matches!(rule, Rule::Escapes | Rule::Absolute)) {
        let root = match (&args.root, args.paths.as_slice()) {
            (Some(root), _) | (None, [root]) => root.clone(),
            (None, []) => PathBuf::from("."),
            (None, _) => {
                let text =
                    "with several paths, the rules escapes and absolute need to know which tree is meant";
                return Err(Failure::usage(text, "name it with --root DIR"));
            }
        };
        rules.root = Some(links::physical_path(&root)?);
    }
    rules.most_hops = args.max_hops;
    rules.drive = args.drive.letter();
    Ok(rules)
}

fn row((link, blame): &(Link, Blame)) -> [String; 3] {
    let target = link.target.as_ref().and_then(Target::shown).unwrap_or_default();
    let shown = format!("{} -> {}", sanitize::name(&link.path), sanitize::name(target));
    [blame.rule.to_string(), shown, sanitize::line(&blame.reason)]
}

#[derive(Serialize)]
struct Document {
    schema: u32,
    findings: Vec<Finding>,
    errors: Vec<json::ErrorRecord>,
}

#[derive(Serialize)]
struct Finding {
    rule: &'static str,
    path: Name,
    kind: &'static str,
    target: Option<Name>,
    state: &'static str,
    reason: String,
}

fn record((link, blame): &(Link, Blame)) -> Finding {
    Finding {
        rule: blame.rule.as_str(),
        path: json::name(&link.path),
        kind: link.kind.as_str(),
        target: link.target.as_ref().and_then(Target::shown).map(Name),
        state: link.state.as_str(),
        reason: blame.reason.clone(),
    }
}
