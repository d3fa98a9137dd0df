//! Which index is chosen, what is read of it, and hints.

use std::sync::Arc;

use kecoa_mongo::index::Index;
use kecoa_mongo::plan::Plan;
use kecoa_mongo::plan::access::{Access, Order};

use crate::support::{index, planned};

fn indexes(patterns: &[(&str, &str)]) -> Vec<Arc<Index>> {
    (1..)
        .zip(patterns)
        .map(|(number, (pattern, options))| Arc::new(index(number, pattern, options)))
        .collect()
}

/// Index, number of ranges, order, whether the sort is served: `i1 2 -> yes`.
fn show(plan: &Plan) -> String {
    let (ranges, order) = match &plan.access {
        Access::All { order } => ("all".to_owned(), order),
        Access::Ids { keys, order } => (format!("{} ids", keys.len()), order),
        Access::IdRanges { ranges, order } => (format!("{} id ranges", ranges.len()), order),
        Access::Index { ranges, order, .. } => (ranges.len().to_string(), order),
    };
    let name = plan.index.as_deref().unwrap_or("-");
    let arrow = if *order == Order::Forward { "->" } else { "<-" };
    let served = if plan.sort_is_served { "yes" } else { "no" };
    format!("{name} {ranges} {arrow} {served}")
}

fn check(patterns: &[(&str, &str)], multikey: bool, cases: &[(&str, &str, &str)]) {
    let indexes: Vec<_> = indexes(patterns)
        .iter()
        .map(|index| Arc::new(Index::clone(index).with_multikey(multikey)))
        .collect();
    for (filter, sort, expected) in cases {
        let plan = planned(filter, sort, &indexes, None).unwrap();
        assert_eq!(show(&plan), *expected, "{filter} {sort} with {patterns:?}: {plan:?}");
    }
}

#[test]
fn the_id_is_the_primary_key() {
    check(
        &[("{a: 1}", "")],
        false,
        &[
            ("{}", "{}", "- all -> yes"),
            ("{}", "{_id: 1}", "_id_ all -> yes"),
            ("{}", "{_id: -1}", "_id_ all <- yes"),
            ("{_id: 5}", "{}", "_id_ 1 ids -> yes"),
            ("{_id: 5}", "{b: 1}", "_id_ 1 ids -> yes"),
            ("{_id: \"x\"}", "{}", "_id_ 1 ids -> yes"),
            ("{_id: null}", "{}", "_id_ 1 ids -> yes"),
            ("{_id: {p: 1}}", "{}", "_id_ 1 ids -> yes"),
            ("{_id: {$in: [1, 2, 3]}}", "{}", "_id_ 3 ids -> yes"),
            ("{_id: {$in: [1, 2, 3]}}", "{_id: -1}", "_id_ 3 ids <- yes"),
            ("{_id: {$in: [1, 2, 3]}}", "{b: -1}", "_id_ 3 ids -> no"),
            ("{_id: {$in: []}}", "{}", "_id_ 0 ids -> yes"),
            ("{_id: {$gt: 5}}", "{}", "_id_ 1 id ranges -> yes"),
            ("{_id: {$gt: 5, $lt: 9}}", "{_id: -1}", "_id_ 1 id ranges <- yes"),
            ("{_id: {$gt: 9, $lt: 5}}", "{}", "_id_ 0 ids -> yes"),
            ("{_id: 5, a: 1}", "{}", "_id_ 1 ids -> yes"),
            ("{_id: {$gt: 5}, a: 1}", "{}", "i1 1 -> yes"),
            ("{$or: [{_id: 1}, {_id: 7}]}", "{}", "_id_ 2 ids -> yes"),
            ("{$or: [{_id: 1}, {b: 7}]}", "{}", "- all -> yes"),
            ("{$or: [{_id: 1}, {_id: {$gt: 7}}]}", "{}", "_id_ 2 id ranges -> yes"),
            ("{$and: [{_id: 1}, {b: 2}]}", "{}", "_id_ 1 ids -> yes"),
            ("{_id: re(\"^a\", \"\")}", "{}", "_id_ 2 id ranges -> yes"),
            ("{_id: {$ne: 1}}", "{}", "- all -> yes"),
            ("{_id: {$exists: true}}", "{}", "- all -> yes"),
            ("{}", "{b: 1}", "- all -> no"),
            ("{}", "{$natural: -1}", "- all <- yes"),
            ("{a: 1}", "{$natural: 1}", "- all -> yes"),
        ],
    );
}

#[test]
fn the_longest_run_of_fields_is_used() {
    let compound = [("{a: 1, b: 1, c: -1}", ""), ("{b: 1}", ""), ("{c: 1}", "sparse: true")];
    check(
        &compound,
        false,
        &[
            ("{a: 1}", "{}", "i1 1 -> yes"),
            ("{a: 1, b: 2}", "{}", "i1 1 -> yes"),
            ("{a: 1, b: 2, c: 3}", "{}", "i1 1 -> yes"),
            ("{b: 2}", "{}", "i2 1 -> yes"),
            ("{b: 2, c: 3}", "{}", "i2 1 -> yes"),
            ("{c: 3}", "{}", "i3 1 -> yes"),
            ("{c: null}", "{}", "- all -> yes"),
            ("{c: {$exists: true}}", "{}", "- all -> yes"),
            ("{c: {$exists: false}}", "{}", "- all -> yes"),
            ("{b: {$exists: false}}", "{}", "i2 1 -> yes"),
            ("{a: {$in: [1, 2]}, b: {$in: [3, 4, 5]}}", "{}", "i1 6 -> yes"),
            ("{a: {$in: [1, 2]}, b: {$gt: 3}}", "{}", "i1 2 -> yes"),
            ("{a: {$gt: 1}, b: 2}", "{}", "i2 1 -> yes"),
            ("{a: {$gt: 1, $lt: 5}}", "{}", "i1 1 -> yes"),
            ("{a: {$gt: 5, $lt: 1}}", "{}", "i1 0 -> yes"),
            ("{$or: [{a: 1}, {a: 2, b: 3}]}", "{}", "i1 2 -> yes"),
            ("{$or: [{a: 1}, {b: 3}]}", "{}", "- all -> yes"),
            ("{$or: [{b: 1}, {b: {$gt: 3}}]}", "{}", "i2 2 -> yes"),
            ("{z: 1, $or: [{b: 1}, {b: 2}]}", "{}", "i2 2 -> yes"),
            ("{a: [1, 2]}", "{}", "i1 2 -> yes"),
            ("{a: {$mod: [2, 0]}}", "{}", "i1 1 -> yes"),
            ("{a: {$size: 2}}", "{}", "- all -> yes"),
            ("{a: {$gt: min}}", "{}", "- all -> yes"),
            ("{$nor: [{a: 1}]}", "{}", "- all -> yes"),
            ("{$expr: {$eq: [\"$a\", 1]}}", "{}", "- all -> yes"),
        ],
    );
}

#[test]
fn a_sort_is_served_behind_equal_fields() {
    check(
        &[("{a: 1, b: 1, c: -1}", "")],
        false,
        &[
            ("{}", "{a: 1}", "i1 1 -> yes"),
            ("{}", "{a: -1}", "i1 1 <- yes"),
            ("{}", "{a: 1, b: 1}", "i1 1 -> yes"),
            ("{}", "{a: 1, b: -1}", "- all -> no"),
            ("{}", "{a: 1, b: 1, c: -1}", "i1 1 -> yes"),
            ("{}", "{a: -1, b: -1, c: 1}", "i1 1 <- yes"),
            ("{}", "{a: 1, b: 1, c: 1}", "- all -> no"),
            ("{}", "{b: 1}", "- all -> no"),
            ("{a: 1}", "{b: 1}", "i1 1 -> yes"),
            ("{a: 1}", "{b: -1}", "i1 1 <- yes"),
            ("{a: 1}", "{b: 1, c: -1}", "i1 1 -> yes"),
            ("{a: 1}", "{c: -1}", "i1 1 -> no"),
            ("{a: 1, b: 2}", "{c: 1}", "i1 1 <- yes"),
            ("{a: 1, b: {$gt: 2}}", "{b: 1}", "i1 1 -> yes"),
            ("{a: 1}", "{a: 1, b: 1}", "i1 1 -> yes"),
            ("{a: 1}", "{a: -1, b: 1}", "i1 1 -> yes"),
            ("{a: 1}", "{b: 1, a: -1}", "i1 1 -> yes"),
            ("{a: {$in: [1, 2]}}", "{b: 1}", "i1 2 -> no"),
            ("{a: {$in: [1, 2]}}", "{a: 1, b: 1}", "i1 2 -> yes"),
            ("{a: {$gt: 1}}", "{a: -1}", "i1 1 <- yes"),
            ("{a: {$gt: 1}}", "{b: 1}", "i1 1 -> no"),
            ("{}", "{a: 1, d: 1}", "- all -> no"),
        ],
    );
}

#[test]
fn arrays_loosen_bounds_and_orders() {
    check(
        &[("{a: 1, b: 1}", ""), ("{\"x.a\": 1, \"x.b\": 1}", "")],
        true,
        &[
            ("{a: {$gt: 1, $lt: 5}}", "{}", "i1 1 -> yes"),
            ("{a: {$gt: 5, $lt: 1}}", "{}", "i1 1 -> yes"),
            ("{a: {$elemMatch: {$gt: 5, $lt: 1}}}", "{}", "i1 0 -> yes"),
            ("{a: 1, b: 2}", "{}", "i1 1 -> yes"),
            ("{\"x.a\": 1, \"x.b\": {$in: [1, 2]}}", "{}", "i2 1 -> yes"),
            ("{x: {$elemMatch: {a: 1, b: {$in: [1, 2]}}}}", "{}", "i2 2 -> yes"),
            ("{}", "{a: 1}", "i1 1 -> yes"),
            ("{a: {$gt: 1}}", "{a: 1}", "i1 1 -> no"),
            ("{a: 1}", "{a: 1}", "i1 1 -> no"),
            ("{a: 1}", "{b: 1}", "i1 1 -> yes"),
            ("{\"x.a\": 1}", "{\"x.b\": 1}", "i2 1 -> no"),
        ],
    );
}

#[test]
fn special_indexes_have_their_rules() {
    check(
        &[("{a: \"hashed\"}", "")],
        false,
        &[
            ("{a: 1}", "{}", "i1 1 -> yes"),
            ("{a: {$in: [1, 2]}}", "{}", "i1 2 -> yes"),
            ("{a: null}", "{}", "i1 1 -> yes"),
            ("{a: {$gt: 1}}", "{}", "- all -> yes"),
            ("{}", "{a: 1}", "- all -> no"),
            ("{a: re(\"^a\", \"\")}", "{}", "- all -> yes"),
        ],
    );
    check(
        &[("{a: 1}", "sparse: true")],
        false,
        &[
            ("{a: 1}", "{}", "i1 1 -> yes"),
            ("{a: {$gt: 1}}", "{a: 1}", "i1 1 -> yes"),
            ("{a: null}", "{}", "- all -> yes"),
            ("{a: {$in: [1, null]}}", "{}", "- all -> yes"),
            ("{a: {$lte: null}}", "{}", "- all -> yes"),
            ("{}", "{a: 1}", "- all -> no"),
            ("{a: {$exists: true}}", "{a: 1}", "i1 1 -> yes"),
        ],
    );
    check(
        &[("{a: 1}", "collation: {locale: \"en\", strength: 2}")],
        false,
        &[
            ("{a: 1}", "{}", "i1 1 -> yes"),
            ("{a: \"x\"}", "{}", "i1 1 -> yes"),
            ("{a: {$gt: 3}}", "{}", "i1 1 -> yes"),
            ("{a: [1]}", "{}", "- all -> yes"),
            ("{}", "{a: 1}", "- all -> no"),
        ],
    );
    check(&[("{a: 1}", "hidden: true")], false, &[("{a: 1}", "{}", "- all -> yes")]);
    check(
        &[("{a: 1}", "unique: true"), ("{a: 1, b: 1}", "")],
        false,
        &[
            ("{a: 1, b: 2}", "{}", "i1 1 -> yes"),
            ("{a: 1}", "{}", "i1 1 -> yes"),
            ("{a: {$gt: 1}, b: 2}", "{}", "i1 1 -> yes"),
        ],
    );
}

#[test]
fn a_partial_index_serves_what_is_in_it() {
    let partial = |filter: &str| format!("partialFilterExpression: {filter}");
    let yes = "i1 1 -> yes";
    let no = "- all -> yes";
    for (condition, cases) in [
        (
            "{b: {$gt: 5}}",
            &[
                ("{a: 1, b: 6}", yes),
                ("{a: 1, b: 5}", no),
                ("{a: 1, b: \"x\"}", no),
                ("{a: 1, b: {$gt: 5}}", yes),
                ("{a: 1, b: {$gt: 7}}", yes),
                ("{a: 1, b: {$gte: 5}}", no),
                ("{a: 1, b: {$gte: 6}}", yes),
                ("{a: 1, b: {$lt: 9}}", no),
                ("{a: 1, b: {$gt: 7, $lt: 9}}", yes),
                ("{a: 1, b: {$in: [6, 7]}}", yes),
                ("{a: 1, b: {$in: [5, 7]}}", no),
                ("{a: 1}", no),
                ("{a: 1, b: [6]}", no),
            ][..],
        ),
        (
            "{b: {$exists: true}}",
            &[
                ("{a: 1, b: 6}", yes),
                ("{a: 1, b: null}", no),
                ("{a: 1, b: {$exists: true}}", yes),
                ("{a: 1, b: {$gt: 1}}", yes),
                ("{a: 1, b: {$type: \"string\"}}", yes),
                ("{a: 1, b: {$in: [1, null]}}", no),
                ("{a: 1, b: {$ne: 1}}", no),
                ("{a: 1}", no),
            ],
        ),
        (
            "{b: 5, c: \"x\"}",
            &[
                ("{a: 1, b: 5, c: \"x\"}", yes),
                ("{a: 1, b: 5.0, c: \"x\"}", yes),
                ("{a: 1, b: 5}", no),
                ("{a: 1, c: \"x\"}", no),
                ("{a: 1, $and: [{b: 5}, {c: \"x\"}]}", yes),
                ("{a: 1, $or: [{b: 5, c: \"x\"}]}", yes),
            ],
        ),
        (
            "{$or: [{b: 1}, {c: {$lte: 3}}]}",
            &[
                ("{a: 1, b: 1}", yes),
                ("{a: 1, c: 3}", yes),
                ("{a: 1, c: {$lt: 3}}", yes),
                ("{a: 1, c: 4}", no),
                ("{a: 1}", no),
            ],
        ),
        ("{a: {$gte: 0}}", &[("{a: 1}", yes), ("{a: -1}", no), ("{a: {$gt: 2}}", yes)]),
    ] {
        let options = partial(condition);
        for (filter, expected) in cases {
            check(&[("{a: 1}", &options)], false, &[(filter, "{}", expected)]);
        }
    }
}

#[test]
fn many_values_become_one_range() {
    let values: Vec<_> = (0..1500).map(|value| value.to_string()).collect();
    let list = values.join(", ");
    check(
        &[("{a: 1, b: 1}", "")],
        false,
        &[
            (&format!("{{a: {{$in: [{list}]}}}}"), "{}", "i1 1 -> yes"),
            (&format!("{{_id: {{$in: [{list}]}}}}"), "{}", "_id_ 1 id ranges -> yes"),
        ],
    );
}

#[test]
fn a_hint_is_obeyed() {
    let indexes =
        indexes(&[("{a: 1}", ""), ("{b: -1}", "sparse: true"), ("{c: 1}", "hidden: true")]);
    for (hint, filter, sort, expected) in [
        ("\"i1\"", "{}", "{}", "i1 1 -> yes"),
        ("\"i1\"", "{b: 1}", "{}", "i1 1 -> yes"),
        ("{a: 1}", "{_id: 1}", "{}", "i1 1 -> yes"),
        ("{a: 1.0}", "{}", "{a: -1}", "i1 1 <- yes"),
        ("{b: -1}", "{}", "{b: 1}", "i2 1 <- yes"),
        ("\"i2\"", "{a: 1}", "{a: 1}", "i2 1 -> no"),
        ("{$natural: 1}", "{a: 1}", "{}", "- all -> yes"),
        ("{$natural: -1}", "{a: 1}", "{}", "- all <- yes"),
        ("{$natural: 1}", "{a: 1}", "{a: 1}", "- all -> no"),
        ("{}", "{a: 1}", "{}", "i1 1 -> yes"),
    ] {
        let plan = planned(filter, sort, &indexes, Some(hint)).unwrap();
        assert_eq!(show(&plan), expected, "{hint} {filter} {sort}");
    }
    for (hint, code) in [
        ("\"i9\"", 2),
        ("\"\"", 2),
        ("{a: -1}", 2),
        ("{a: 1, b: 1}", 2),
        ("\"i3\"", 2),
        ("{c: 1}", 2),
        ("1", 9),
        ("null", 9),
        ("[]", 9),
    ] {
        let error = planned("{}", "{}", &indexes, Some(hint)).unwrap_err();
        assert_eq!(error.code().number(), code, "{hint}");
    }
}
