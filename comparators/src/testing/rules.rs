//! Rules in one line: `customers=AS,VX columns=price kinds=changed within=5%`, with `ignore`, `any` or
//! `normalize=nfc,trim` for `within`.

use std::collections::BTreeSet;

use bigdecimal::BigDecimal;
use understudy_core::rule::{
    Allowance, Base, Bound, ColumnSelector, DifferenceKind, Normalizer, Rule, TypeFamily, Within,
};

const NANOS_PER_DAY: u64 = 86_400_000_000_000;

pub(crate) fn parse_rule(number: usize, line: &str) -> Rule {
    let mut rule = Rule::new(format!("rule {number}"), Allowance::Any);
    for word in line.split(' ') {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        match name {
            "customers" => rule.customers = Some(value.split(',').map(str::to_owned).collect()),
            "columns" => rule.columns = Some(value.split(',').map(selector).collect()),
            "kinds" => rule.kinds = Some(value.split(',').map(kind).collect::<BTreeSet<_>>()),
            "ignore" => rule.allow = Allowance::Ignore,
            "any" => rule.allow = Allowance::Any,
            "nothing" => rule.allow = Allowance::Nothing,
            "must" => rule.must_change = true,
            "max" => rule.max_rows = Some(value.parse().unwrap()),
            "where" => {
                rule.predicate = word.strip_prefix("where=").map(str::to_owned);
            }
            "normalize" => {
                rule.allow = Allowance::Normalize(value.split(',').map(normalizer).collect());
            }
            "within" => {
                rule.allow = Allowance::Within(Within {
                    up: bound(value),
                    down: bound(value),
                })
            }
            "up" | "down" => aim(&mut rule, name, bound(value)),
            _ => panic!("`{word}`"),
        }
    }
    rule
}

/// A name, a pattern, or `type:float`.
fn selector(text: &str) -> ColumnSelector {
    match text.strip_prefix("type:") {
        Some(name) => {
            let mut families = TypeFamily::ALL.into_iter();
            let family = families.find(|family| family.name() == name).unwrap();
            ColumnSelector::Type { family }
        }
        None => ColumnSelector::written(text),
    }
}

fn aim(rule: &mut Rule, direction: &str, bound: Bound) {
    if !matches!(rule.allow, Allowance::Within(_)) {
        rule.allow = Allowance::Within(Within {
            up: Bound::default(),
            down: Bound::default(),
        });
    }
    let Allowance::Within(within) = &mut rule.allow else {
        unreachable!()
    };
    *(if direction == "up" {
        &mut within.up
    } else {
        &mut within.down
    }) = bound;
}

fn kind(name: &str) -> DifferenceKind {
    let all = DifferenceKind::ALL;
    all.into_iter().find(|kind| kind.name() == name).unwrap()
}

fn normalizer(name: &str) -> Normalizer {
    let mut all = Normalizer::ALL.into_iter();
    all.find(|normalizer| normalizer.name() == name)
        .unwrap_or_else(|| panic!("`{name}`"))
}

/// `0.5`, `5%`, `5%max`, `1s`, `2d`, or an absolute and a relative bound with a `+` between them.
fn bound(text: &str) -> Bound {
    let mut bound = Bound::default();
    for part in text.split('+') {
        let (number, of) = part
            .strip_suffix("max")
            .map_or((part, Base::Old), |number| (number, Base::Max));
        if let Some(percent) = number.strip_suffix('%') {
            bound.rel = Some(format!("{percent}e-2").parse().unwrap());
            bound.of = of;
        } else if let Some(days) = number.strip_suffix('d') {
            bound.abs = Some(BigDecimal::from(
                days.parse::<u64>().unwrap() * NANOS_PER_DAY,
            ));
            bound.abs_is_duration = true;
        } else if let Some(seconds) = number.strip_suffix('s') {
            bound.abs = Some(format!("{seconds}e9").parse().unwrap());
            bound.abs_is_duration = true;
        } else {
            bound.abs = Some(number.parse().unwrap());
        }
    }
    bound
}
