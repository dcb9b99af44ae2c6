//! Rules as they are typed: read the way the pipeline file reads them, before those of a rules file.

use std::path::Path;

use understudy_core::rule::{Allowance, ColumnSelector, Rule};
use understudy_core::spec::{FileCheck, load_rules};
use understudy_runtime::pipeline::listing;
use understudy_runtime::small_file::{MAX_TEXT_BYTES, MAX_YAML_BYTES, read_small};
use understudy_runtime::worker::{NamedColumn, On};

use crate::args::DiffArguments;

/// The rules of a command line, and the columns that they name.
pub(crate) struct Typed {
    pub(crate) rules: Vec<Rule>,
    pub(crate) named: Vec<NamedColumn>,
}

pub(crate) fn read(arguments: &DiffArguments) -> Result<Typed, String> {
    let mut typed = Typed {
        rules: Vec::new(),
        named: Vec::new(),
    };
    for within in &arguments.within {
        let (column, bound) = within
            .rsplit_once('=')
            .map_or((None, within.as_str()), |(column, bound)| {
                (Some(column), bound)
            });
        typed.add("--within", within, column, &format!("within: {bound}"))?;
    }
    for normalize in &arguments.normalize {
        let (column, how) = normalize.rsplit_once('=').ok_or_else(|| {
            format!("`--normalize {normalize}` names no column\nhint: write `--normalize COLUMN=nfc,trim`")
        })?;
        let how = format!("normalize: [{how}]");
        typed.add("--normalize", normalize, Some(column), &how)?;
    }
    for column in &arguments.ignore {
        typed.note("--ignore", column);
        typed.rules.push(Rule {
            columns: Some(vec![ColumnSelector::Name(column.clone())]),
            ..Rule::new(format!("--ignore {column}"), Allowance::Ignore)
        });
    }
    if let Some(file) = &arguments.rules {
        let rules = of_file(file)?;
        let selecting = rules.iter().find(|rule| rule.customers.is_some());
        if let (Some(rule), None) = (selecting, &arguments.customer) {
            return Err(format!(
                "rule `{}` of `{}` selects customers, but nothing says whose a row is\nhint: add `--customer COLUMN`",
                rule.name,
                file.display()
            ));
        }
        typed.rules.extend(rules);
    }
    Ok(typed)
}

impl Typed {
    fn add(
        &mut self,
        option: &str,
        typed: &str,
        column: Option<&str>,
        allowance: &str,
    ) -> Result<(), String> {
        let wrong = |why: &str| format!("`{option} {typed}`: {why}");
        if typed.contains(['\n', '\r']) {
            return Err(wrong("a line break is no part of it"));
        }
        let rules = load_rules(&format!("- {allowance}\n"), option, &Here(Path::new(".")));
        let mut rules = rules.map_err(|problems| {
            let told = problems
                .iter()
                .map(|problem| format!("{}\nhint: {}", problem.message, problem.fix));
            wrong(&told.collect::<Vec<_>>().join("\n"))
        })?;
        if let Some(column) = column {
            self.note(option, column);
        }
        for rule in &mut rules {
            rule.name = format!("{option} {typed}");
            rule.columns = column.map(|column| vec![ColumnSelector::Name(column.to_owned())]);
        }
        self.rules.extend(rules);
        Ok(())
    }

    fn note(&mut self, option: &str, column: &str) {
        self.named.push(NamedColumn {
            option: option.to_owned(),
            column: column.to_owned(),
            on: On::Either,
        });
    }
}

pub(in crate::verb) fn of_file(file: &Path) -> Result<Vec<Rule>, String> {
    let named = file.display().to_string();
    let text = read_small(file, MAX_YAML_BYTES)
        .map_err(|error| format!("`{named}` cannot be read: {error}\nhint: {}", error.fix()))?;
    let folder = file.parent().unwrap_or(Path::new(""));
    load_rules(&text, &named, &Here(folder))
        .map_err(|problems| format!("the rules cannot be used\n{}", listing(&problems)))
}

/// Files that rules name, from the folder of the rules file.
struct Here<'a>(&'a Path);

impl FileCheck for Here<'_> {
    fn exists(&self, path: &str) -> bool {
        self.0.join(path).exists()
    }

    fn read(&self, path: &str) -> Option<String> {
        read_small(&self.0.join(path), MAX_TEXT_BYTES).ok()
    }
}
