//! `diff`: any two tables, no pipeline needed.

mod rules;

pub(super) use rules::of_file as rules_of_file;

use understudy_core::csv_dialect::{CsvDialect, DecimalMark, Delimiter};
use understudy_core::verdict::Verdict;
use understudy_runtime::diff::{DiffError, DiffRequest, diff as compare};
use understudy_runtime::error::RunError;
use understudy_runtime::report::terminal::{Detail, diff::render};
use understudy_runtime::report::visible::visible_lines;
use understudy_runtime::worker::{Crew, NamedColumn, On};

use super::{machine, with_crew};
use crate::Program;
use crate::args::DiffArguments;
use crate::exit::Exit;
use crate::output::{print, print_json, tell, view};

pub(crate) fn diff(program: &Program, arguments: &DiffArguments) -> Exit {
    match request(arguments) {
        Ok(request) => with_crew(program, async |crew| {
            look(request, arguments.json, &crew).await
        }),
        Err(message) => wrong(&message),
    }
}

fn wrong(message: &str) -> Exit {
    tell!("{}", visible_lines(&format!("error: {message}")));
    Exit::Usage
}

fn request(arguments: &DiffArguments) -> Result<DiffRequest, String> {
    let typed = rules::read(arguments)?;
    let mut named = identifying("--key", &arguments.key);
    named.extend(identifying("--customer", arguments.customer.as_slice()));
    named.extend(typed.named);
    named.extend(masked(arguments)?);
    Ok(DiffRequest {
        old: arguments.old.clone(),
        new: arguments.new.clone(),
        key: arguments.key.clone(),
        customer: arguments.customer.clone(),
        rules: typed.rules,
        mask: arguments.mask.clone(),
        named,
        memory_bytes: arguments.memory,
        threads: arguments.threads.map_or_else(cores, usize::from),
        out: arguments.out.clone(),
        csv: dialect(arguments),
    })
}

fn dialect(arguments: &DiffArguments) -> CsvDialect {
    let delimiter = arguments.csv_delimiter.as_deref();
    let decimal = arguments.csv_decimal.as_deref();
    CsvDialect {
        bom: arguments.csv_bom,
        delimiter: delimiter.and_then(Delimiter::named).unwrap_or_default(),
        decimal: decimal.and_then(DecimalMark::named).unwrap_or_default(),
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn identifying(option: &str, columns: &[String]) -> Vec<NamedColumn> {
    let named = |column: &String| NamedColumn {
        option: option.to_owned(),
        column: column.clone(),
        on: On::Both,
    };
    columns.iter().map(named).collect()
}

fn masked(arguments: &DiffArguments) -> Result<Vec<NamedColumn>, String> {
    let named = |column: &String| {
        if arguments.customer.as_ref() == Some(column) {
            return Err(format!(
                "`--mask {column}`: findings are told by customer, so that column cannot be masked\nhint: leave out `--customer {column}` or `--mask {column}`"
            ));
        }
        Ok(NamedColumn {
            option: "--mask".to_owned(),
            column: column.clone(),
            on: On::Either,
        })
    };
    arguments.mask.iter().map(named).collect()
}

async fn look(request: DiffRequest, as_json: bool, crew: &Crew) -> Result<Exit, RunError> {
    let folder = tempfile::tempdir()
        .map_err(|source| machine("no temporary folder could be made", source))?;
    let report = match compare(request, crew, folder.path()).await {
        Ok(report) => report,
        Err(error) => return Ok(failed(&error)),
    };
    if as_json {
        print_json(&report);
    } else {
        print(&render(&report, view(Detail::Summary).ink));
    }
    Ok(match report.verdict {
        Verdict::Identical | Verdict::Expected => Exit::Good,
        Verdict::Unexpected => Exit::Unexpected,
        Verdict::Inconclusive => Exit::Inconclusive,
    })
}

fn failed(error: &DiffError) -> Exit {
    if error.is_interruption() {
        tell!("interrupted: nothing was compared to the end");
        return Exit::Interrupted;
    }
    let mut text = format!("error: {error}");
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(&format!("\n  because: {cause}"));
        source = cause.source();
    }
    tell!("{}", visible_lines(&text));
    match error {
        error if error.is_usage() => Exit::Usage,
        error if error.is_bug() => Exit::Bug,
        _ => Exit::Machine,
    }
}
