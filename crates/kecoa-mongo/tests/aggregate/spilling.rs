//! What does not fit in memory: sorts and groups in runs outside of it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bson::RawDocumentBuf;
use kecoa_mongo::aggregate::{Options, Run, Spill};
use kecoa_mongo::error::Error;
use kecoa_mongo::expression::Scope;

use crate::support::*;

/// Runs that are lists, counted.
#[derive(Debug, Default)]
struct Lists {
    begun: AtomicUsize,
}

#[derive(Debug, Default)]
struct List {
    records: VecDeque<Vec<u8>>,
    is_read: bool,
}

impl Spill for Lists {
    fn begin(&self) -> Result<Box<dyn Run>, Error> {
        self.begun.fetch_add(1, Ordering::Relaxed);
        Ok(Box::new(List::default()))
    }
}

impl Run for List {
    fn write(&mut self, record: &[u8]) -> Result<(), Error> {
        assert!(!self.is_read);
        self.records.push_back(record.to_vec());
        Ok(())
    }

    fn rewind(&mut self) -> Result<(), Error> {
        self.is_read = true;
        Ok(())
    }

    fn read(&mut self) -> Result<Option<Vec<u8>>, Error> {
        assert!(self.is_read);
        Ok(self.records.pop_front())
    }
}

const INPUT: i32 = 3000;

fn input() -> Vec<RawDocumentBuf> {
    // Each key comes several times, at places that are far from each other.
    (0..INPUT)
        .map(|at| document(&format!("{{_id: {at}, a: {}, b: {}}}", at * 7 % 1000, at % 3)))
        .collect()
}

/// What comes of the input, and the number of runs.
fn run_within(
    pipeline: &str,
    memory: usize,
    may_spill: bool,
) -> Result<(Vec<RawDocumentBuf>, usize), Error> {
    let lists = Arc::new(Lists::default());
    let mut options = Options::new("db");
    options.memory_limit = memory;
    options.allow_disk_use = may_spill;
    options.spill = Some(lists.clone());
    let parsed = parse_with(pipeline, &Scope::new(), &options)?;
    let found = run_pipeline(&parsed, input(), &[], &variables(), &options)?;
    Ok((found, lists.begun.load(Ordering::Relaxed)))
}

const ALL: usize = 100 << 20;

#[test]
fn a_sort_goes_on_outside_memory() {
    for (pipeline, memory) in [
        ("[{$sort: {a: 1}}]", 4000),
        ("[{$sort: {a: -1, b: 1}}]", 50_000),
        ("[{$sort: {b: 1}}]", 4000),
        ("[{$sort: {a: 1}}, {$skip: 10}, {$limit: 100}]", 2000),
        ("[{$sort: {a: 1}}, {$match: {b: 1}}, {$group: {_id: null, n: {$push: '$_id'}}}]", 200_000),
        ("[{$facet: {x: [{$sort: {a: 1}}, {$project: {b: 1}}]}}]", 50_000),
    ] {
        let (expected, none) = run_within(pipeline, ALL, true).unwrap();
        assert_eq!(none, 0, "{pipeline}");
        let (found, runs) = run_within(pipeline, memory, true).unwrap();
        assert!(runs > 0, "{pipeline}");
        assert_eq!(found, expected, "{pipeline}");
        let refused = run_within(pipeline, memory, false).unwrap_err();
        assert!([292, 4_031_700].contains(&refused.code().number()), "{pipeline}: {refused}");
    }
}

#[test]
fn groups_go_on_outside_memory() {
    for (pipeline, memory) in [
        ("[{$group: {_id: '$a', n: {$sum: 1}, l: {$push: '$_id'}, f: {$first: '$b'}}}]", 60_000),
        ("[{$group: {_id: '$_id', n: {$sum: 1}}}]", 10_000),
        ("[{$group: {_id: {x: '$a', y: '$b'}, m: {$max: '$_id'}}}]", 40_000),
        ("[{$sortByCount: '$a'}]", 50_000),
    ] {
        let by_id = format!("{}, {{$sort: {{_id: 1}}}}]", pipeline.trim_end_matches(']'));
        let (expected, _) = run_within(&by_id, ALL, true).unwrap();
        let (found, runs) = run_within(&by_id, memory, true).unwrap();
        assert!(runs > 16, "{pipeline}: {runs}");
        assert_eq!(found, expected, "{pipeline}");
        let refused = run_within(pipeline, memory, false).unwrap_err();
        assert_eq!(refused.code().number(), 292, "{pipeline}");
    }
}

#[test]
fn what_is_small_stays_in_memory() {
    for pipeline in
        ["[{$sort: {a: 1}}]", "[{$group: {_id: '$a'}}]", "[{$sort: {a: 1}}, {$limit: 5}]"]
    {
        assert_eq!(run_within(pipeline, ALL, true).unwrap().1, 0, "{pipeline}");
    }
    assert_eq!(run_within("[{$sort: {a: 1}}, {$limit: 5}]", 2000, true).unwrap().1, 0);
}
