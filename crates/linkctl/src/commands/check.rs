//! `linkctl check`.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;

use clap::Args;
use links::check::{Blame, Rule, Rules};
use links::volume::VolumeScan;
use links::{Details, Error, Found, Link, ScanOptions, Target};

use super::volume::{confined, open, reading};
use crate::args::{DriveOption, OutputOptions, VolumeOptions, after_help};
use crate::exit::Exit;
use crate::failure::{Failure, Verb, complain, say};
use crate::output::{self, json, sanitize, table};
use crate::session::volumes_away;

/// Hold links to rules; exit 1 where one is broken
#[derive(Debug, Args)]
#[command(after_help = after_help!(
    [
        "Rules: missing, loop, too-long, wrong-kind (these four by default); escapes (leads out of --root), \
        absolute (absolute, though it leads into its own tree), roundabout (a longer way than it need take), \
        other-filesystem, long-chain (more than --max-hops links). With --volume: the first four and long-chain."
    ]
    Examples:
    ["check " ("~" | "C:\\Users")]
    ["check --rule escapes --rule absolute --json project" ("\n  linkctl check --volume backup.img" | "")]
))]
pub(crate) struct CheckArgs {
    /// Where to look [default: the current directory]
    pub(crate) paths: Vec<PathBuf>,
    /// Hold links to this rule; several may be given, and `all` is every one
    #[arg(long, value_name = "RULE", value_parser = named_rules)]
    rule: Vec<NamedRules>,
    /// The tree that links are to stay in [default: PATH]
    #[arg(long, value_name = "DIR", conflicts_with = "volume")]
    pub(crate) root: Option<PathBuf>,
    /// How many links a chain may have
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub(crate) max_hops: usize,
    /// Leave out what matches, in the syntax of .gitignore
    #[arg(long, value_name = "GLOB")]
    pub(crate) exclude: Vec<String>,
    /// Do not enter other file systems
    #[arg(long, conflicts_with = "volume")]
    pub(crate) one_file_system: bool,
    #[command(flatten)]
    pub(crate) volume: VolumeOptions,
    #[command(flatten)]
    pub(crate) drive: DriveOption,
    #[command(flatten)]
    pub(crate) output: OutputOptions,
}

/// One rule, or all.
#[derive(Clone, Debug)]
struct NamedRules(Vec<Rule>);

fn named_rules(text: &str) -> Result<NamedRules, String> {
    if text == "all" {
        return Ok(NamedRules(Rule::ALL.to_vec()));
    }
    let names = Rule::ALL.map(Rule::as_str).join(", ");
    text.parse().map(|rule| NamedRules(vec![rule])).map_err(|()| format!("the rules are {names}, and all"))
}

pub(crate) const VERB: Verb = Verb::new("check", &[]);

pub(crate) fn run(args: &CheckArgs) -> Result<Exit, Failure> {
    let rules = rules(args)?;
    let Judged { mut blamed, mut away, errors } =
        if args.volume.volume.is_some() { on_volumes(args, &rules)? } else { live(args, &rules)? };
    away.sort_by(|a, b| a.path.cmp(&b.path));
    blamed.sort_by(|a, b| (&a.0.path, a.1.rule).cmp(&(&b.0.path, b.1.rule)));
    if args.output.json() {
        let (findings, errors) = (blamed.iter().map(Into::into).collect(), errors.iter().map(Into::into).collect());
        json::print(&json::check::Document { findings, away: away.iter().map(Into::into).collect(), errors })?;
    } else if !blamed.is_empty() {
        let rows: Vec<[String; 3]> = blamed.iter().map(row).collect();
        let mut out = output::stdout();
        table::columns(&mut out, ["RULE", "LINK", "WHY"], &rows)?;
        out.flush()?;
    } else if errors.is_empty() && io::stdout().is_terminal() {
        complain("note", "no link breaks a rule");
    }
    if !args.output.json() {
        for link in &away {
            let volume = link.volume.as_ref().map(ToString::to_string).unwrap_or_default();
            let text = format!("{}: its target is on volume {volume}, not mounted", sanitize::quoted(&link.path));
            complain("note", &text);
        }
    }
    Ok(match (errors.is_empty(), blamed.is_empty()) {
        (false, _) => Exit::Failed,
        (true, false) => Exit::Found,
        (true, true) => Exit::Done,
    })
}

/// What came of looking at links.
#[derive(Default)]
struct Judged {
    /// Links with what they are blamed for.
    blamed: Vec<(Link, Blame)>,
    /// Links to volumes that are not mounted: whether they are well cannot be told.
    away: Vec<Link>,
    /// What could not be read.
    errors: Vec<Error>,
}

fn live(args: &CheckArgs, rules: &Rules) -> Result<Judged, Failure> {
    let roots = if args.paths.is_empty() { vec![PathBuf::from(".")] } else { args.paths.clone() };
    let mut options = ScanOptions::new(roots);
    options.filter.exclude(&args.exclude)?;
    options.one_file_system = args.one_file_system;
    options.details = Details::State;
    options.drive = args.drive.letter();
    options.volumes_away = volumes_away();
    let mut judged = Judged::default();
    for found in links::scan(options) {
        match found {
            Ok(Found::Link(link)) => {
                let blames = rules.judge(&link);
                judged.blamed.extend(blames.into_iter().map(|blame| (link.clone(), blame)));
                judged.away.extend(Some(link).filter(|link| link.volume.is_some()));
            }
            Ok(_) => {}
            Err(error) => {
                say(&VERB, &error);
                judged.errors.push(error);
            }
        }
    }
    Ok(judged)
}

fn on_volumes(args: &CheckArgs, rules: &Rules) -> Result<Judged, Failure> {
    let opened = open(&args.volume, &args.drive)?;
    let mut scan = VolumeScan { roots: args.paths.clone(), details: Details::State, ..VolumeScan::default() };
    scan.filter.exclude(&args.exclude)?;
    let (mut blamed, mut errors) = (Vec::new(), Vec::new());
    for (volume, scan) in confined(&opened.volumes, &scan)? {
        let list = reading(volume, |volume| volume.list_chains(&scan))?;
        for (found, chain) in list.found.into_iter().zip(&list.chains) {
            if let Found::Link(link) = found {
                let blames = rules.judge_chain(&link, chain);
                blamed.extend(blames.into_iter().map(|blame| (link.clone(), blame)));
            }
        }
        list.errors.iter().for_each(|error| say(&VERB, error));
        errors.extend(list.errors);
    }
    Ok(Judged { blamed, away: Vec::new(), errors })
}

fn rules(args: &CheckArgs) -> Result<Rules, Failure> {
    let mut named: Vec<Rule> = args.rule.iter().flat_map(|rules| rules.0.clone()).collect();
    if named.is_empty() {
        named = Rule::BROKEN.to_vec();
        // Who names a tree wants to know what leaves it.
        named.extend(args.root.is_some().then_some(Rule::Escapes));
    }
    if args.volume.volume.is_some()
        && let Some(rule) = named.iter().find(|rule| rule.needs_system())
    {
        let text = format!("the rule {rule} needs a volume that is mounted");
        return Err(Failure::usage(
            text,
            "with --volume, the rules are missing, loop, too-long, wrong-kind, long-chain",
        ));
    }
    let mut rules = Rules::new(named);
    if rules.rules.iter().any(|rule| matches!(rule, Rule::Escapes | Rule::Absolute)) {
        let root = match (&args.root, args.paths.as_slice()) {
            (Some(root), _) | (None, [root]) => root.clone(),
            (None, []) => PathBuf::from("."),
            (None, _) => {
                let text = "with several paths, the rules escapes and absolute need to know which tree is meant";
                return Err(Failure::usage(text, "name it with --root DIR"));
            }
        };
        rules.within(links::physical_path(&root)?);
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
