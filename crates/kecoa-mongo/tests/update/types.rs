//! Every operator on a value of every type: as a field, in a document, in an array.

use crate::support::{Case, SAMPLES, check, check_made};

/// `expected` gives the value after the operator, `=` or an error, from a sample and its type.
fn everywhere(operator: &str, argument: &str, expected: impl Fn(&str, &str) -> String) -> usize {
    let places: [(&str, &str); 4] = [
        ("a", "{_id: 1, a: @, z: 1}"),
        ("o.a", "{_id: 1, o: {y: 2, a: @}, z: 1}"),
        ("l.1", "{_id: 1, l: [0, @, 3]}"),
        ("l.0.a.b", "{_id: 1, l: [{a: {b: @}}]}"),
    ];
    let mut cases = Vec::new();
    for (sample, kind) in SAMPLES {
        let after = expected(sample, kind);
        for (path, document) in places {
            let wanted = if after.starts_with(['!', '=']) {
                after.clone()
            } else {
                document.replace('@', &after)
            };
            cases.push((
                document.replace('@', sample),
                format!("{{{operator}: {{\"{path}\": {argument}}}}}"),
                wanted,
            ));
        }
    }
    check_made(&cases)
}

const NUMERIC: [&str; 4] = ["int", "long", "double", "decimal"];

#[test]
fn set_puts_any_value_in_the_place_of_any_other() {
    let mut cases = 0;
    for (argument, _) in SAMPLES {
        cases += everywhere("$set", argument, |sample, _| {
            if sample == argument { "=".to_owned() } else { argument.to_owned() }
        });
    }
    assert!(cases > 4000);
}

#[test]
fn inc_wants_numbers() {
    let result = |sample: &str, kind: &str| {
        if !NUMERIC.contains(&kind) {
            return "!14".to_owned();
        }
        match sample {
            "5" => "8",
            "-2147483648" => "-2147483645",
            "2147483647" => "long(2147483650)",
            "long(5)" => "long(8)",
            "long(9223372036854775807)" => "!2",
            "long(-9223372036854775808)" => "long(-9223372036854775805)",
            "2.5" => "5.5",
            "-0.0" => "3.0",
            "dec(\"1.50\")" => "dec(\"4.50\")",
            _ => "=",
        }
        .to_owned()
    };
    everywhere("$inc", "3", result);
    everywhere("$inc", "0", |sample, kind| match sample {
        "-0.0" => "0.0".to_owned(),
        _ => if NUMERIC.contains(&kind) { "=" } else { "!14" }.to_owned(),
    });
    everywhere("$inc", "1.5", |sample, kind| {
        if !NUMERIC.contains(&kind) {
            return "!14".to_owned();
        }
        match sample {
            "5" | "long(5)" => "6.5",
            "-2147483648" => "-2147483646.5",
            "2147483647" => "2147483648.5",
            "long(9223372036854775807)" => "9223372036854775807.0",
            "long(-9223372036854775808)" => "-9223372036854775808.0",
            "2.5" => "4.0",
            "-0.0" => "1.5",
            "dec(\"1.50\")" => "dec(\"3.00000000000000\")",
            _ => "=",
        }
        .to_owned()
    });
}

#[test]
fn mul_wants_numbers() {
    everywhere("$mul", "2", |sample, kind| {
        if !NUMERIC.contains(&kind) {
            return "!14".to_owned();
        }
        match sample {
            "5" => "10",
            "-2147483648" => "long(-4294967296)",
            "2147483647" => "long(4294967294)",
            "long(5)" => "long(10)",
            "long(9223372036854775807)" | "long(-9223372036854775808)" => "!2",
            "2.5" => "5.0",
            "dec(\"1.50\")" => "dec(\"3.00\")",
            _ => "=",
        }
        .to_owned()
    });
    everywhere("$mul", "long(1)", |sample, kind| {
        if !NUMERIC.contains(&kind) {
            return "!14".to_owned();
        }
        match sample {
            "5" => "long(5)",
            "-2147483648" => "long(-2147483648)",
            "2147483647" => "long(2147483647)",
            _ => "=",
        }
        .to_owned()
    });
}

/// The samples' numbers in MongoDB's order; others by their place in the list.
fn rank(sample: &str, kind: &str) -> i32 {
    match (sample, kind) {
        ("min", _) => 0,
        ("undefined", _) => 1,
        ("null", _) => 2,
        ("nan" | "dec(\"NaN\")", _) => 3,
        ("long(-9223372036854775808)", _) => 4,
        ("-2147483648", _) => 5,
        ("-0.0", _) => 6,
        ("dec(\"1.50\")", _) => 7,
        ("2.5", _) => 8,
        ("5" | "long(5)", _) => 9,
        ("2147483647", _) => 10,
        ("long(9223372036854775807)", _) => 11,
        ("inf", _) => 12,
        (_, "string" | "symbol") => 20,
        (_, "object") => 30,
        (_, "array") => 40,
        (_, "binData") => 50,
        (_, "objectId") => 60,
        (_, "bool") => 70,
        (_, "date") => 80,
        (_, "timestamp") => 90,
        (_, "regex") => 100,
        (_, "dbPointer") => 110,
        (_, "javascript") => 120,
        (_, "javascriptWithScope") => 130,
        _ => 140,
    }
}

#[test]
fn min_and_max_compare_values_of_all_types() {
    for (argument, argument_kind) in [
        ("5", "int"),
        ("2.5", "double"),
        ("null", "null"),
        ("min", "minKey"),
        ("max", "maxKey"),
        ("date(1000)", "date"),
        ("oid(1)", "objectId"),
        ("nan", "double"),
        ("false", "bool"),
        ("re(\"a\", \"i\")", "regex"),
    ] {
        let limit = rank(argument, argument_kind);
        everywhere("$min", argument, |sample, kind| {
            if limit < rank(sample, kind) { argument } else { "=" }.to_owned()
        });
        everywhere("$max", argument, |sample, kind| {
            if limit > rank(sample, kind) { argument } else { "=" }.to_owned()
        });
    }
}

#[test]
fn current_date_takes_the_place_of_any_value() {
    everywhere("$currentDate", "true", |_, _| "date(777)".to_owned());
    everywhere("$currentDate", "false", |_, _| "date(777)".to_owned());
    everywhere("$currentDate", "{$type: \"date\"}", |_, _| "date(777)".to_owned());
    everywhere("$currentDate", "{$type: \"timestamp\"}", |_, _| "ts(8, 9)".to_owned());
}

#[test]
fn bit_wants_integers() {
    let cases = [
        ("{and: 12}", "4", "0", "12", "long(4)", "long(12)", "long(0)"),
        ("{or: 2}", "7", "-2147483646", "=", "long(7)", "=", "long(-9223372036854775806)"),
        (
            "{xor: long(1)}",
            "long(4)",
            "long(-2147483647)",
            "long(2147483646)",
            "long(4)",
            "long(9223372036854775806)",
            "long(-9223372036854775807)",
        ),
    ];
    for (argument, five, least, most, long, most_long, least_long) in cases {
        everywhere("$bit", argument, |sample, kind| {
            if !["int", "long"].contains(&kind) {
                return "!2".to_owned();
            }
            match sample {
                "5" => five,
                "-2147483648" => least,
                "2147483647" => most,
                "long(5)" => long,
                "long(9223372036854775807)" => most_long,
                _ => least_long,
            }
            .to_owned()
        });
    }
}

#[test]
fn array_operators_want_arrays() {
    let on_arrays =
        |code: &'static str, on_empty: &'static str, two: &'static str, nested: &'static str| {
            move |sample: &str, kind: &str| {
                if kind != "array" {
                    return code.to_owned();
                }
                match sample {
                    "[]" => on_empty,
                    "[1, 2]" => two,
                    _ => nested,
                }
                .to_owned()
            }
        };
    everywhere("$push", "7", on_arrays("!2", "[7]", "[1, 2, 7]", "[[1], {b: 1}, null, 7]"));
    everywhere("$push", "[7]", on_arrays("!2", "[[7]]", "[1, 2, [7]]", "[[1], {b: 1}, null, [7]]"));
    everywhere("$push", "{$each: []}", on_arrays("!2", "=", "=", "="));
    everywhere(
        "$push",
        "{$each: [8, 9], $position: 1}",
        on_arrays("!2", "[8, 9]", "[1, 8, 9, 2]", "[[1], 8, 9, {b: 1}, null]"),
    );
    everywhere("$addToSet", "1", on_arrays("!2", "[1]", "=", "[[1], {b: 1}, null, 1]"));
    everywhere("$addToSet", "[1]", on_arrays("!2", "[[1]]", "[1, 2, [1]]", "="));
    everywhere("$addToSet", "{b: 1.0}", on_arrays("!2", "[{b: 1.0}]", "[1, 2, {b: 1.0}]", "="));
    everywhere(
        "$addToSet",
        "{$each: [null, 3, 3.0]}",
        on_arrays("!2", "[null, 3]", "[1, 2, null, 3]", "[[1], {b: 1}, null, 3]"),
    );
    everywhere("$pop", "1", on_arrays("!14", "=", "[1]", "[[1], {b: 1}]"));
    everywhere("$pop", "-1", on_arrays("!14", "=", "[2]", "[{b: 1}, null]"));
    everywhere("$pullAll", "[1, null]", on_arrays("!2", "=", "[2]", "[[1], {b: 1}]"));
    everywhere("$pullAll", "[[1], {b: 1.0}]", on_arrays("!2", "=", "=", "[null]"));
    everywhere("$pull", "2", on_arrays("!2", "=", "[1]", "="));
    everywhere("$pull", "null", on_arrays("!2", "=", "=", "[[1], {b: 1}]"));
    everywhere("$pull", "{b: 1}", on_arrays("!2", "=", "=", "[[1], null]"));
    everywhere("$pull", "{b: {$gte: 1}}", on_arrays("!2", "=", "=", "[[1], null]"));
    everywhere("$pull", "{$gte: 2}", on_arrays("!2", "=", "[1]", "="));
    everywhere("$pull", "{$in: [1, null]}", on_arrays("!2", "=", "[2]", "[{b: 1}]"));
    everywhere("$pull", "[1]", on_arrays("!2", "=", "=", "[{b: 1}, null]"));
}

#[test]
fn unset_and_rename_take_values_of_all_types() {
    let mut cases = Vec::new();
    for (sample, _) in SAMPLES {
        let mut case = |document: String, update: &str, after: String| {
            cases.push((document, update.to_owned(), after));
        };
        case(format!("{{_id: 1, a: {sample}, z: 1}}"), "{$unset: {a: 1}}", "{_id: 1, z: 1}".into());
        case(
            format!("{{_id: 1, o: {{a: {sample}}}}}"),
            "{$unset: {\"o.a\": \"\"}}",
            "{_id: 1, o: {}}".into(),
        );
        let in_array = format!("{{_id: 1, a: [1, {sample}]}}");
        // Also where there was a null: MongoDB counts a change.
        case(in_array, "{$unset: {\"a.1\": true}}", "{_id: 1, a: [1, null]}".into());
        case(
            format!("{{_id: 1, a: {sample}, z: 1}}"),
            "{$rename: {a: \"b\"}}",
            format!("{{_id: 1, z: 1, b: {sample}}}"),
        );
        case(
            format!("{{_id: 1, a: {sample}, z: 1}}"),
            "{$rename: {a: \"z\"}}",
            format!("{{_id: 1, z: {sample}}}"),
        );
        case(
            format!("{{_id: 1, a: {sample}, o: {{x: 1}}}}"),
            "{$rename: {a: \"o.y.w\"}}",
            format!("{{_id: 1, o: {{x: 1, y: {{w: {sample}}}}}}}"),
        );
        case(format!("{{_id: 1, a: {sample}}}"), "{$setOnInsert: {a: 7}}", "=".into());
        // What is no document and no array has no fields.
        if !sample.starts_with(['{', '[']) {
            for update in ["$set", "$inc", "$mul", "$min", "$max"] {
                let update = format!("{{{update}: {{\"a.b\": 1}}}}");
                case(format!("{{_id: 1, a: {sample}}}"), &update, "!28".into());
            }
            for (operator, argument) in [
                ("$push", "1"),
                ("$addToSet", "1"),
                ("$pop", "1"),
                ("$pull", "1"),
                ("$pullAll", "[1]"),
                ("$bit", "{or: 1}"),
                ("$currentDate", "true"),
            ] {
                let update = format!("{{{operator}: {{\"a.b.c\": {argument}}}}}");
                case(format!("{{_id: 1, a: {sample}}}"), &update, "!28".into());
            }
            case(format!("{{_id: 1, a: {sample}}}"), "{$unset: {\"a.b\": 1}}", "=".into());
            case(format!("{{_id: 1, a: {sample}}}"), "{$setOnInsert: {\"a.b\": 1}}", "=".into());
            case(format!("{{_id: 1, a: {sample}}}"), "{$rename: {\"a.b\": \"c\"}}", "!28".into());
            case(format!("{{_id: 1, a: {sample}, c: 1}}"), "{$rename: {c: \"a.b\"}}", "!28".into());
        }
    }
    assert!(check_made(&cases) > 600);
}

#[test]
fn a_missing_field_is_made() {
    let cases: [Case<'_>; 28] = [
        ("{}", "{$set: {a: 1}}", "{a: 1}"),
        ("{}", "{$set: {\"a.b.c\": 1}}", "{a: {b: {c: 1}}}"),
        ("{}", "{$set: {\"a.0\": 1}}", "{a: {\"0\": 1}}"),
        ("{}", "{$inc: {a: 3}}", "{a: 3}"),
        ("{}", "{$inc: {a: 0}}", "{a: 0}"),
        ("{}", "{$inc: {a: dec(\"1.50\")}}", "{a: dec(\"1.50\")}"),
        ("{}", "{$mul: {a: 3}}", "{a: 0}"),
        ("{}", "{$mul: {a: long(3)}}", "{a: long(0)}"),
        ("{}", "{$mul: {a: 2.5}}", "{a: 0.0}"),
        ("{}", "{$mul: {\"a.b\": 2}}", "{a: {b: 0}}"),
        ("{}", "{$min: {a: 3}}", "{a: 3}"),
        ("{}", "{$max: {a: null}}", "{a: null}"),
        ("{}", "{$unset: {a: 1}}", "="),
        ("{}", "{$unset: {\"a.b\": 1}}", "="),
        ("{}", "{$setOnInsert: {a: 1}}", "="),
        ("{}", "{$rename: {a: \"b\"}}", "="),
        ("{}", "{$currentDate: {a: true}}", "{a: date(777)}"),
        ("{}", "{$bit: {a: {or: 5}}}", "{a: 5}"),
        ("{}", "{$bit: {a: {and: 5}}}", "{a: 0}"),
        ("{}", "{$bit: {a: {xor: long(5)}}}", "{a: long(5)}"),
        ("{}", "{$push: {a: 1}}", "{a: [1]}"),
        ("{}", "{$push: {a: {$each: []}}}", "{a: []}"),
        ("{}", "{$addToSet: {a: 1}}", "{a: [1]}"),
        ("{}", "{$addToSet: {a: {$each: [2, 1, 2, 1.0]}}}", "{a: [2, 1]}"),
        ("{}", "{$pop: {a: 1}}", "="),
        ("{}", "{$pull: {a: 1}}", "="),
        ("{}", "{$pullAll: {\"a.b\": [1]}}", "="),
        ("{}", "{$set: {}}", "="),
    ];
    check(&cases);
}
