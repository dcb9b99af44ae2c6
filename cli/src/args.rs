//! What the user typed.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand};
use understudy_core::csv_dialect::{DecimalMark, Delimiter};
use understudy_core::run_date::RunDate;

/// Run the new version of a data task in the shadow of the live one, on the same data, and see what it changes
#[derive(Debug, Parser)]
#[command(name = "understudy", version, max_term_width = 100, after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

const EXIT_CODES: &str = "\
Exit codes: 0 good, 1 unexpected differences or a broken chain, 2 wrong usage or configuration,
3 inconclusive, 5 the live side failed, 6 storage or an unreadable input, 70 a bug, 130 interrupted.
`run` exits 1 or 3 only with --strict.";

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Validate a pipeline strictly, against its inputs' real columns, without running it
    Check(CheckArguments),
    /// Look at the machine: which parts of a shadow's sandbox are in force here, found by trying
    Doctor(DoctorArguments),
    /// Print the JSON Schema of the pipeline file
    Schema(NoArguments),
    /// Show what `run` would do
    Plan(PlanArguments),
    /// Run the live side and publish, then the shadow, compare and report
    Run(RunArguments),
    /// Show a finished run again
    Report(ReportArguments),
    /// Put a run's differences into a file for people to answer, and take the answers back
    Review(ReviewArguments),
    /// Compare any two tables, no pipeline needed
    Diff(DiffArguments),
    /// Try rules on small tables: the cases beside the pipeline
    Test(TestArguments),
    /// Say which version of a task is live, for everybody or for one customer
    Which(WhichArguments),
    /// Say where every change and lane stands, and what it waits for
    Status(StatusArguments),
    /// Say whether a change may move towards new: exit code 0 ready, 1 not ready, 3 no evidence
    Gate(GateArguments),
    /// Approve of the evidence on a change as it is now; another run makes other evidence
    Approve(MoveArguments),
    /// Give customers the new versions, if the gate says so
    Flip(FlipArguments),
    /// Give customers the old versions again: no gate, no approval
    Rollback(BackArguments),
    /// Keep lanes where they are until they are released
    Hold(BackArguments),
    /// Let lanes go on that are held, or compare again what was withdrawn
    Release(BackArguments),
    /// End a rollout that is live for all: the old versions no longer run
    Complete(FlipArguments),
    /// Take a change out: the new versions no longer count
    Withdraw(BackArguments),
    /// Publish the old rows again for the dates whose published rows lanes have left, and compute again what was made of them
    Repair(MoveArguments),
    /// Look at the flags of changes, or tell them what the ledger has
    Flags(FlagsArguments),
    /// List the ledger, verify its chain, or explain the stages of a run
    Audit(AuditArguments),
    /// What the program starts itself with; not for people
    #[command(hide = true)]
    Worker {
        #[arg(long = "as", default_value = "worker")]
        role: String,
        invocation: PathBuf,
        #[arg(last = true)]
        program: Vec<OsString>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct NoArguments {}

#[derive(Debug, Args)]
pub(crate) struct DoctorArguments {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// The pipeline: its folder or file. Where there is none, only the machine is looked at
    #[arg(default_value = ".")]
    pub(crate) pipeline: PathBuf,
}

/// The pipeline, which comes last.
#[derive(Clone, Debug, Args)]
pub(crate) struct PipelineArgument {
    /// The pipeline: its folder or its file
    #[arg(default_value = ".", value_name = "PIPELINE")]
    pub(crate) pipeline: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    /// Validate for this run date [default: the newest for which every dated input is there]
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) date: Option<RunDate>,
    /// Validate for this slice
    #[arg(long, value_name = "SLICE")]
    pub(crate) slice: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) pipeline: PipelineArgument,
}

#[derive(Debug, Args)]
pub(crate) struct PlanArguments {
    /// The run date [default: the newest for which every dated input is there, or today (UTC)]
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) date: Option<RunDate>,
    /// Only the customers of this slice
    #[arg(long, value_name = "SLICE")]
    pub(crate) slice: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) pipeline: PipelineArgument,
}

#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    /// The run date [default: the newest for which every dated input is there, or today (UTC)]
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) date: Option<RunDate>,
    /// One run after the other, from this date on; dates that are published are not published again
    #[arg(
        long,
        value_name = "YYYY-MM-DD",
        requires = "to",
        conflicts_with_all = ["date", "markdown", "junit"]
    )]
    pub(crate) from: Option<RunDate>,
    /// The last date of several runs
    #[arg(long, value_name = "YYYY-MM-DD", requires = "from")]
    pub(crate) to: Option<RunDate>,
    /// Only the customers of this slice; other slices' outputs and verdicts stay as they are
    #[arg(long, value_name = "SLICE")]
    pub(crate) slice: Option<String>,
    /// Only the live half: compute, publish and return
    #[arg(long, conflicts_with = "shadow")]
    pub(crate) live: bool,
    /// Only the shadow half: compute what is missing, compare and report; never publishes
    #[arg(long)]
    pub(crate) shadow: bool,
    /// Compute everything anew, also what is complete
    #[arg(long)]
    pub(crate) fresh: bool,
    /// Exit with 1 on unexpected differences and with 3 where something could not be checked
    #[arg(long)]
    pub(crate) strict: bool,
    /// Show what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// How many steps run at the same time [default: the machine's cores, at most 4]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) parallel: Option<u16>,
    #[command(flatten)]
    pub(crate) files: ReportFiles,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) pipeline: PipelineArgument,
}

/// The report in forms for other programs.
#[derive(Clone, Debug, Args)]
pub(crate) struct ReportFiles {
    /// Write the report as Markdown, for a pull request; `-` prints it instead of the summary
    #[arg(long, value_name = "FILE")]
    pub(crate) markdown: Option<PathBuf>,
    /// Write the report as JUnit XML, for a CI server; `-` prints it instead of the summary
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
}

impl ReportFiles {
    /// Why these cannot all be had at once, if so: one form goes to standard output, and each file is of one form.
    pub(crate) fn conflict(&self, as_json: bool) -> Option<&'static str> {
        let is_stdout = |path: &Option<PathBuf>| path.as_deref() == Some(Path::new("-"));
        let printed = [as_json, is_stdout(&self.markdown), is_stdout(&self.junit)];
        if printed.into_iter().filter(|printed| *printed).count() > 1 {
            return Some("only one of --json, --markdown - and --junit - can be printed");
        }
        let same = self.markdown.is_some() && self.markdown == self.junit;
        same.then_some("--markdown and --junit name the same file")
    }
}

#[derive(Debug, Args)]
pub(crate) struct ReportArguments {
    /// The run, by its id or the beginning of it [default: the last one]
    #[arg(long, value_name = "RUN")]
    pub(crate) run: Option<String>,
    /// Everything about one task; with --rules, the task that they are for
    #[arg(long, value_name = "TASK")]
    pub(crate) task: Option<String>,
    /// Judge the stored runs again by the rules of now, and say which verdicts turn
    #[arg(long, conflicts_with_all = ["run", "markdown", "junit"])]
    pub(crate) rejudge: bool,
    /// Only say what these rules would say, a task's `expect` list; nothing is written
    #[arg(long, value_name = "FILE", requires = "rejudge")]
    pub(crate) rules: Option<PathBuf>,
    /// The change whose runs are judged again [default: all]
    #[arg(long, value_name = "CHANGE", requires = "rejudge")]
    pub(crate) change: Option<String>,
    #[command(flatten)]
    pub(crate) files: ReportFiles,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) pipeline: PipelineArgument,
}

#[derive(Debug, Args)]
pub(crate) struct ReviewArguments {
    #[command(subcommand)]
    pub(crate) verb: ReviewVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ReviewVerb {
    /// Write review-<change>-<date>-<run>.csv: one line for each kind of difference, with examples under it
    Out(ReviewOutArguments),
    /// Take the answers of such a file: fine, bug or unsure, and a note
    In(ReviewInArguments),
}

const REVIEW_OUT_NOTES: &str = "\
In the file somebody writes fine, bug or unsure into the column `decision`, and a `note` if they like.
The column `if accepted` says what a \"fine\" allows. Everything else may be changed, sorted or left out.";

#[derive(Debug, Args)]
#[command(after_help = REVIEW_OUT_NOTES)]
pub(crate) struct ReviewOutArguments {
    /// The run, by its id or the beginning of it [default: the last one]
    #[arg(long, value_name = "RUN")]
    pub(crate) run: Option<String>,
    /// Only this change [default: a file for each that has differences to review]
    #[arg(long, value_name = "CHANGE")]
    pub(crate) change: Option<String>,
    /// The folder that the file goes to
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) out: PathBuf,
    /// Write an Excel workbook, with a list to choose the decision from
    #[arg(long)]
    pub(crate) xlsx: bool,
    /// Until when a \"fine\" holds: a number of days, or a date
    #[arg(long, value_name = "30d|YYYY-MM-DD", default_value = "30d")]
    pub(crate) until: String,
    /// Show what would be written, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) pipeline: PipelineArgument,
}

const REVIEW_IN_NOTES: &str = "\
\"fine\" becomes a waiver: a rule with a limit of rows, for this code only, until its last day. The stored runs
are judged again with it. \"bug\" marks the differences in every report until they are gone; \"bug\" and
\"unsure\" end a waiver that was granted before. No answer moves a stage. One wrong line, and nothing is taken.";

#[derive(Debug, Args)]
#[command(after_help = REVIEW_IN_NOTES)]
pub(crate) struct ReviewInArguments {
    /// The file: CSV as any spreadsheet saves it, or .xlsx
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Who answered
    #[arg(long, value_name = "NAME")]
    pub(crate) reviewer: String,
    /// Until when a \"fine\" holds: a number of days, or a date [default: as the file says]
    #[arg(long, value_name = "30d|YYYY-MM-DD")]
    pub(crate) until: Option<String>,
    /// The run that the file is of, by its id or the beginning of it [default: the last one]
    #[arg(long, value_name = "RUN")]
    pub(crate) run: Option<String>,
    /// The change that the file is of [default: found by the ids]
    #[arg(long, value_name = "CHANGE")]
    pub(crate) change: Option<String>,
    /// Show what would be taken, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) pipeline: PipelineArgument,
}

#[derive(Debug, Args)]
pub(crate) struct WhichArguments {
    /// The task
    pub(crate) task: String,
    /// Print the version of this customer only
    #[arg(long, value_name = "CUSTOMER")]
    pub(crate) customer: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) pipeline: PipelineArgument,
}

#[derive(Debug, Args)]
pub(crate) struct StatusArguments {
    /// The change [default: all of them]
    #[arg(value_name = "CHANGE")]
    pub(crate) change: Option<String>,
    /// Everything about this customer's lane
    #[arg(long, value_name = "CUSTOMER", requires = "change")]
    pub(crate) customer: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// The pipeline: its folder or its file [default: .]
    #[arg(value_name = "PIPELINE")]
    pub(crate) pipeline: Option<PathBuf>,
}

/// The lanes that a verb is for.
#[derive(Clone, Debug, Args)]
pub(crate) struct LaneArguments {
    /// These customers
    #[arg(long, value_name = "CUSTOMER,…", value_delimiter = ',', conflicts_with_all = ["file", "all"])]
    pub(crate) customers: Vec<String>,
    /// The customers of a text file, one a line
    #[arg(long, value_name = "FILE", conflicts_with = "all")]
    pub(crate) file: Option<PathBuf>,
    /// Every lane, and everybody who comes later
    #[arg(long)]
    pub(crate) all: bool,
}

/// Who does it, and why.
#[derive(Clone, Debug, Args)]
pub(crate) struct WhoArguments {
    /// Why, for those who read the ledger
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// Who does it [default: what CI says, or the system user]; it is recorded as said, not as known
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) who: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct GateArguments {
    /// The change
    pub(crate) change: String,
    /// Only the lanes of these customers
    #[arg(long, value_name = "CUSTOMER,…", value_delimiter = ',')]
    pub(crate) customers: Vec<String>,
    /// Only the lanes of the next wave, and whether the waves before it are clean
    #[arg(long, conflicts_with = "customers")]
    pub(crate) next: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) pipeline: PipelineArgument,
}

#[derive(Debug, Args)]
pub(crate) struct MoveArguments {
    /// The change
    pub(crate) change: String,
    #[command(flatten)]
    pub(crate) who: WhoArguments,
    /// Show what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) pipeline: PipelineArgument,
}

#[derive(Debug, Args)]
pub(crate) struct FlipArguments {
    #[command(flatten)]
    pub(crate) lanes: LaneArguments,
    /// The next wave of the policy's `waves`
    #[arg(long, conflicts_with_all = ["customers", "file", "all"])]
    pub(crate) next: bool,
    /// Move although the gate says no. It wants a --reason, and stands in the ledger and in every later status
    #[arg(long = "override", requires = "reason")]
    pub(crate) overrides: bool,
    #[command(flatten)]
    pub(crate) of: MoveArguments,
}

#[derive(Debug, Args)]
pub(crate) struct BackArguments {
    #[command(flatten)]
    pub(crate) lanes: LaneArguments,
    /// The store, where the pipeline file is broken or not at hand
    #[arg(long, value_name = "DIR")]
    pub(crate) store: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) of: MoveArguments,
}

const DIFF_EXAMPLES: &str = "\
Examples:
  understudy diff old.parquet new.parquet --key id
  understudy diff old/ new/ --key id --customer shop --within price=0.5 --ignore loaded_at
  understudy diff old.csv new.csv --key id --normalize name=nfc,trim --out report --json

Exit codes: 0 identical or expected, 1 unexpected, 2 wrong usage, 3 nothing to compare,
6 unreadable input, 70 a bug, 130 interrupted.";

#[derive(Debug, Args)]
#[command(after_help = DIFF_EXAMPLES)]
pub(crate) struct DiffArguments {
    /// The old table: a file (Parquet, CSV, JSON lines, Arrow), a folder of them, or a Delta table
    pub(crate) old: String,
    /// The new table
    pub(crate) new: String,
    /// The columns that identify a row [default: none, the tables are compared as multisets of rows]
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',')]
    pub(crate) key: Vec<String>,
    /// The column that says whose row it is
    #[arg(long, value_name = "COLUMN")]
    pub(crate) customer: Option<String>,
    /// How far values may move, of one column or of all: `price=0.5`, `5%`; may be repeated
    #[arg(long, value_name = "[COLUMN=]BOUND")]
    pub(crate) within: Vec<String>,
    /// Spellings that make no difference: `name=nfc,trim`; may be repeated
    #[arg(long, value_name = "COLUMN=HOW,…")]
    pub(crate) normalize: Vec<String>,
    /// A column whose differences do not matter; may be repeated
    #[arg(long, value_name = "COLUMN")]
    pub(crate) ignore: Vec<String>,
    /// A column whose values are not shown: a digest stands in the place of each; may be repeated
    #[arg(long, value_name = "COLUMN")]
    pub(crate) mask: Vec<String>,
    /// More rules, written as in a task's `expect`; those of the command line come first
    #[arg(long, value_name = "FILE")]
    pub(crate) rules: Option<PathBuf>,
    /// What the comparison may hold in memory; the rest goes to temporary files
    #[arg(long, value_name = "SIZE", default_value = "1GB", value_parser = memory)]
    pub(crate) memory: u64,
    /// How many threads work [default: the machine's cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) threads: Option<u16>,
    /// Write report.html, summary.json, customers.csv, diff.csv and diff.parquet into this folder
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// CSV files begin with a byte order mark, by which some spreadsheets know UTF-8
    #[arg(long, requires = "out")]
    pub(crate) csv_bom: bool,
    /// What stands between the fields of CSV files [default: ,]
    #[arg(long, value_name = "CHARACTER", requires = "out", value_parser = PossibleValuesParser::new(Delimiter::WORDS))]
    pub(crate) csv_delimiter: Option<String>,
    /// What stands before the decimals of numbers in CSV files [default: .]
    #[arg(long, value_name = "CHARACTER", requires = "out", value_parser = PossibleValuesParser::new(DecimalMark::WORDS))]
    pub(crate) csv_decimal: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct TestArguments {
    /// Files of cases; a pipeline stands for those in its folder `cases`
    #[arg(default_value = ".", value_name = "FILE|PIPELINE")]
    pub(crate) paths: Vec<PathBuf>,
    /// Only cases with this in their name
    #[arg(long, value_name = "TEXT")]
    pub(crate) filter: Option<String>,
    /// Write what is found into the files, as what is expected; everything else in them stays as it is
    #[arg(long)]
    pub(crate) bless: bool,
    /// With --bless or --from-run: show what would be written, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Write a case from a difference that this run found, with its rows from quarantine
    #[arg(long, value_name = "RUN", requires_all = ["task", "key"], conflicts_with_all = ["filter", "bless", "junit"])]
    pub(crate) from_run: Option<String>,
    /// With --from-run: the task
    #[arg(long, value_name = "TASK", requires = "from_run")]
    pub(crate) task: Option<String>,
    /// With --from-run: the row's key, as `diff.csv` shows it; may be repeated
    #[arg(long, value_name = "COLUMN=VALUE,…", requires = "from_run")]
    pub(crate) key: Vec<String>,
    /// With --from-run: the change, where several compare the task
    #[arg(long, value_name = "CHANGE", requires = "from_run")]
    pub(crate) change: Option<String>,
    /// Write the outcome as JUnit XML, for a CI server
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// A size of memory, such as `256MB`.
fn memory(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = match &text[digits.len()..] {
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        _ => 0,
    };
    let bytes = digits
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(unit));
    bytes
        .filter(|bytes| *bytes >= 1_000_000)
        .ok_or_else(|| "write a size of at least 1MB, such as `256MB` or `1GB`".to_owned())
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct AuditArguments {
    #[command(subcommand)]
    pub(crate) verb: Option<AuditVerb>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) pipeline: PipelineArgument,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditVerb {
    /// Check that no entry was changed, removed, added or swapped
    Verify(AuditVerifyArguments),
    /// Say how a run came to its stages: what the ledger had, and what the flags said, decided again
    Explain(AuditExplainArguments),
}

#[derive(Debug, Args)]
pub(crate) struct AuditExplainArguments {
    /// The run; the last one if it is not named
    #[arg(long)]
    pub(crate) run: Option<String>,
    /// One customer, by name
    #[arg(long)]
    pub(crate) customer: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) pipeline: PipelineArgument,
}

#[derive(Debug, Args)]
pub(crate) struct FlagsArguments {
    #[command(subcommand)]
    pub(crate) verb: FlagsVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum FlagsVerb {
    /// Say what in the flag of a change would surprise whoever relies on it
    Lint(FlagsLintArguments),
    /// Tell flags of moves that the ledger has and they have not confirmed
    Sync(FlagsSyncArguments),
}

#[derive(Debug, Args)]
pub(crate) struct FlagsLintArguments {
    /// The change
    pub(crate) change: String,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) pipeline: PipelineArgument,
}

#[derive(Debug, Args)]
pub(crate) struct FlagsSyncArguments {
    /// One change; all of them if none is named
    #[arg(long)]
    pub(crate) change: Option<String>,
    /// Tell nobody anything
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) pipeline: PipelineArgument,
}

#[derive(Debug, Args)]
pub(crate) struct AuditVerifyArguments {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) pipeline: PipelineArgument,
}
