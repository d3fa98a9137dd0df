//! The documents that upserts insert.

use bson::RawBsonRef;

use crate::json;
use crate::support::{show, upsert};

fn check(cases: &[(&str, &str, &str)]) {
    let mut failures = Vec::new();
    for (filter, update, expected) in cases {
        let found = match upsert(filter, update) {
            Err(error) => format!("!{} {}", error.code().number(), error.message()),
            Ok(document) if expected.starts_with('{') => {
                let wanted = json::document(expected);
                if wanted.as_bytes() == document.as_bytes() {
                    continue;
                }
                show(&document)
            }
            Ok(document) => show(&document),
        };
        if !expected.starts_with('!') || !found.starts_with(&format!("{expected} ")) {
            failures.push(format!("{filter} {update}\n  expected {expected}\n  found    {found}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn equalities_of_the_filter_begin_the_document() {
    check(&[
        ("{_id: 1}", "{$set: {a: 2}}", "{_id: 1, a: 2}"),
        ("{_id: 1, b: 3}", "{$set: {a: 2}}", "{_id: 1, b: 3, a: 2}"),
        ("{b: 3, _id: 1}", "{$set: {a: 2}}", "{_id: 1, b: 3, a: 2}"),
        ("{_id: 1, b: {$eq: 3}}", "{$set: {a: 2}}", "{_id: 1, b: 3, a: 2}"),
        ("{_id: {$eq: 1}}", "{$set: {a: 2}}", "{_id: 1, a: 2}"),
        ("{_id: 1, \"b.c\": 3}", "{$set: {a: 2}}", "{_id: 1, b: {c: 3}, a: 2}"),
        ("{_id: 1, \"b.c\": 3, \"b.d\": 4}", "{$set: {a: 2}}", "{_id: 1, b: {c: 3, d: 4}, a: 2}"),
        ("{_id: 1, b: {c: 3}}", "{$set: {a: 2}}", "{_id: 1, b: {c: 3}, a: 2}"),
        ("{_id: 1, b: [1, 2]}", "{$set: {a: 2}}", "{_id: 1, b: [1, 2], a: 2}"),
        ("{_id: 1, b: null}", "{$set: {a: 2}}", "{_id: 1, b: null, a: 2}"),
        ("{_id: 1, b: {$gt: 3}}", "{$set: {a: 2}}", "{_id: 1, a: 2}"),
        ("{_id: 1, b: {$ne: 3}}", "{$set: {a: 2}}", "{_id: 1, a: 2}"),
        ("{_id: 1, b: {$in: [3]}}", "{$set: {a: 2}}", "{_id: 1, b: 3, a: 2}"),
        ("{_id: 1, b: {$in: [3, 4]}}", "{$set: {a: 2}}", "{_id: 1, a: 2}"),
        ("{_id: 1, b: {$all: [3]}}", "{$set: {a: 2}}", "{_id: 1, b: 3, a: 2}"),
        ("{_id: 1, b: {$exists: true}}", "{$set: {a: 2}}", "{_id: 1, a: 2}"),
        ("{_id: 1, b: re(\"a\", \"\")}", "{$set: {a: 2}}", "{_id: 1, a: 2}"),
        ("{_id: 1, b: {$elemMatch: {c: 1}}}", "{$set: {a: 2}}", "{_id: 1, a: 2}"),
        ("{$and: [{_id: 1}, {b: 3}]}", "{$set: {a: 2}}", "{_id: 1, b: 3, a: 2}"),
        ("{$and: [{_id: 1}, {$and: [{b: 3}]}]}", "{$set: {a: 2}}", "{_id: 1, b: 3, a: 2}"),
        ("{$or: [{_id: 1}]}", "{$set: {a: 2}}", "{_id: 1, a: 2}"),
        ("{_id: 1, $or: [{b: 1}, {b: 2}]}", "{$set: {a: 2}}", "{_id: 1, a: 2}"),
        ("{_id: 1, $nor: [{b: 1}]}", "{$set: {a: 2}}", "{_id: 1, a: 2}"),
        ("{_id: 1, b: 3}", "{$set: {b: 4}}", "{_id: 1, b: 4}"),
        ("{_id: 1, b: 3}", "{$inc: {b: 4}}", "{_id: 1, b: 7}"),
        ("{_id: 1, b: 3}", "{$unset: {b: 4}}", "{_id: 1}"),
        ("{_id: 1, b: 3}", "{$setOnInsert: {c: 4}}", "{_id: 1, b: 3, c: 4}"),
        ("{_id: 1}", "{$setOnInsert: {c: 4}, $inc: {b: 1}}", "{_id: 1, b: 1, c: 4}"),
        ("{_id: 1}", "{$setOnInsert: {\"c.d\": 4}}", "{_id: 1, c: {d: 4}}"),
        ("{_id: 1, b: [3]}", "{$push: {b: 4}}", "{_id: 1, b: [3, 4]}"),
        ("{_id: 1, b: 3}", "{$push: {b: 4}}", "!2"),
        ("{_id: 1}", "{$push: {b: 4}}", "{_id: 1, b: [4]}"),
        ("{_id: 1, b: 3}", "{$rename: {b: \"c\"}}", "{_id: 1, c: 3}"),
        ("{_id: 1}", "{$min: {b: 3}, $max: {c: 4}, $mul: {d: 5}}", "{_id: 1, b: 3, c: 4, d: 0}"),
        ("{_id: 1}", "{$set: {\"a.$\": 1}}", "!2"),
        ("{_id: 1}", "{$set: {\"a.$[]\": 1}}", "!2"),
        ("{_id: 1, a: [1, 2]}", "{$set: {\"a.$[]\": 5}}", "{_id: 1, a: [5, 5]}"),
        ("{_id: {a: 1}}", "{$set: {b: 1}}", "{_id: {a: 1}, b: 1}"),
        ("{\"_id.a\": 1}", "{$set: {b: 1}}", "{_id: {a: 1}, b: 1}"),
        ("{\"_id.a\": 1}", "{b: 1}", "!111"),
        ("{_id: 1, \"_id.a\": 1}", "{b: 1}", "!111"),
        ("{_id: {a: 1}, \"_id.a\": 1}", "{$set: {b: 1}}", "!54"),
        ("{$and: [{_id: 1}, {_id: 2}]}", "{b: 1}", "!54"),
        ("{_id: {$all: [1, 2]}}", "{b: 1}", "!54"),
        ("{_id: 1}", "{$set: {_id: 1.0}}", "!66"),
        ("{_id: [1]}", "{b: 1}", "!53"),
        ("{_id: {$eq: [1]}}", "{$set: {b: 1}}", "!53"),
        ("{_id: 1, x: [1, {x: 1}], \"x.x\": 1}", "{}", "{_id: 1}"),
        ("{_id: 1, x: [1, {x: 1}], \"x.x\": 1}", "{$set: {b: 1}}", "!54"),
        (
            "{_id: 1, x: {$eq: re(\"a\", \"\")}}",
            "{$set: {b: 1}}",
            "{_id: 1, x: re(\"a\", \"\"), b: 1}",
        ),
        ("{_id: 1}", "{a: ts(0, 0)}", "{_id: 1, a: ts(8, 9)}"),
        ("{_id: 1}", "{$set: {a: ts(0, 0)}}", "{_id: 1, a: ts(0, 0)}"),
        ("{_id: 1}", "{$set: {$a: 1}}", "{_id: 1, $a: 1}"),
        ("{_id: 1}", "{$set: {\"$a.b\": 1}}", "{_id: 1, $a: {b: 1}}"),
        ("{_id: 1}", "{a: 1, $b: 1}", "{_id: 1, a: 1, $b: 1}"),
        ("{_id: 1, x: {\"x.x\": 1}}", "{$set: {b: 1}}", "{_id: 1, x: {\"x.x\": 1}, b: 1}"),
        ("{\"_id.a\": 1, \"_id.b\": 2}", "{$set: {b: 1}}", "{_id: {a: 1, b: 2}, b: 1}"),
        ("{_id: 1}", "{$set: {}}", "{_id: 1}"),
        ("{_id: null}", "{$set: {a: 1}}", "{_id: null, a: 1}"),
    ]);
}

#[test]
fn the_id_comes_from_the_filter_or_the_update() {
    check(&[
        ("{a: 1}", "{$set: {_id: 2}}", "{_id: 2, a: 1}"),
        ("{a: 1}", "{$setOnInsert: {_id: 2}}", "{_id: 2, a: 1}"),
        ("{a: 1}", "{$setOnInsert: {b: 1, _id: 2}}", "{_id: 2, a: 1, b: 1}"),
        ("{_id: 1}", "{$set: {_id: 1}}", "{_id: 1}"),
        ("{_id: 1}", "{$set: {_id: 2}}", "!66"),
        ("{_id: 1}", "{$setOnInsert: {_id: 2}}", "!66"),
        ("{_id: 1}", "{$inc: {_id: 2}}", "!66"),
        ("{_id: 1}", "{$unset: {_id: 2}}", "!66"),
        ("{a: 1}", "{$set: {_id: [1]}}", "!53"),
        ("{a: 1}", "{$set: {_id: re(\"a\", \"\")}}", "!53"),
        ("{_id: [1]}", "{$set: {b: 1}}", "!53"),
        ("{_id: 1}", "{a: 2}", "{_id: 1, a: 2}"),
        ("{_id: 1, b: 1}", "{a: 2}", "{_id: 1, a: 2}"),
        ("{_id: 1}", "{a: 2, _id: 1}", "{_id: 1, a: 2}"),
        ("{_id: 1}", "{_id: 2}", "!66"),
        ("{b: 1}", "{a: 2, _id: 7}", "{_id: 7, a: 2}"),
        ("{b: 1}", "{_id: 7}", "{_id: 7}"),
        ("{_id: {$gt: 1}}", "{_id: 7}", "{_id: 7}"),
        ("{_id: {$in: [3]}}", "{a: 1}", "{_id: 3, a: 1}"),
    ]);
    for (filter, update, first) in [
        ("{a: 1}", "{$set: {b: 1}}", "a"),
        ("{}", "{b: 1}", "b"),
        ("{_id: {$gt: 1}}", "{c: 1}", "c"),
    ] {
        let made = upsert(filter, update).unwrap();
        let fields: Vec<_> = made.iter().map(Result::unwrap).collect();
        assert_eq!(fields[0].0.as_str(), "_id");
        assert!(matches!(fields[0].1, RawBsonRef::ObjectId(_)), "{fields:?}");
        assert_eq!(fields[1].0.as_str(), first);
    }
}

#[test]
fn a_filter_may_not_say_two_values() {
    check(&[
        ("{$and: [{a: 1}, {a: 2}]}", "{$set: {b: 1}}", "!54"),
        ("{$and: [{a: 1}, {a: 1}]}", "{$set: {b: 1}}", "!54"),
        ("{a: 1, \"a.b\": 2}", "{$set: {b: 1}}", "!54"),
        ("{\"a.b\": 2, a: 1}", "{$set: {b: 1}}", "!54"),
        ("{a: {$all: [1, 2]}}", "{$set: {b: 1}}", "!54"),
        ("{\"a.b.c\": 2, \"a.b\": 1}", "{$set: {b: 1}}", "!54"),
        ("{$and: [{_id: 1}, {_id: 2}]}", "{b: 1}", "!54"),
        ("{_id: 1, $and: [{a: 1}, {a: 2}]}", "{b: 1}", "{_id: 1, b: 1}"),
    ]);
}
