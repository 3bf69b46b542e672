//! The command line as types. Help texts are here; what verbs do is in `commands/`.

mod mending;
mod options;

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use links::{KindFilter, State};

pub(crate) use mending::{RepairArgs, TrackArgs, UntrackArgs};
pub(crate) use options::{
    ChangeOptions, DriveOption, Format, ListOptions, NamedRules, OutputOptions, VolumeOptions, letter,
};

/// One text for people on Linux, one for people on Windows.
pub(crate) const fn by_system(linux: &'static str, windows: &'static str) -> &'static str {
    if std::path::MAIN_SEPARATOR == '\\' { windows } else { linux }
}

/// Hard links, symbolic links and junctions: make, see, check, remove and undo them.
#[derive(Debug, Parser)]
#[command(
    name = "linkctl",
    version,
    disable_help_subcommand = true,
    max_term_width = 100,
    after_help = by_system(
        "Every change to links is journaled: `linkctl history` shows it, `linkctl undo` takes it back.\n\
        Exit codes: 0 done, 1 a check found something, 2 usage, 3 failed or partly, 4 refused for safety, 130 interrupted.\n\n\
        Examples:\n  \
        linkctl list ~ --broken\n  \
        linkctl create ~/games /mnt/big/games",
        "Every change to links is journaled: `linkctl history` shows it, `linkctl undo` takes it back.\n\
        Exit codes: 0 done, 1 a check found something, 2 usage, 3 failed or partly, 4 refused for safety, 130 interrupted.\n\n\
        Examples:\n  \
        linkctl list C:\\Users --broken\n  \
        linkctl create C:\\Games D:\\Games"
    )
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// One for each verb.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a link
    Create(CreateArgs),
    /// Show everything about one path
    Show(ShowArgs),
    /// List the links below directories, with kind, target and state
    List(ListArgs),
    /// Hold links to rules; exit 1 where one is broken
    Check(CheckArgs),
    /// Remove links: the link objects and nothing else, ever
    Remove(RemoveArgs),
    /// Give broken links their targets again, or say targets in another form
    Repair(RepairArgs),
    /// Record what links lead to, so that `repair` finds it wherever it goes
    Track(TrackArgs),
    /// Forget what was recorded of links
    Untrack(UntrackArgs),
    /// Take a file or directory to another place, and leave a link
    Move(MoveArgs),
    /// Bring back what was moved, to where its link is
    Restore(RestoreArgs),
    /// Finish or roll back moves that were interrupted
    Recover(RecoverArgs),
    /// Show what was changed, when and by whom
    History(HistoryArgs),
    /// Take back an operation
    Undo(UndoArgs),
    /// Tell what links this user can make here, by trying
    Doctor(DoctorArgs),
    /// Make a link, file or directory, as Windows' mklink does
    Mklink(MklinkArgs),
    /// Hard links and reparse points, as Windows' fsutil has them
    Fsutil(FsutilArgs),
    /// List a directory, or every link of a tree, as Windows' dir does
    Dir(DirArgs),
    /// Put mklink, fsutil and dir into a directory
    DropIns(DropInsArgs),
    /// Print the completion script for a shell
    Completions(CompletionsArgs),
    /// Write the manual pages into a directory
    Man(ManArgs),
    /// Explain a verb, or the kinds of link (`help kinds`)
    Help(HelpArgs),
}

impl Command {
    /// Whether the answer is to be a JSON document, also where the verb fails.
    pub(crate) fn wants_json(&self) -> bool {
        match self {
            Self::Create(args) => args.change.output.json(),
            Self::Remove(args) => args.change.output.json(),
            Self::Undo(args) => args.change.output.json(),
            Self::Repair(args) => args.change.output.json(),
            Self::Track(args) => args.change.output.json(),
            Self::Untrack(args) => args.change.output.json(),
            Self::Move(args) => args.change.output.json(),
            Self::Restore(args) => args.change.output.json(),
            Self::Recover(args) => args.output.json(),
            Self::Show(args) => args.output.json(),
            Self::History(args) => args.output.json(),
            Self::Doctor(args) => args.output.json(),
            Self::List(args) => args.output.format() == Format::Json,
            Self::Check(args) => args.output.json(),
            Self::DropIns(args) => args.change.output.json(),
            Self::Mklink(_) | Self::Fsutil(_) | Self::Dir(_) => false,
            Self::Completions(_) | Self::Man(_) | Self::Help(_) => false,
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Create(_) => "create",
            Self::Show(_) => "show",
            Self::List(_) => "list",
            Self::Check(_) => "check",
            Self::Remove(_) => "remove",
            Self::Repair(_) => "repair",
            Self::Track(_) => "track",
            Self::Untrack(_) => "untrack",
            Self::Move(_) => "move",
            Self::Restore(_) => "restore",
            Self::Recover(_) => "recover",
            Self::History(_) => "history",
            Self::Undo(_) => "undo",
            Self::Doctor(_) => "doctor",
            Self::Mklink(_) => "mklink",
            Self::Fsutil(_) => "fsutil",
            Self::Dir(_) => "dir",
            Self::DropIns(_) => "drop-ins",
            Self::Completions(_) => "completions",
            Self::Man(_) => "man",
            Self::Help(_) => "help",
        }
    }
}

#[derive(Debug, Args)]
#[command(
    override_usage = "linkctl create [OPTIONS] LINK TARGET\n       linkctl create [OPTIONS] --into DIR TARGET...",
    after_help = by_system(
        "A relative TARGET of a symbolic link is stored as typed and is relative to LINK. Of a hard link, a \
        junction, and with --relative or --absolute, it is read from the current directory.\n\
        On NTFS volumes mounted by ntfs-3g, links are made as Windows makes them, and a Windows TARGET \
        (C:\\Games) is taken as typed.\n\n\
        Examples:\n  \
        linkctl create ~/.vimrc dotfiles/vimrc\n  \
        linkctl create --kind hard copy.iso original.iso\n  \
        linkctl create --into ~/bin --relative tools/*.sh",
        "A relative TARGET of a symbolic link is stored as typed and is relative to LINK. Of a hard link, a \
        junction, and with --relative or --absolute, it is read from the current directory.\n\
        Symbolic links need Developer Mode or an administrator; where this user may make none, a directory by its full path gets a \
        junction, unless --kind is given.\n\n\
        Examples:\n  \
        linkctl create C:\\Games D:\\Games\n  \
        linkctl create --kind junction C:\\Games D:\\Games\n  \
        linkctl create --kind hard copy.iso original.iso"
    )
)]
pub(crate) struct CreateArgs {
    /// The new link, then what it leads to
    #[arg(required = true, value_names = ["LINK", "TARGET"])]
    pub(crate) paths: Vec<OsString>,
    /// Make a link to each TARGET in this directory, by the target's own name
    #[arg(long, value_name = "DIR")]
    pub(crate) into: Option<PathBuf>,
    /// Which kind to make; nothing else is ever made instead
    #[arg(long, value_enum, default_value_t = Kind::Auto)]
    pub(crate) kind: Kind,
    /// A Windows link that says its target is a directory, whatever is there now
    #[arg(long, conflicts_with = "file")]
    pub(crate) dir: bool,
    /// A Windows link that says its target is a file
    #[arg(long)]
    pub(crate) file: bool,
    /// Read TARGET from the current directory, store it relative to the link
    #[arg(long, conflicts_with = "absolute")]
    pub(crate) relative: bool,
    /// Read TARGET from the current directory, store it in full
    #[arg(long)]
    pub(crate) absolute: bool,
    /// Put the new link in the place of an existing link, in one step; never of a file or directory
    #[arg(long)]
    pub(crate) replace: bool,
    /// Make missing parent directories of LINK
    #[arg(long, short)]
    pub(crate) parents: bool,
    #[command(flatten)]
    pub(crate) drive: DriveOption,
    #[command(flatten)]
    pub(crate) change: ChangeOptions,
}

/// What `--kind` of `create` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// A symbolic link of the target's kind
    Auto,
    /// A symbolic link
    Symlink,
    /// One more name for a file
    Hard,
    /// A directory link by absolute path, on NTFS
    Junction,
}

#[derive(Debug, Args)]
#[command(after_help = by_system(
        "Examples:\n  linkctl show ~/games\n  linkctl show --search / original.iso\n  \
        linkctl show --volume /dev/sdb1 'C:\\Users\\All Users'",
        "Examples:\n  linkctl show C:\\Games\n  linkctl show --search D:\\ original.iso\n  \
        linkctl show --volume disk.img \"C:\\Users\\All Users\""
))]
pub(crate) struct ShowArgs {
    /// The path to show; a link is shown itself, not what it leads to
    pub(crate) path: PathBuf,
    /// Look below this directory, too, for the other names of a hard-linked file
    #[arg(long, value_name = "DIR", conflicts_with = "volume")]
    pub(crate) search: Vec<PathBuf>,
    /// Dump the stored bytes
    #[arg(long)]
    pub(crate) raw: bool,
    #[command(flatten)]
    pub(crate) volume: VolumeOptions,
    #[command(flatten)]
    pub(crate) drive: DriveOption,
    #[command(flatten)]
    pub(crate) output: OutputOptions,
}

#[derive(Debug, Args)]
#[command(
    after_help = by_system(
        "Links are never followed into directories. --broken means missing, loop, too-long and \
        wrong-kind.\n\n\
        Examples:\n  \
        linkctl list /usr\n  \
        linkctl list --broken --format paths -0 ~ | xargs -0 ls -ld\n  \
        linkctl list --hard /srv/backups\n  \
        linkctl list --points-to ~/games /home\n  \
        linkctl list --volume /dev/sdb1 --broken",
        "Links are never followed into directories. --broken means missing, loop, too-long and wrong-kind.\n\
        As administrator, a whole NTFS volume is read by its own index of links.\n\n\
        Examples:\n  \
        linkctl list C:\\Users\n  \
        linkctl list --broken --format paths C:\\\n  \
        linkctl list --hard D:\\Backups\n  \
        linkctl list --points-to C:\\Games C:\\Users\n  \
        linkctl list --volume disk.img --broken"
    )
)]
pub(crate) struct ListArgs {
    /// Where to look [default: the current directory; with --volume all of it]
    pub(crate) paths: Vec<PathBuf>,
    /// Only links of this kind: symlink (all three), symlink-file, symlink-dir, junction, mount-point, hard, app-exec,
    /// wsl, other
    #[arg(long, value_name = "KIND", value_parser = options::kind)]
    pub(crate) kind: Vec<KindFilter>,
    /// Only links in this state: ok, missing, loop, too-long, wrong-kind, denied, unreachable, blocked, elsewhere
    #[arg(long, value_name = "STATE", value_parser = options::state)]
    pub(crate) state: Vec<State>,
    /// Only broken links
    #[arg(long)]
    pub(crate) broken: bool,
    /// Only links whose stored target matches
    #[arg(long, value_name = "GLOB")]
    pub(crate) target: Option<String>,
    /// Only links whose own name matches
    #[arg(long, value_name = "GLOB")]
    pub(crate) name: Option<String>,
    /// Only links that lead to PATH or below it, at any hop, and the names of files there that have several
    #[arg(long, value_name = "PATH")]
    pub(crate) points_to: Option<PathBuf>,
    /// Leave out what matches, in the syntax of .gitignore
    #[arg(long, value_name = "GLOB")]
    pub(crate) exclude: Vec<String>,
    /// Count them, by kind, state, file system and top directory, instead of listing them
    #[arg(long, conflicts_with = "sort")]
    pub(crate) summary: bool,
    /// Hard links: groups of names of one file (short for --kind hard)
    #[arg(long)]
    pub(crate) hard: bool,
    /// Look no deeper: 1 is what is in PATH itself
    #[arg(long, value_name = "N")]
    pub(crate) max_depth: Option<NonZeroUsize>,
    /// Do not enter other file systems
    #[arg(long, conflicts_with = "volume")]
    pub(crate) one_file_system: bool,
    /// In the order of paths, also where they would come as they are found
    #[arg(long)]
    pub(crate) sort: bool,
    /// How many threads read [default: one for each core, at most 8, and 2 on a disk that rotates]
    #[arg(long, value_name = "N", conflicts_with = "volume")]
    pub(crate) jobs: Option<NonZeroUsize>,
    #[command(flatten)]
    pub(crate) volume: VolumeOptions,
    /// Read every file record of the volume, instead of trusting its own index of links
    #[arg(long, requires = "volume")]
    pub(crate) full_scan: bool,
    /// Tell how the volume was read: bytes, reads, records, time
    #[arg(long, requires = "volume")]
    pub(crate) stats: bool,
    #[command(flatten)]
    pub(crate) drive: DriveOption,
    #[command(flatten)]
    pub(crate) output: ListOptions,
}

#[derive(Debug, Args)]
#[command(
    after_help = by_system(
        "Rules: missing, loop, too-long, wrong-kind (these four by default); escapes (leads out of --root), \
        absolute (absolute, though it leads into its own tree), roundabout (a longer way than it need take), \
        other-filesystem, long-chain (more than --max-hops links). With --volume: the first four and long-chain.\n\n\
        Examples:\n  \
        linkctl check ~\n  \
        linkctl check --rule escapes --rule absolute --json project\n  \
        linkctl check --volume backup.img",
        "Rules: missing, loop, too-long, wrong-kind (these four by default); escapes (leads out of --root), \
        absolute (absolute, though it leads into its own tree), roundabout (a longer way than it need take), \
        other-filesystem, long-chain (more than --max-hops links). With --volume: the first four and long-chain.\n\n\
        Examples:\n  \
        linkctl check C:\\Users\n  \
        linkctl check --rule escapes --rule absolute --json project"
    )
)]
pub(crate) struct CheckArgs {
    /// Where to look [default: the current directory]
    pub(crate) paths: Vec<PathBuf>,
    /// Hold links to this rule; several may be given, and `all` is every one
    #[arg(long, value_name = "RULE", value_parser = options::rules)]
    pub(crate) rule: Vec<NamedRules>,
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

#[derive(Debug, Args)]
#[command(
    after_help = by_system(
        "A directory, and a file with one name, are refused. Where one of several is refused, none is \
        removed.\n\n\
        Examples:\n  \
        linkctl remove ~/games\n  \
        linkctl remove --kind hard copy.iso\n  \
        linkctl remove --recursive --dry-run old-project",
        "A directory, and a file with one name, are refused. Where one of several is refused, none is removed.\n\n\
        Examples:\n  \
        linkctl remove C:\\Games\n  \
        linkctl remove --kind hard copy.iso\n  \
        linkctl remove --recursive --dry-run old-project"
    )
)]
pub(crate) struct RemoveArgs {
    /// The links; with --recursive, directories
    #[arg(required = true, value_name = "LINK")]
    pub(crate) paths: Vec<PathBuf>,
    /// Remove every symbolic link and junction below each directory; nothing is followed
    #[arg(long, short)]
    pub(crate) recursive: bool,
    /// Only links of this kind; needed for one name of a hard-linked file (hard)
    #[arg(long, value_name = "KIND", value_parser = options::kind)]
    pub(crate) kind: Option<KindFilter>,
    /// With --recursive: do not enter other file systems
    #[arg(long, requires = "recursive")]
    pub(crate) one_file_system: bool,
    #[command(flatten)]
    pub(crate) change: ChangeOptions,
}

#[derive(Debug, Args)]
#[command(
    after_help = by_system(
        "DST is the new name of the whole; its directory must exist. Within one file system names are exchanged in one step. To \
        another one everything is copied, flushed, read back and compared before the link takes the place of the original; \
        what was written to meanwhile is kept. `linkctl restore SRC` or `linkctl undo` bring it back.\n\n\
        Examples:\n  \
        linkctl move ~/games /mnt/big/games\n  \
        linkctl move --dry-run /var/lib/app /srv/app",
        "DST is the new name of the whole; its directory must exist. On one volume the tree is renamed. To another one everything \
        is copied, flushed, read back and compared before the link takes the place of the original; what was written to \
        meanwhile is kept. A junction is left for a directory, else a symbolic link. `linkctl restore SRC` or `linkctl undo` \
        bring it back.\n\n\
        Examples:\n  \
        linkctl move C:\\Games D:\\Games\n  \
        linkctl move --dry-run C:\\Games D:\\Games"
    )
)]
pub(crate) struct MoveArgs {
    /// The file or directory
    #[arg(value_name = "SRC")]
    pub(crate) source: PathBuf,
    /// Where it goes: a name that is free
    #[arg(value_name = "DST")]
    pub(crate) destination: PathBuf,
    /// Which kind of link to leave
    #[arg(long, value_enum, default_value_t = LeftKind::Auto)]
    pub(crate) kind: LeftKind,
    /// Leave a relative link
    #[arg(long)]
    pub(crate) relative: bool,
    /// The letter that Windows gives an NTFS volume that is mounted here: a symbolic link left there names it
    #[arg(long, value_name = "LETTER", value_parser = letter)]
    pub(crate) drive: Option<char>,
    #[command(flatten)]
    pub(crate) tree: TreeOptions,
    #[command(flatten)]
    pub(crate) into: IntoOptions,
    #[command(flatten)]
    pub(crate) change: ChangeOptions,
}

/// What becomes of links that lead into a tree that is moved.
#[derive(Debug, Default, Args)]
pub(crate) struct IntoOptions {
    /// Look below this directory, too, for links that lead into what is moved
    #[arg(long, value_name = "DIR")]
    pub(crate) search: Vec<PathBuf>,
    /// Let such links, and those that are tracked, name the new place themselves
    #[arg(long)]
    pub(crate) retarget: bool,
}

/// What `--kind` of `move` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LeftKind {
    /// A symbolic link; on Windows, a junction for a directory that stays on the computer
    Auto,
    /// A symbolic link
    Symlink,
    /// A junction: for a directory, on Windows and on NTFS
    Junction,
}

/// How whole trees are moved.
#[derive(Debug, Default, Args)]
pub(crate) struct TreeOptions {
    /// How the copy is compared before the original goes
    #[arg(long, value_enum, default_value_t = VerifyOption::Full)]
    pub(crate) verify: VerifyOption,
    /// Refuse where anything would not be as it was
    #[arg(long)]
    pub(crate) strict: bool,
    /// How many threads copy [default: one for each core, at most 8]
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<NonZeroUsize>,
}

/// What `--verify` takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum VerifyOption {
    /// Every byte is read back from the disk
    #[default]
    Full,
    /// Sizes, owners, rights and times
    Metadata,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  linkctl restore ~/games")]
pub(crate) struct RestoreArgs {
    /// The link that was left
    pub(crate) link: PathBuf,
    #[command(flatten)]
    pub(crate) tree: TreeOptions,
    #[command(flatten)]
    pub(crate) into: IntoOptions,
    #[command(flatten)]
    pub(crate) change: ChangeOptions,
}

#[derive(Debug, Args)]
#[command(
    after_help = "What an interrupted move left is told by its disk alone: the copy is removed where the original is whole and in \
                        its place, and the move is finished where the link has taken it. What was changed since is kept.\n\n\
                        Examples:\n  linkctl recover\n  linkctl recover /mnt/big"
)]
pub(crate) struct RecoverArgs {
    /// Look here for what moves have left, also without the journal
    #[arg(value_name = "DIR")]
    pub(crate) directories: Vec<PathBuf>,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) output: OutputOptions,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  linkctl history\n  linkctl history 12")]
pub(crate) struct HistoryArgs {
    /// Show the steps of this operation
    pub(crate) id: Option<i64>,
    /// How many operations to show
    #[arg(long, short = 'n', default_value_t = 20, value_name = "N")]
    pub(crate) most: usize,
    #[command(flatten)]
    pub(crate) output: OutputOptions,
}

#[derive(Debug, Args)]
#[command(
    after_help = "What was changed since is never touched: the undo is refused (exit 4), unless --partial leaves \
                        those out. Undoing an undo does the operation again.\n\n\
                        Example:\n  linkctl undo\n  linkctl undo 12 --dry-run"
)]
pub(crate) struct UndoArgs {
    /// The operation, as `history` numbers it [default: the newest one not undone yet]
    pub(crate) id: Option<i64>,
    /// Undo what is still as it was made, leave what was changed since
    #[arg(long)]
    pub(crate) partial: bool,
    #[command(flatten)]
    pub(crate) change: ChangeOptions,
}

#[derive(Debug, Args)]
#[command(after_help = by_system(
        "Everything is tried in a temporary directory in PATH, which is removed again.\n\n\
        Example:\n  linkctl doctor /mnt/disk",
        "Everything is tried in a temporary directory in PATH, which is removed again.\n\nExample:\n  linkctl doctor D:\\"
))]
pub(crate) struct DoctorArgs {
    /// Where to try
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    #[command(flatten)]
    pub(crate) output: OutputOptions,
}

// The three below are run before the command line is parsed: these types are their help.

#[derive(Debug, Args)]
#[command(
    override_usage = "linkctl mklink [--drive LETTER] [[/D] | [/H] | [/J]] [--] LINK TARGET",
    after_help = by_system(
        "/D makes a directory symbolic link, /H a hard link, /J a junction. Only these words are switches, and \
        -- ends them. The words and exit codes are Windows' own; --drive says which letter Windows gives the \
        volume [default: C].\n\n\
        Examples:\n  \
        linkctl mklink /d Games /mnt/big/Games\n  \
        linkctl mklink /j Games 'C:\\Games'\n  \
        linkctl mklink /h copy.txt original.txt",
        "/D makes a directory symbolic link, /H a hard link, /J a junction, wherever they stand. The words and exit codes are \
        Windows' own. Of the same name, cmd has a command of its own, which wins: call mklink.exe, or linkctl mklink.\n\n\
        Examples:\n  \
        linkctl mklink /d Games D:\\Games\n  \
        linkctl mklink /j Games C:\\Games\n  \
        linkctl mklink /h copy.txt original.txt"
    )
)]
pub(crate) struct MklinkArgs {
    /// Switches, the new link, and what it leads to
    #[arg(value_name = "WORD")]
    pub(crate) words: Vec<OsString>,
}

#[derive(Debug, Args)]
#[command(
    override_usage = "linkctl fsutil hardlink create NEW EXISTING\n       linkctl fsutil hardlink list FILE\n       \
                      linkctl fsutil reparsepoint query|delete PATH\n       \
                      linkctl fsutil behavior query|set SymlinkEvaluation",
    after_help = "Example:\n  linkctl fsutil hardlink list copy.txt\n  linkctl fsutil reparsepoint query Games"
)]
pub(crate) struct FsutilArgs {
    /// What to do, and with what
    #[arg(value_name = "WORD")]
    pub(crate) words: Vec<OsString>,
}

#[derive(Debug, Args)]
#[command(
    override_usage = "linkctl dir [PATH]... [/S] [/B] [/A[:ATTRIBUTES]] [/O[:ORDER]] [--] [PATH]...",
    after_help = by_system(
        "/S lists every directory below, and follows no link; /A:L lists links alone; /B names alone. Only \
        these words are switches, and -- ends them; `linkctl dir /?` tells them all.\n\n\
        Examples:\n  \
        linkctl dir /s /al /mnt/disk\n  \
        linkctl dir /b /s /a:l\n  \
        linkctl dir --volume disk.img /s /al\n\n\
        --volume SOURCE, --partition N and --drive LETTER stand before all else: an NTFS volume that need not be mounted.",
        "/S lists every directory below, and follows no link; /A:L lists links alone; /B names alone. `linkctl dir /?` tells all \
        switches. Of the same name, cmd has a command of its own, which wins: call dir.exe, or linkctl dir.\n\n\
        Examples:\n  \
        linkctl dir /s /al C:\\Users\n  \
        linkctl dir /b /s /a:l"
    )
)]
pub(crate) struct DirArgs {
    /// Switches and paths
    #[arg(value_name = "WORD")]
    pub(crate) words: Vec<OsString>,
}

#[derive(Debug, Args)]
#[command(
    after_help = by_system(
        "The names are symbolic links to linkctl itself. A directory early in the PATH makes them replace what \
        the system has by these names (GNU has a `dir` of its own).\n\n\
        Example:\n  linkctl drop-ins ~/bin",
        "The names are symbolic links to linkctl itself, or hard links where this user may make no symbolic link. cmd's own mklink \
        and dir win over any program, unless they are called as mklink.exe and dir.exe.\n\n\
        Example:\n  linkctl drop-ins C:\\Tools"
    )
)]
pub(crate) struct DropInsArgs {
    /// The directory; made where it is missing
    pub(crate) dir: PathBuf,
    /// Put them in the place of links that have these names already; never of files
    #[arg(long)]
    pub(crate) replace: bool,
    #[command(flatten)]
    pub(crate) change: ChangeOptions,
}

#[derive(Debug, Args)]
#[command(
    after_help = by_system(
        "Example:\n  linkctl completions bash > ~/.local/share/bash-completion/completions/linkctl",
        "Example:\n  linkctl completions powershell"
    )
)]
pub(crate) struct CompletionsArgs {
    /// The shell
    pub(crate) shell: Shell,
}

/// The shells there are completions for.
#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "lower")]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
    Powershell,
}

#[derive(Debug, Args)]
#[command(after_help = by_system(
        "Example:\n  linkctl man ~/.local/share/man/man1",
        "Example:\n  linkctl man C:\\Tools\\man"
))]
pub(crate) struct ManArgs {
    /// The directory; made where it is missing
    pub(crate) dir: PathBuf,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  linkctl help kinds\n  linkctl help create")]
pub(crate) struct HelpArgs {
    /// A verb, or `kinds`
    pub(crate) topic: Option<String>,
}
