//! What is refused before any document is seen.

use kecoa_mongo::expression::Scope;
use kecoa_mongo::update::{Options, Update};

use crate::json;
use crate::support::{SAMPLES, check_made, value};

fn code(update: &str, options: Options<'_>) -> Option<i32> {
    let update = json::value(update);
    Update::parse(value(&update), None, options, &Scope::new())
        .err()
        .map(|error| error.code().number())
}

#[test]
fn an_operator_wants_a_document_of_fields() {
    let mut cases = Vec::new();
    for operator in [
        "$set",
        "$unset",
        "$setOnInsert",
        "$inc",
        "$mul",
        "$min",
        "$max",
        "$rename",
        "$currentDate",
        "$bit",
        "$push",
        "$addToSet",
        "$pop",
        "$pull",
        "$pullAll",
    ] {
        for (sample, kind) in SAMPLES {
            if kind != "object" {
                cases.push(("{a: 1}".into(), format!("{{{operator}: {sample}}}"), "!9".into()));
            }
        }
        cases.push(("{a: 1}".into(), format!("{{{operator}: {{}}}}"), "=".into()));
        let argument = match operator {
            "$rename" => "\"b\"",
            "$bit" => "{or: 1}",
            "$pullAll" => "[1]",
            "$currentDate" => "true",
            _ => "1",
        };
        for path in ["", ".", "a.", ".a", "a..b", "a.$."] {
            let update = format!("{{{operator}: {{\"{path}\": {argument}}}}}");
            cases.push(("{}".into(), update, "!56".into()));
        }
        for path in ["$", "$.a", "$[]", "$[].a", "a.$.b.$", "a.$.$", "a.$[x]"] {
            let update = format!("{{{operator}: {{\"{path}\": {argument}}}}}");
            cases.push(("{}".into(), update, "!2".into()));
        }
    }
    assert!(check_made(&cases) > 600);
}

#[test]
fn arguments_have_their_types() {
    let mut cases = Vec::new();
    for (sample, kind) in SAMPLES {
        let numeric = ["int", "long", "double", "decimal"].contains(&kind);
        let mut refused = |operator: &str, argument: String, code: &str| {
            cases.push(("{}".into(), format!("{{{operator}: {{a: {argument}}}}}"), code.into()));
        };
        if !numeric {
            refused("$inc", sample.to_owned(), "!14");
            refused("$mul", sample.to_owned(), "!14");
        }
        // No sample is 1 or -1.
        refused("$pop", sample.to_owned(), "!9");
        if kind != "array" {
            refused("$pullAll", sample.to_owned(), "!2");
            refused("$push", format!("{{$each: {sample}}}"), "!2");
            refused("$addToSet", format!("{{$each: {sample}}}"), "!14");
        }
        if !["string"].contains(&kind) {
            refused("$rename", sample.to_owned(), "!2");
        }
        if kind != "bool" {
            refused("$currentDate", sample.to_owned(), "!2");
        }
        refused("$currentDate", format!("{{$type: {sample}}}"), "!2");
        refused("$bit", sample.to_owned(), "!2");
        if !["int", "long"].contains(&kind) {
            for operation in ["and", "or", "xor"] {
                refused("$bit", format!("{{{operation}: {sample}}}"), "!2");
            }
        }
        refused("$bit", format!("{{not: {sample}}}"), "!2");
        refused("$push", format!("{{$each: [], $sort: {sample}}}"), "!2");
        refused("$push", format!("{{$each: [], $other: {sample}}}"), "!2");
        if !numeric {
            refused("$push", format!("{{$each: [], $slice: {sample}}}"), "!2");
            refused("$push", format!("{{$each: [], $position: {sample}}}"), "!2");
        }
    }
    assert!(check_made(&cases) > 400);
}

#[test]
fn an_update_is_a_document_or_a_pipeline() {
    let multi = Options { multi: true, ..Options::default() };
    for (update, options, expected) in [
        ("{$foo: {a: 1}}", Options::default(), Some(9)),
        ("{$set: {a: 1}, b: 1}", Options::default(), Some(9)),
        ("{$set: {a: 1}, $foo: {b: 1}}", Options::default(), Some(9)),
        ("{$set: {a: 1}, $foo: 1}", Options::default(), Some(9)),
        ("{$SET: {a: 1}}", Options::default(), Some(9)),
        ("{$: {a: 1}}", Options::default(), Some(9)),
        ("{a: 1, $set: {b: 1}}", Options::default(), None),
        ("{a: 1, $b: 1}", Options::default(), None),
        ("{a: {$b: 1}}", Options::default(), None),
        ("{}", Options::default(), None),
        ("{a: 1}", multi, Some(9)),
        ("{}", multi, Some(9)),
        ("{$set: {a: 1}}", multi, None),
        ("1", Options::default(), Some(9)),
        ("null", Options::default(), Some(9)),
        ("\"a\"", Options::default(), Some(9)),
    ] {
        assert_eq!(code(update, options), expected, "{update}");
    }
    let constants = json::document("{x: 1}");
    let with = Options { constants: Some(&constants), ..Options::default() };
    assert_eq!(code("{$set: {a: 1}}", with), Some(51198));
    assert_eq!(code("{a: 1}", with), Some(51198));
}
