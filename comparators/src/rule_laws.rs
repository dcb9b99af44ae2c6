//! What holds of rules whatever they are and whatever they are about: tried on random tables with customers.

use std::collections::BTreeMap;

use understudy_core::comparison::{Comparison, RowChange};
use understudy_core::customer::Customer;
use understudy_core::judge::lanes::{TaskVerdict, judge_comparison};
use understudy_core::rule::Rule;

use crate::align::Alignment;
use crate::both::Both;
use crate::compare::{RuleSet, compare_aligned};
use crate::means::Means;
use crate::table::Table;
use crate::testing::pools::{Pool, pools};
use crate::testing::random::{Picked, Random};
use crate::testing::{Collected, SmallPredicates, parse_rule};

/// The column that identifies a row, then the one that says whose it is.
const KEY: &str = "c0";
const CUSTOMER: &str = "c1";
const CUSTOMERS: usize = 4;

/// Two tables with the same keys, most of them, few customers, and some cells that are others.
struct Tables {
    old: Picked,
    new: Picked,
}

impl Tables {
    fn random(random: &mut Random, all: &[Pool]) -> Self {
        let rows = 1 + random.below(40);
        let more: Vec<Pool> = (0..1 + random.below(3))
            .map(|_| all[random.below(all.len())].clone())
            .collect();
        let pools: Vec<Pool> = [Pool::numbers(rows), Pool::numbers(CUSTOMERS)]
            .into_iter()
            .chain(more)
            .collect();
        let mut old = Picked {
            pools,
            rows: Vec::new(),
        };
        old.rows = (0..rows)
            .map(|row| {
                let mut cells = old.random_row(random);
                cells[0] = row;
                cells
            })
            .collect();
        let mut new = old.clone();
        for row in &mut new.rows {
            for (pool, cell) in new.pools.iter().zip(row).skip(1) {
                if random.below(4) == 0 {
                    *cell = random.below(pool.values.len());
                }
            }
        }
        old.rows.retain(|_| random.below(10) > 0);
        new.rows.retain(|_| random.below(10) > 0);
        Self { old, new }
    }

    fn compare(&self, rules: &[Rule], threads: usize) -> Collected {
        let (old, new) = (self.old.table(7), self.new.table(5));
        let schemas = Both {
            old: old.schema.clone(),
            new: new.schema.clone(),
        };
        let alignment = Alignment::of(schemas, &[KEY.to_owned()], Some(CUSTOMER)).unwrap();
        let folder = std::env::temp_dir();
        let means = Means::with(64 << 20, threads, &folder, 4, 16);
        let tables: Both<&dyn Table> = Both {
            old: &old,
            new: &new,
        };
        let rules = RuleSet {
            rules,
            predicates: Some(&SmallPredicates),
        };
        let mut collected = Collected::default();
        collected.comparison =
            compare_aligned(tables, alignment, rules, &means, &mut collected).unwrap();
        collected
    }
}

fn random_rules(random: &mut Random, columns: usize) -> Vec<Rule> {
    (0..random.below(5))
        .map(|number| random_rule(random, columns, number))
        .collect()
}

fn random_rule(random: &mut Random, columns: usize, number: usize) -> Rule {
    let pick = |random: &mut Random, words: &[&str]| words[random.below(words.len())].to_owned();
    let mut words = Vec::new();
    if random.below(2) == 0 {
        words.push(pick(
            random,
            &[
                "customers=0",
                "customers=1,2",
                "customers=0,1,2,3",
                "customers=9",
            ],
        ));
    }
    match random.below(4) {
        0 => words.push(format!("columns=c{}", random.below(columns))),
        1 => words.push(pick(
            random,
            &[
                "columns=c*",
                "columns=?2",
                "columns=type:number",
                "columns=type:text",
            ],
        )),
        _ => {}
    }
    if random.below(4) == 0 {
        words.push(pick(
            random,
            &["kinds=changed", "kinds=only_old", "kinds=only_new,changed"],
        ));
    }
    if random.below(3) == 0 {
        words.push(pick(
            random,
            &[
                "where=old.c1=new.c1",
                "where=c0<20",
                "where=old.c1~",
                "where=new.c1!=0",
            ],
        ));
    }
    if random.below(3) == 0 {
        words.push(format!("max={}", 1 + random.below(6)));
    }
    words.push(pick(
        random,
        &[
            "any",
            "ignore",
            "within=10%",
            "within=1",
            "normalize=case,trim",
            "any",
        ],
    ));
    let mut rule = parse_rule(number + 1, &words.join(" "));
    rule.name = format!("rule {number}-{}", random.next());
    rule
}

#[track_caller]
fn for_seeds(seeds: u64, law: impl Fn(&mut Random, &Tables, &[Rule])) {
    let all = pools();
    for seed in 0..seeds {
        let mut random = Random(seed);
        let tables = Tables::random(&mut random, &all);
        let rules = random_rules(&mut random, tables.old.pools.len());
        let tried = std::panic::AssertUnwindSafe(|| law(&mut random, &tables, &rules));
        if let Err(panic) = std::panic::catch_unwind(tried) {
            eprintln!("the seed is {seed}, the rules are {rules:#?}");
            std::panic::resume_unwind(panic);
        }
    }
}

fn verdict(comparison: &Comparison) -> TaskVerdict {
    judge_comparison(comparison, Vec::new())
}

#[track_caller]
fn assert_no_worse(better: &Comparison, than: &Comparison) {
    let (better, than) = (verdict(better), verdict(than));
    assert!(
        better.verdict <= than.verdict,
        "{} > {}",
        better.verdict,
        than.verdict
    );
    for (customer, verdict) in &better.customers {
        assert!(*verdict <= than.customers[customer], "{customer}");
    }
}

#[test]
fn another_rule_never_makes_a_verdict_worse_and_one_less_never_better() {
    for_seeds(2_000, |random, tables, rules| {
        let before = tables.compare(rules, 1).comparison;
        let mut more = rules.to_vec();
        let place = random.below(rules.len() + 1);
        more.insert(
            place,
            random_rule(random, tables.old.pools.len(), rules.len()),
        );
        let after = tables.compare(&more, 1).comparison;
        assert_no_worse(&after, &before);
        assert!(after.rows.unexpected <= before.rows.unexpected);
    });
}

#[test]
fn what_rules_expect_and_what_is_left_are_all_differences() {
    for_seeds(2_000, |_, tables, rules| {
        let found = tables.compare(rules, 1).comparison;
        let without = tables.compare(&[], 1).comparison;
        let expected: u64 = found.rules.iter().map(|rule| rule.differences).sum();
        let cells: u64 = found.columns.iter().map(|column| column.unexpected).sum();
        let all: u64 = without.columns.iter().map(|column| column.changed).sum();
        let rows = without.rows.only_old + without.rows.only_new;
        let unexpected_rows = one_sided_unexpected(&tables.compare(rules, 1));
        assert_eq!(expected + cells + unexpected_rows, all + rows);
        for customer in found.customers.values() {
            let differing = customer.changed + customer.only_old + customer.only_new;
            assert_eq!(customer.expected + customer.unexpected, differing);
        }
    });
}

fn one_sided_unexpected(found: &Collected) -> u64 {
    let rows = found.rows.iter().filter(|row| !row.is_expected());
    rows.filter(|row| !matches!(row.difference.change, RowChange::Cells(_)))
        .count() as u64
}

/// A predicate that always holds takes the way of whole rows, without one most rows are judged by a few held words.
#[test]
fn both_ways_through_the_engine_count_the_same() {
    for_seeds(1_000, |random, tables, rules| {
        let always = |rule: &Rule| Rule {
            predicate: rule.predicate.clone().or_else(|| Some("c0>=0".to_owned())),
            must_change: true,
            ..rule.clone()
        };
        let asked: Vec<Rule> = rules.iter().map(always).collect();
        let plain: Vec<Rule> = rules
            .iter()
            .map(|rule| Rule {
                must_change: true,
                ..rule.clone()
            })
            .collect();
        let threads = 1 + random.below(3);
        let (asked, plain) = (tables.compare(&asked, 1), tables.compare(&plain, threads));
        assert_eq!(asked.comparison, plain.comparison);
    });
}

/// The definition, row by row, without any of the engine: what each rule counts for each customer.
#[test]
fn rules_count_for_each_customer_what_the_definition_says() {
    for_seeds(1_000, |_, tables, rules| {
        let rules: Vec<Rule> = rules
            .iter()
            .map(|rule| Rule {
                max_rows: None,
                predicate: None,
                ..rule.clone()
            })
            .collect();
        let found = tables.compare(&rules, 2);
        let bare = tables.compare(&[], 1);
        let mut counted: Vec<BTreeMap<Customer, u64>> = vec![BTreeMap::new(); rules.len()];
        let judge = understudy_core::judge::rows::RowJudge::new(&rules, &bare.layout.columns);
        for row in &bare.rows {
            let difference = &row.difference;
            let mut owners = vec![&difference.old_customer, &difference.new_customer];
            owners.dedup();
            for owner in owners.into_iter().flatten() {
                let met = understudy_core::judge::rows::Met::UNKNOWN;
                for rule in judge
                    .rules_for(difference, owner, met)
                    .into_iter()
                    .flatten()
                {
                    *counted[rule].entry(owner.clone()).or_default() += 1;
                }
            }
        }
        for (rule, counted) in found.comparison.rules.iter().zip(counted) {
            assert_eq!(rule.customers, counted, "{}", rule.name);
        }
    });
}

#[test]
fn a_rule_forgives_no_more_rows_than_it_may() {
    for_seeds(1_000, |_, tables, rules| {
        let found = tables.compare(rules, 1).comparison;
        for (rule, counts) in rules.iter().zip(&found.rules) {
            let most = rule.max_rows.unwrap_or(u64::MAX);
            assert!(counts.rows <= most);
            assert_eq!(counts.exceeded.is_some(), counts.exceeded > Some(most));
            if counts.exceeded.is_some() {
                assert_eq!((counts.rows, counts.differences), (0, 0));
            }
        }
    });
}
