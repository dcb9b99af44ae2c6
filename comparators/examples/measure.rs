//! Compares two tables and prints what it took: seconds, peak memory, and the counts.
//!
//! usage: measure OLD NEW KEY[,KEY…] [customer=COLUMN] [within=COLUMN:FRACTION] [memory=BYTES] [threads=N]

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use understudy_comparators::{Findings, FindingsError, Layout, Request, compare};
use understudy_core::judge::rows::JudgedRow;
use understudy_core::rule::{Allowance, Bound, ColumnSelector, Rule, Within};
use understudy_tables::{TableSource, pin};

/// Counts what it is handed, and keeps nothing.
#[derive(Default)]
struct Counter {
    rows: u64,
}

impl Findings for Counter {
    fn begin(&mut self, _: &Layout) -> Result<(), FindingsError> {
        Ok(())
    }

    fn row(&mut self, _: JudgedRow) -> Result<(), FindingsError> {
        self.rows += 1;
        Ok(())
    }
}

#[expect(
    clippy::disallowed_macros,
    reason = "this program's data are its figures"
)]
fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [old, new, key, options @ ..] = arguments.as_slice() else {
        return Err("usage: measure OLD NEW KEY[,KEY…] [OPTION=VALUE…]".into());
    };
    let option = |name: &str| {
        options
            .iter()
            .find_map(|option| option.strip_prefix(name)?.strip_prefix('='))
    };
    let rules = option("within").map(within).transpose()?;
    let key: Vec<String> = key
        .split(',')
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    let temp_dir = std::env::temp_dir();
    let (old, new) = (table("old", old)?, table("new", new)?);
    let request = Request {
        old: &old,
        new: &new,
        key: &key,
        customer: option("customer"),
        rules: rules.as_slice(),
        predicates: None,
        memory_bytes: option("memory").unwrap_or("1000000000").parse()?,
        threads: option("threads").unwrap_or("2").parse()?,
        temp_dir: &temp_dir,
    };
    let mut counter = Counter::default();
    let started = Instant::now();
    let comparison = compare(&request, &mut counter)?;
    println!(
        "{:.2} s, {} MB",
        started.elapsed().as_secs_f64(),
        peak_mb()?
    );
    println!("{:?}, {} rows handed on", comparison.rows, counter.rows);
    println!("{:?} {:?}", comparison.rules, comparison.notes);
    Ok(())
}

fn table(name: &str, location: &str) -> Result<TableSource, Box<dyn Error>> {
    let snapshot = pin(name, location, Path::new("."))?;
    Ok(TableSource {
        base: ".".into(),
        snapshot,
        types: Default::default(),
    })
}

fn within(option: &str) -> Result<Rule, Box<dyn Error>> {
    let (column, fraction) = option.split_once(':').ok_or("within=COLUMN:FRACTION")?;
    let bound = Bound {
        rel: Some(fraction.parse()?),
        ..Bound::default()
    };
    let within = Within {
        up: bound.clone(),
        down: bound,
    };
    Ok(Rule {
        columns: Some(vec![ColumnSelector::Name(column.to_owned())]),
        ..Rule::new("within", Allowance::Within(within))
    })
}

fn peak_mb() -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .ok_or("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? / 1024)
}
