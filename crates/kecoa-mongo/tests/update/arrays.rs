//! `$push` and its clauses, `$addToSet`, `$pull`, and `$` for the element that met the query.

use kecoa_mongo::collation::Collator;
use kecoa_mongo::expression::Scope;
use kecoa_mongo::update::{Options, Update};

use crate::json;
use crate::support::{Case, apply, check, check_made, difference, value, variables};

#[test]
fn push_puts_in_place_sorts_and_cuts() {
    let numbers: [(&str, &str); 40] = [
        ("{$each: [9]}", "[3, 1, 2, 9]"),
        ("{$each: [9, 8]}", "[3, 1, 2, 9, 8]"),
        ("{$each: [9], $position: 0}", "[9, 3, 1, 2]"),
        ("{$each: [9], $position: 1}", "[3, 9, 1, 2]"),
        ("{$each: [9], $position: 3}", "[3, 1, 2, 9]"),
        ("{$each: [9], $position: 99}", "[3, 1, 2, 9]"),
        ("{$each: [9], $position: -1}", "[3, 1, 9, 2]"),
        ("{$each: [9, 8], $position: -2}", "[3, 9, 8, 1, 2]"),
        ("{$each: [9], $position: -99}", "[9, 3, 1, 2]"),
        ("{$each: [9], $position: long(9223372036854775807)}", "[3, 1, 2, 9]"),
        ("{$each: [9], $position: long(-9223372036854775808)}", "[9, 3, 1, 2]"),
        ("{$each: [9], $position: 1.0}", "[3, 9, 1, 2]"),
        ("{$each: [9], $position: dec(\"1\")}", "[3, 9, 1, 2]"),
        ("{$each: [], $slice: 2}", "[3, 1]"),
        ("{$each: [], $slice: -2}", "[1, 2]"),
        ("{$each: [], $slice: 0}", "[]"),
        ("{$each: [9], $slice: 3}", "[3, 1, 2]"),
        ("{$each: [9], $slice: -3}", "[1, 2, 9]"),
        ("{$each: [], $slice: 99}", "="),
        ("{$each: [], $slice: -99}", "="),
        ("{$each: [9], $slice: 1.0}", "[3]"),
        ("{$each: [], $slice: long(-9223372036854775808)}", "="),
        ("{$each: [], $sort: 1}", "[1, 2, 3]"),
        ("{$each: [], $sort: -1}", "[3, 2, 1]"),
        ("{$each: [2.5], $sort: 1}", "[1, 2, 2.5, 3]"),
        ("{$each: [2.0], $sort: 1}", "[1, 2, 2.0, 3]"),
        ("{$each: [2.0], $sort: -1}", "[3, 2, 2.0, 1]"),
        ("{$each: [\"a\", null, {b: 1}], $sort: 1}", "[null, 1, 2, 3, \"a\", {b: 1}]"),
        ("{$each: [9, 0], $sort: 1, $slice: 2}", "[0, 1]"),
        ("{$each: [9, 0], $sort: -1, $slice: 2}", "[9, 3]"),
        ("{$each: [9, 0], $sort: 1, $slice: -2}", "[3, 9]"),
        ("{$slice: -2, $each: [9], $position: 0}", "[1, 2]"),
        ("{$position: 0, $slice: 2, $each: [9]}", "[9, 3]"),
        ("{$each: [9], $position: 0, $sort: 1, $slice: -1}", "[9]"),
        ("{$each: [[5], 4], $sort: 1}", "[1, 2, 3, 4, [5]]"),
        ("{$each: [9], $sort: 1.0}", "[1, 2, 3, 9]"),
        ("{$each: [9], $sort: long(-1)}", "[9, 3, 2, 1]"),
        ("{$each: [], $sort: {a: 1}}", "[3, 1, 2]"),
        ("{$slice: 1}", "[3, 1, 2, {$slice: 1}]"),
        ("{a: {$each: [1]}}", "[3, 1, 2, {a: {$each: [1]}}]"),
    ];
    let mut cases = Vec::new();
    for (argument, after) in numbers {
        for (path, document) in [("a", "{a: @}"), ("b.0.c", "{b: [{c: @, d: 1}]}")] {
            let wanted = if after == "=" { after.to_owned() } else { document.replace('@', after) };
            cases.push((
                document.replace('@', "[3, 1, 2]"),
                format!("{{$push: {{\"{path}\": {argument}}}}}"),
                wanted,
            ));
        }
    }
    check_made(&cases);
}

#[test]
fn push_sorts_documents_by_their_fields() {
    let cases: [Case<'_>; 10] = [
        (
            "{a: [{x: 2, y: 1}, {x: 1, y: 1}]}",
            "{$push: {a: {$each: [{x: 1, y: 0}], $sort: {x: 1, y: 1}}}}",
            "{a: [{x: 1, y: 0}, {x: 1, y: 1}, {x: 2, y: 1}]}",
        ),
        (
            "{a: [{x: 2, y: 1}, {x: 1, y: 1}]}",
            "{$push: {a: {$each: [{x: 1, y: 0}], $sort: {x: -1, y: 1}}}}",
            "{a: [{x: 2, y: 1}, {x: 1, y: 0}, {x: 1, y: 1}]}",
        ),
        (
            "{a: [{x: {y: 2}}, {x: {y: 1}}]}",
            "{$push: {a: {$each: [], $sort: {\"x.y\": 1}}}}",
            "{a: [{x: {y: 1}}, {x: {y: 2}}]}",
        ),
        (
            "{a: [{x: 1}, {z: 1}, 5, {x: null}]}",
            "{$push: {a: {$each: [], $sort: {x: 1}}}}",
            "{a: [{z: 1}, 5, {x: null}, {x: 1}]}",
        ),
        (
            "{a: [{x: [2]}, {x: [1]}]}",
            "{$push: {a: {$each: [], $sort: {\"x.0\": 1}}}}",
            "{a: [{x: [1]}, {x: [2]}]}",
        ),
        (
            "{a: [{x: \"b\"}, {x: \"a\"}]}",
            "{$push: {a: {$each: [{x: 7}], $sort: {x: 1}, $slice: 2}}}",
            "{a: [{x: 7}, {x: \"a\"}]}",
        ),
        (
            "{a: [{b: 1, a: 2}, {a: 1, b: 1}]}",
            "{$push: {a: {$each: [], $sort: 1}}}",
            "{a: [{a: 1, b: 1}, {b: 1, a: 2}]}",
        ),
        ("{}", "{$push: {a: {$each: [3, 1, 2], $sort: 1, $slice: 2}}}", "{a: [1, 2]}"),
        ("{}", "{$push: {a: {$each: [3, 1, 2], $slice: -1}}}", "{a: [2]}"),
        ("{}", "{$push: {a: {$each: [3, 1, 2], $slice: 0, $position: 5}}}", "{a: []}"),
    ];
    check(&cases);
}

#[test]
fn arguments_of_array_operators_are_checked() {
    let cases: [Case<'_>; 44] = [
        ("{}", "{$push: {a: {$each: 1}}}", "!2"),
        ("{}", "{$push: {a: {$each: null}}}", "!2"),
        ("{}", "{$push: {a: {$each: {}}}}", "!2"),
        ("{}", "{$push: {a: {$each: [], b: 1}}}", "!2"),
        ("{}", "{$push: {a: {$each: [], $foo: 1}}}", "!2"),
        ("{}", "{$push: {a: {$foo: 1, $each: []}}}", "!2"),
        ("{}", "{$push: {a: {$each: [], $slice: \"1\"}}}", "!2"),
        ("{}", "{$push: {a: {$each: [], $slice: 1.5}}}", "!2"),
        ("{}", "{$push: {a: {$each: [], $slice: null}}}", "!2"),
        ("{}", "{$push: {a: {$each: [], $slice: nan}}}", "!2"),
        ("{}", "{$push: {a: {$each: [], $slice: dec(\"1.5\")}}}", "!2"),
        ("{}", "{$push: {a: {$each: [], $position: \"1\"}}}", "!2"),
        ("{}", "{$push: {a: {$each: [], $position: 0.5}}}", "!2"),
        ("{}", "{$push: {a: {$each: [], $position: null}}}", "!2"),
        ("{}", "{$push: {a: {$each: [], $position: inf}}}", "!2"),
        ("{}", "{$push: {a: {$each: [], $sort: 0}}}", "!2"),
        ("{}", "{$push: {a: {$each: [], $sort: 2}}}", "!2"),
        ("{}", "{$push: {a: {$each: [], $sort: \"a\"}}}", "!2"),
        ("{}", "{$push: {a: {$each: [], $sort: null}}}", "!2"),
        ("{}", "{$push: {a: {$each: [], $sort: true}}}", "!2"),
        ("{}", "{$push: {a: {$each: [], $sort: []}}}", "!2"),
        ("{}", "{$push: {a: {$each: [], $sort: {}}}}", "!2"),
        ("{}", "{$push: {a: {$each: [], $sort: {a: 2}}}}", "!2"),
        ("{}", "{$push: {a: {$each: [], $sort: {a: \"1\"}}}}", "!2"),
        ("{}", "{$push: {a: {$each: [], $sort: {\"\": 1}}}}", "!2"),
        ("{}", "{$push: {a: {$each: [], $sort: {\"a.\": 1}}}}", "!2"),
        ("{}", "{$push: {a: {$each: [], $sort: {\"a..b\": 1}}}}", "!2"),
        ("{}", "{$addToSet: {a: {$each: 1}}}", "!14"),
        ("{}", "{$addToSet: {a: {$each: null}}}", "!14"),
        ("{}", "{$addToSet: {a: {$each: [], b: 1}}}", "!2"),
        ("{}", "{$addToSet: {a: {b: 1, $each: [1]}}}", "{a: [{b: 1, $each: [1]}]}"),
        ("{}", "{$pop: {a: 0}}", "!9"),
        ("{}", "{$pop: {a: 2}}", "!9"),
        ("{}", "{$pop: {a: \"1\"}}", "!9"),
        ("{}", "{$pop: {a: null}}", "!9"),
        ("{}", "{$pop: {a: 1.5}}", "!9"),
        ("{}", "{$pop: {a: true}}", "!9"),
        ("{a: [1, 2]}", "{$pop: {a: 1.0}}", "{a: [1]}"),
        ("{a: [1, 2]}", "{$pop: {a: long(-1)}}", "{a: [2]}"),
        ("{}", "{$pullAll: {a: 1}}", "!2"),
        ("{}", "{$pullAll: {a: null}}", "!2"),
        ("{}", "{$pullAll: {a: {}}}", "!2"),
        ("{}", "{$pull: {a: {$foo: 1}}}", "!2"),
        ("{}", "{$pull: {a: {b: {$foo: 1}}}}", "!2"),
    ];
    check(&cases);
}

#[test]
fn pull_takes_values_queries_and_patterns() {
    let cases: [Case<'_>; 26] = [
        ("{a: [1, 1.0, long(1), 2]}", "{$pull: {a: 1}}", "{a: [2]}"),
        ("{a: [1, 2, 3, 4]}", "{$pull: {a: {$gt: 1, $lt: 4}}}", "{a: [1, 4]}"),
        ("{a: [\"ab\", \"b\", 1]}", "{$pull: {a: re(\"^a\", \"\")}}", "{a: [\"b\", 1]}"),
        ("{a: [\"ab\", \"b\", 1]}", "{$pull: {a: {$regex: \"b\"}}}", "{a: [1]}"),
        ("{a: [{b: 1, c: 2}, {b: 1}, {b: 2}]}", "{$pull: {a: {b: 1}}}", "{a: [{b: 2}]}"),
        ("{a: [{b: 1, c: 2}, {b: 1}, 5]}", "{$pull: {a: {b: 1, c: 2}}}", "{a: [{b: 1}, 5]}"),
        ("{a: [{b: [1, 2]}, {b: [3]}]}", "{$pull: {a: {b: 2}}}", "{a: [{b: [3]}]}"),
        ("{a: [{b: [{c: 1}]}]}", "{$pull: {a: {b: {$elemMatch: {c: 1}}}}}", "{a: []}"),
        ("{a: [{b: {c: 1}}]}", "{$pull: {a: {\"b.c\": 1}}}", "{a: []}"),
        ("{a: [{b: 1}, {b: 2}, {b: 3}]}", "{$pull: {a: {$or: [{b: 1}, {b: 3}]}}}", "{a: [{b: 2}]}"),
        ("{a: [{b: 1}, {c: 2}, 1]}", "{$pull: {a: {}}}", "{a: [1]}"),
        ("{a: [{b: 1}, {}]}", "{$pull: {a: {b: {$exists: false}}}}", "{a: [{b: 1}]}"),
        ("{a: [1, 2, 3]}", "{$pull: {a: {$in: [1, 3]}}}", "{a: [2]}"),
        ("{a: [1, 2, 3]}", "{$pull: {a: {$nin: [1, 3]}}}", "{a: [1, 3]}"),
        ("{a: [1, 2, 3]}", "{$pull: {a: {$ne: 2}}}", "{a: [2]}"),
        ("{a: [[1, 2], [3]]}", "{$pull: {a: [1, 2]}}", "{a: [[3]]}"),
        ("{a: [[1, 2], [3]]}", "{$pull: {a: {$eq: [3]}}}", "{a: [[1, 2]]}"),
        ("{a: [null, 1, undefined]}", "{$pull: {a: null}}", "{a: [1, undefined]}"),
        ("{a: [{b: null}, {c: 1}]}", "{$pull: {a: {b: null}}}", "{a: []}"),
        ("{a: [1, \"x\", null]}", "{$pull: {a: {$type: \"string\"}}}", "{a: [1, null]}"),
        ("{a: [1, 2]}", "{$pull: {a: 3}}", "="),
        ("{a: []}", "{$pull: {a: 3}}", "="),
        ("{a: [{b: [1, 2]}, {b: [1]}]}", "{$pull: {\"a.$[].b\": 1}}", "{a: [{b: [2]}, {b: []}]}"),
        ("{a: [1, 2, 1.0, 3]}", "{$pullAll: {a: [1, 3]}}", "{a: [2]}"),
        (
            "{a: [{b: 1, c: 2}, {c: 2, b: 1}]}",
            "{$pullAll: {a: [{b: 1, c: 2}]}}",
            "{a: [{c: 2, b: 1}]}",
        ),
        ("{a: [1]}", "{$pullAll: {a: []}}", "="),
    ];
    check(&cases);
}

#[test]
fn a_dollar_stands_for_the_element_that_met_the_query() {
    let cases: [(&str, &str, Option<usize>, &str); 19] = [
        ("{a: [1, 2, 3]}", "{$set: {\"a.$\": 9}}", Some(1), "{a: [1, 9, 3]}"),
        ("{a: [1, 2, 3]}", "{$set: {\"a.$\": 9}}", None, "!2"),
        ("{a: [1, 2, 3]}", "{$inc: {\"a.$\": 1}}", Some(0), "{a: [2, 2, 3]}"),
        ("{a: [{b: 1}, {b: 2}]}", "{$set: {\"a.$.b\": 9}}", Some(1), "{a: [{b: 1}, {b: 9}]}"),
        (
            "{a: [{b: 1}, {b: 2}]}",
            "{$set: {\"a.$.c.d\": 9}}",
            Some(0),
            "{a: [{b: 1, c: {d: 9}}, {b: 2}]}",
        ),
        ("{a: [{b: [1]}]}", "{$push: {\"a.$.b\": 2}}", Some(0), "{a: [{b: [1, 2]}]}"),
        ("{a: [1, 2, 3]}", "{$unset: {\"a.$\": 1}}", Some(1), "{a: [1, null, 3]}"),
        ("{a: [1, 2], b: 1}", "{$set: {\"a.$\": 5, b: 2}}", Some(1), "{a: [1, 5], b: 2}"),
        ("{a: [1, 2]}", "{$set: {\"a.$\": 5, \"a.0\": 6}}", Some(1), "{a: [6, 5]}"),
        ("{a: [1, 2]}", "{$set: {\"a.$\": 5, \"a.1\": 6}}", Some(1), "!40"),
        (
            "{a: [{}, {}]}",
            "{$set: {\"a.$.b\": 5, \"a.1.c\": 6}}",
            Some(1),
            "{a: [{}, {b: 5, c: 6}]}",
        ),
        ("{a: [{}, {}]}", "{$set: {\"a.$.b\": 5, \"a.1.b\": 6}}", Some(1), "!40"),
        ("{a: [1], b: [1]}", "{$set: {\"a.$\": 5, \"b.$\": 6}}", Some(0), "{a: [5], b: [6]}"),
        ("{a: [{b: [1, 2]}]}", "{$set: {\"a.$.b.$[]\": 5}}", Some(0), "{a: [{b: [5, 5]}]}"),
        ("{a: [1, 2]}", "{$set: {\"a.$\": 1}}", Some(0), "="),
        ("{a: [1]}", "{$set: {\"a.$\": 7}}", Some(2), "{a: [1, null, 7]}"),
        ("{a: [1]}", "{$unset: {\"b.$\": 7}}", None, "!2"),
        ("{a: 1}", "{$set: {\"a.$\": 7}}", Some(0), "!28"),
        ("{a: 1}", "{$set: {\"a.$\": 7}}", None, "!2"),
    ];
    for (document, update, position, expected) in cases {
        let found = apply(document, update, None, position);
        if let Some(difference) = difference(found, expected) {
            panic!("{document} {update} {position:?}\n expected {expected}\n found {difference}");
        }
    }
}

#[test]
fn long_arrays_take_no_quadratic_time() {
    let list: Vec<String> = (0..20_000).map(|number| number.to_string()).collect();
    let list = list.join(", ");
    let document = format!("{{a: [{list}]}}");
    let added = apply(&document, &format!("{{$addToSet: {{a: {{$each: [{list}]}}}}}}"), None, None);
    assert_eq!(difference(added, "="), None);
    let pulled = apply(&document, &format!("{{$pullAll: {{a: [{list}]}}}}"), None, None);
    assert_eq!(difference(pulled, "{a: []}"), None);
    let fields: Vec<String> = (0..10_000).map(|number| format!("f{number}: 1")).collect();
    let fields = fields.join(", ");
    let set = apply(&format!("{{{fields}}}"), &format!("{{$set: {{{fields}}}}}"), None, None);
    assert_eq!(difference(set, "="), None);
    let unset = apply(&format!("{{{fields}}}"), &format!("{{$unset: {{{fields}}}}}"), None, None);
    assert_eq!(difference(unset, "{}"), None);
    let made = apply("{}", &format!("{{$set: {{{fields}}}}}"), None, None);
    assert!(made.is_ok());
}

#[test]
fn strings_are_equal_as_the_collation_says() {
    let collator = Collator::parse(&json::document("{locale: \"en\", strength: 2}")).unwrap();
    let scope = Scope::new().with_collator(collator);
    for (document, update, filters, expected) in [
        ("{a: [\"x\"]}", "{$addToSet: {a: \"X\"}}", None, "="),
        ("{a: [\"x\"]}", "{$addToSet: {a: {$each: [\"y\", \"Y\"]}}}", None, "{a: [\"x\", \"y\"]}"),
        ("{a: [{b: \"x\"}]}", "{$addToSet: {a: {b: \"X\"}}}", None, "="),
        ("{a: [\"x\", \"y\"]}", "{$pull: {a: \"X\"}}", None, "{a: [\"y\"]}"),
        ("{a: [\"x\", \"y\"]}", "{$pull: {a: {$in: [\"X\"]}}}", None, "{a: [\"y\"]}"),
        ("{a: [{b: \"x\"}]}", "{$pull: {a: {b: \"X\"}}}", None, "{a: []}"),
        ("{a: [\"x\", \"y\"]}", "{$pullAll: {a: [\"X\", \"Y\"]}}", None, "{a: []}"),
        ("{a: \"b\"}", "{$max: {a: \"B\"}}", None, "="),
        ("{a: \"b\"}", "{$min: {a: \"A\"}}", None, "{a: \"A\"}"),
        ("{a: \"b\"}", "{$max: {a: \"C\"}}", None, "{a: \"C\"}"),
        ("{a: \"b\"}", "{$set: {a: \"B\"}}", None, "{a: \"B\"}"),
        (
            "{a: [\"b\", \"A\"]}",
            "{$push: {a: {$each: [\"C\"], $sort: 1}}}",
            None,
            "{a: [\"A\", \"b\", \"C\"]}",
        ),
        ("{a: [\"x\", \"y\"]}", "{$set: {\"a.$[e]\": 1}}", Some("[{e: \"X\"}]"), "{a: [1, \"y\"]}"),
    ] {
        let parsed = json::value(update);
        let filters = filters.map(json::value);
        let filters = filters.as_ref().map(|filters| filters.get_array("").unwrap());
        let parsed = Update::parse(value(&parsed), filters, Options::default(), &scope).unwrap();
        let found = parsed.apply(&json::document(document), None, &variables());
        if let Some(difference) = difference(found, expected) {
            panic!("{document} {update}\n expected {expected}\n found {difference}");
        }
    }
}
