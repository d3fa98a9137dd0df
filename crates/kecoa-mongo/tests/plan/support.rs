//! Indexes, filters and sorts from text; documents as an index gives them.

use std::collections::HashSet;
use std::sync::Arc;

use bson::RawDocumentBuf;
use kecoa_mongo::bson::key::Key;
use kecoa_mongo::collation::Collator;
use kecoa_mongo::error::Error;
use kecoa_mongo::expression::Scope;
use kecoa_mongo::index::Index;
use kecoa_mongo::plan::access::{Access, KeyRange, Order};
use kecoa_mongo::plan::{Plan, Request, plan};
use kecoa_mongo::query::{Filter, Sort, SortMode};

use crate::json;

/// An index with a key pattern and further options.
pub(crate) fn index(number: i32, pattern: &str, options: &str) -> Index {
    let name = format!("i{number}");
    let specification =
        json::document(&format!("{{v: 2, key: {pattern}, name: \"{name}\", {options}}}"));
    Index::parse(&specification, &Collator::default()).unwrap().with_number(number)
}

pub(crate) fn filter(text: &str) -> Filter {
    Filter::parse(&json::document(text), &Scope::new()).unwrap()
}

pub(crate) fn sort(text: &str) -> Sort {
    Sort::parse(&json::document(text), SortMode::Find, &Scope::new()).unwrap()
}

pub(crate) fn planned(
    filter_text: &str,
    sort_text: &str,
    indexes: &[Arc<Index>],
    hint: Option<&str>,
) -> Result<Plan, Error> {
    let filter = filter(filter_text);
    let sort = sort(sort_text);
    let hint = hint.map(json::value);
    let hint = hint.as_ref().map(|hint| hint.get("").unwrap().unwrap());
    plan(&Request { filter: &filter, sort: Some(&sort), indexes, hint })
}

/// The positions of the documents that are read, in their order.
pub(crate) fn read(
    plan: &Plan,
    indexes: &[Arc<Index>],
    documents: &[RawDocumentBuf],
) -> Vec<usize> {
    let id = |document: &RawDocumentBuf| Key::of(document.get("_id").unwrap().unwrap());
    let within = |ranges: &[KeyRange], key: &[u8]| ranges.iter().any(|range| range.contains(key));
    let mut found: Vec<(Vec<u8>, usize)> = Vec::new();
    for (at, document) in documents.iter().enumerate() {
        match &plan.access {
            Access::All { .. } => found.push((id(document).into_bytes(), at)),
            Access::Ids { keys, .. } => {
                if keys.contains(&id(document)) {
                    found.push((id(document).into_bytes(), at));
                }
            }
            Access::IdRanges { ranges, .. } => {
                check_order(ranges);
                if within(ranges, id(document).as_bytes()) {
                    found.push((id(document).into_bytes(), at));
                }
            }
            Access::Index { index, ranges, .. } => {
                check_order(ranges);
                let index = indexes.iter().find(|other| other.number() == *index).unwrap();
                for key in index.entries(document).unwrap().keys {
                    if within(ranges, key.as_bytes()) {
                        found.push((key.into_bytes(), at));
                    }
                }
            }
        }
    }
    found.sort();
    if plan.access.order() == Order::Backward {
        found.reverse();
    }
    let mut seen = HashSet::new();
    found.into_iter().map(|(_, at)| at).filter(|at| seen.insert(*at)).collect()
}

fn check_order(ranges: &[KeyRange]) {
    for pair in ranges.windows(2) {
        assert!(pair[0].upper() <= pair[1].lower(), "{ranges:?}");
    }
    assert!(ranges.iter().all(|range| !range.is_empty()), "{ranges:?}");
}
