//! Filters that are refused, and with which codes.

use crate::support::*;

const CASES: &[(&str, i32, &str)] = &[
    ("{a: {$foo: 1}}", 2, "unknown operator: $foo"),
    ("{a: {$gt: 1, b: 2}}", 2, "unknown operator: b"),
    ("{$foo: 1}", 2, "unknown top level operator: $foo"),
    ("{$eq: 1}", 2, "unknown top level operator: $eq"),
    ("{$not: {a: 1}}", 2, "unknown top level operator: $not"),
    ("{a: {$and: [{$gt: 1}]}}", 2, "unknown operator: $and"),
    ("{a: {$comment: 'x'}}", 2, "unknown operator: $comment"),
    ("{a: {$gt: 1, $comment: 'x'}}", 2, "unknown operator: $comment"),
    ("{a: {$where: '1'}}", 2, "unknown operator: $where"),
    ("{a: {$expr: 1}}", 2, "unknown operator: $expr"),
    ("{a: {$jsonSchema: {}}}", 2, "unknown operator: $jsonSchema"),
    ("{a: {$text: {$search: 'x'}}}", 2, "unknown operator: $text"),
    ("{a: {$sampleRate: 1}}", 2, "unknown operator: $sampleRate"),
    ("{a: {$: 1}}", 2, "unknown operator: $"),
    ("{$: 1}", 2, "unknown top level operator: $"),
    ("{$set: {a: 1}}", 2, "unknown top level operator: $set"),
    ("{$gt: 1}", 2, "unknown top level operator: $gt"),
    ("{$in: [1]}", 2, "unknown top level operator: $in"),
    ("{$elemMatch: {a: 1}}", 2, "unknown top level operator: $elemMatch"),
    ("{$regex: 'x'}", 2, "unknown top level operator: $regex"),
    ("{a: {$ref: 'x'}}", 2, "unknown operator: $ref"),
    ("{$and: 1}", 2, "$and must be an array"),
    ("{$or: {a: 1}}", 2, "$or must be an array"),
    ("{$nor: []}", 2, "$nor must be a nonempty array"),
    ("{$and: []}", 2, "$and must be a nonempty array"),
    ("{$or: [1]}", 2, "$or/$and/$nor entries need to be full objects"),
    ("{$and: [{a: 1}, null]}", 2, "$or/$and/$nor entries need to be full objects"),
    ("{a: {$in: 1}}", 2, "$in needs an array"),
    ("{a: {$in: null}}", 2, "$in needs an array"),
    ("{a: {$nin: {}}}", 2, "$nin needs an array"),
    ("{a: {$in: [{$gt: 1}]}}", 2, "cannot nest $ under $in"),
    ("{a: {$nin: [{$regex: 'x'}]}}", 2, "cannot nest $ under $nin"),
    ("{a: {$in: [undefined]}}", 2, "undefined"),
    ("{a: undefined}", 2, "cannot compare to undefined"),
    ("{a: {$gt: undefined}}", 2, "cannot compare to undefined"),
    ("{a: {$ne: undefined}}", 2, "cannot compare to undefined"),
    ("{a: {$gt: /x/}}", 2, "Can't have RegEx as arg to predicate over field 'a'."),
    ("{a: {$lte: /x/}}", 2, "Can't have RegEx as arg to predicate over field 'a'."),
    ("{a: {$ne: /x/}}", 2, "Can't have regex as arg to $ne."),
    ("{a: {$not: 1}}", 2, "$not needs a regex or a document"),
    ("{a: {$not: {}}}", 2, "$not cannot be empty"),
    ("{a: {$not: {b: 1}}}", 2, "unknown operator: b"),
    ("{a: {$all: 1}}", 2, "$all needs an array"),
    ("{a: {$all: [{$gt: 1}]}}", 2, "no $ expressions in $all"),
    ("{a: {$all: [{$elemMatch: {b: 1}}, 1]}}", 2, "$all/$elemMatch has to be consistent"),
    ("{a: {$all: [{$elemMatch: {b: 1}}, {c: 1}]}}", 2, "$all/$elemMatch has to be consistent"),
    ("{a: {$all: [1, {$elemMatch: {b: 1}}]}}", 2, "no $ expressions in $all"),
    ("{a: {$all: [{$elemMatch: 1}]}}", 2, "$elemMatch needs an Object"),
    ("{a: {$all: [{$options: 'i'}]}}", 2, "no $ expressions in $all"),
    ("{a: {$all: [/(/]}}", 51091, "Regular expression is invalid"),
    ("{a: {$elemMatch: {$sampleRate: 1}}}", 2, "$sampleRate can only be applied"),
    ("{a: {$elemMatch: {b: 1, $sampleRate: 1}}}", 2, "$sampleRate can only be applied"),
    ("{a: {$elemMatch: {$alwaysTrue: 2}}}", 9, "$alwaysTrue must be an integer value of 1"),
    ("{a: {$elemMatch: {$not: 1}}}", 2, "$not needs a regex or a document"),
    ("{a: {$elemMatch: {b: 1, $gt: 1}}}", 2, "unknown top level operator: $gt"),
    ("{a: {$elemMatch: {$gt: 1, b: 1}}}", 2, "unknown operator: b"),
    ("{a: {$elemMatch: {$or: 1}}}", 2, "$or must be an array"),
    ("{a: {$elemMatch: {$gt: 1, $or: [{b: 1}]}}}", 2, "unknown operator: $or"),
    ("{a: {$elemMatch: 1}}", 2, "$elemMatch needs an Object"),
    ("{a: {$elemMatch: [1]}}", 2, "$elemMatch needs an Object"),
    ("{a: {$elemMatch: {$foo: 1}}}", 2, "unknown operator: $foo"),
    ("{a: {$elemMatch: {b: {$foo: 1}}}}", 2, "unknown operator: $foo"),
    ("{a: {$elemMatch: {$expr: 1}}}", 2, "$expr can only be applied to the top-level document"),
    ("{a: {$elemMatch: {$where: '1'}}}", 2, "$where can only be applied to the top-level"),
    ("{a: {$elemMatch: {b: 1, $text: {$search: 'x'}}}}", 2, "$text can only be applied"),
    ("{a: {$size: 'x'}}", 2, "Failed to parse $size. Expected a number in: $size:"),
    ("{a: {$size: null}}", 2, "Failed to parse $size. Expected a number in: $size:"),
    ("{a: {$size: 1.5}}", 2, "Failed to parse $size. Expected an integer: $size:"),
    (
        "{a: {$size: NaN}}",
        2,
        "Failed to parse $size. Expected an integer, but found NaN in: $size:",
    ),
    ("{a: {$size: 2147483648L}}", 2, "Failed to parse $size. Cannot represent in an int"),
    ("{a: {$size: 4294967296.0}}", 2, "Failed to parse $size. Cannot represent in an int"),
    ("{a: {$size: dec('1.5')}}", 2, "Failed to parse $size. Expected an integer"),
    ("{a: {$size: true}}", 2, "Failed to parse $size. Expected a number in: $size:"),
    ("{a: {$size: [1]}}", 2, "Failed to parse $size. Expected a number in: $size:"),
    ("{a: {$size: {$gt: 1}}}", 2, "Failed to parse $size. Expected a number in: $size:"),
    ("{a: {$size: -1}}", 2, "Failed to parse $size. Expected a non-negative number in: $size: -1"),
    (
        "{a: {$size: 1e30}}",
        2,
        "Failed to parse $size. Cannot represent as a 64-bit integer: $size:",
    ),
    ("{a: {$mod: 1}}", 2, "malformed mod, not an array"),
    ("{a: {$mod: []}}", 2, "malformed mod, not enough elements"),
    ("{a: {$mod: [1]}}", 2, "malformed mod, not enough elements"),
    ("{a: {$mod: [1, 2, 3]}}", 2, "malformed mod, too many elements"),
    ("{a: {$mod: ['x', 1]}}", 2, "malformed mod, divisor not a number"),
    ("{a: {$mod: [1, 'x']}}", 2, "malformed mod, remainder not a number"),
    ("{a: {$mod: [0, 1]}}", 2, "divisor cannot be 0"),
    ("{a: {$mod: [0.5, 1]}}", 2, "divisor cannot be 0"),
    ("{a: {$mod: [NaN, 1]}}", 2, "malformed mod, divisor value is invalid"),
    ("{a: {$mod: [5, Infinity]}}", 2, "malformed mod, remainder value is invalid"),
    ("{a: {$mod: [1e30, 1]}}", 2, "Out of bounds coercing to integral value"),
    ("{a: {$type: 'foo'}}", 2, "Unknown type name alias: foo"),
    ("{a: {$type: 'Number'}}", 2, "Unknown type name alias: Number"),
    ("{a: {$type: 0}}", 2, "Invalid numerical type code: 0"),
    ("{a: {$type: 20}}", 2, "Invalid numerical type code: 20"),
    ("{a: {$type: 1.5}}", 2, "Invalid numerical type code"),
    ("{a: {$type: -2}}", 2, "Invalid numerical type code: -2"),
    ("{a: {$type: []}}", 9, "$type must match at least one type"),
    ("{a: {$type: null}}", 14, "type must be represented as a number or a string"),
    ("{a: {$type: {}}}", 14, "type must be represented as a number or a string"),
    ("{a: {$type: ['int', true]}}", 14, "type must be represented as a number or a string"),
    ("{a: {$regex: 1}}", 2, "$regex has to be a string"),
    ("{a: {$regex: 'x', $options: 1}}", 2, "$options has to be a string"),
    ("{a: {$options: 'i'}}", 2, "$options needs a $regex"),
    ("{a: {$regex: 'x', $options: 'q'}}", 51108, "invalid flag in regex options: q"),
    ("{a: {$regex: /x/i, $options: 's'}}", 51075, "options set in both $regex and $options"),
    ("{a: {$regex: /x/i, $options: ''}}", 51075, "options set in both $regex and $options"),
    ("{a: {$options: 's', $regex: /x/i}}", 51074, "options set in both $regex and $options"),
    ("{a: {$regex: 'x', $options: 's', $options: 's'}}", 51075, "options set in both"),
    ("{a: {$regex: null}}", 2, "$regex has to be a string"),
    ("{a: {$regex: {}}}", 2, "$regex has to be a string"),
    ("{a: {$regex: ['x']}}", 2, "$regex has to be a string"),
    ("{a: {$regex: sym('x')}}", 2, "$regex has to be a string"),
    ("{a: {$options: 1, $regex: 'x'}}", 2, "$options has to be a string"),
    ("{a: {$regex: 'x', $options: null}}", 2, "$options has to be a string"),
    ("{a: {$not: {$options: 'i'}}}", 2, "$options needs a $regex"),
    ("{a: {$in: [{$regex: 'x'}]}}", 2, "cannot nest $ under $in"),
    ("{a: {$regex: '('}}", 51091, "Regular expression is invalid"),
    ("{a: {$regex: '*a'}}", 51091, "Regular expression is invalid"),
    ("{a: {$regex: '[a'}}", 51091, "Regular expression is invalid"),
    ("{a: /(/}", 51091, "Regular expression is invalid"),
    ("{a: {$in: [/(/]}}", 51091, "Regular expression is invalid"),
    ("{a: {$regex: 'a\\0b'}}", 2, "embedded null byte"),
    ("{a: {$bitsAllSet: 'x'}}", 2, "a takes an Array, a number, or a BinData"),
    ("{a: {$bitsAnySet: null}}", 2, "takes an Array, a number, or a BinData"),
    ("{a: {$bitsAllSet: -1}}", 9, "Expected a non-negative number in: $bitsAllSet: -1"),
    ("{a: {$bitsAllClear: 1.5}}", 9, "Expected an integer: $bitsAllClear"),
    ("{a: {$bitsAnyClear: 1e30}}", 9, "Cannot represent as a 64-bit integer: $bitsAnyClear"),
    ("{a: {$bitsAllSet: [-1]}}", 2, "bit positions must be >= 0"),
    ("{a: {$bitsAllSet: ['x']}}", 2, "Failed to parse bit position. Expected a number"),
    ("{a: {$bitsAllSet: [1.5]}}", 2, "Failed to parse bit position. Expected an integer"),
    ("{a: {$bitsAllSet: [2147483648]}}", 2, "cannot be represented as a 32-bit signed integer"),
    ("{$alwaysTrue: 2}", 9, "$alwaysTrue must be an integer value of 1"),
    ("{$alwaysFalse: true}", 9, "$alwaysFalse must be an integer value of 1"),
    ("{$sampleRate: 'x'}", 2, "argument to $sampleRate must be a numeric type"),
    ("{$sampleRate: 1.5}", 2, "numeric argument to $sampleRate must be in [0, 1]"),
    ("{$sampleRate: -1}", 2, "numeric argument to $sampleRate must be in [0, 1]"),
    ("{$where: 'true'}", 139, "JavaScript"),
    ("{$text: {$search: 'x'}}", 27, "text index required for $text query"),
    ("{a: {$near: [0, 0]}}", 291, "unable to find index for $near"),
    ("{a: {$near: 1}}", 2, "$near"),
    ("{a: {$gt: 1, $near: [0, 0]}}", 2, "$near"),
    ("{a: {$geoWithin: {$center: [[0, 0], 1]}}}", 238, "$geoWithin"),
    ("{$expr: {$foo: 1}}", 168, "Unrecognized expression '$foo'"),
    ("{a: {$id: 1}}", 2, "unknown operator: $id"),
];

#[test]
fn tables() {
    for (filter, code, message) in CASES {
        let (found, text) = refusal(filter);
        assert_eq!(found, *code, "{filter}: {text}");
        assert!(text.contains(message), "{filter}: {text}");
    }
}

#[test]
fn nesting_is_capped() {
    let nested = |levels: usize| "{$and: [".repeat(levels) + "{a: 1}" + &"]}".repeat(levels);
    assert!(parse(&nested(90)).is_ok());
    assert_eq!(refusal(&nested(150)).0, 2);
    let negated = |levels: usize| {
        format!("{{a: {}{{$gt: 1}}{}}}", "{$not: ".repeat(levels), "}".repeat(levels))
    };
    assert!(parse(&negated(90)).is_ok());
    assert_eq!(refusal(&negated(150)).0, 2);
    let path = |parts: usize| format!("{{'{}': 1}}", vec!["a"; parts].join("."));
    assert!(parse(&path(100)).is_ok());
    assert_eq!(refusal(&path(201)).0, 5_729_100);
    let pattern = |length: usize| format!("{{a: {{$regex: '{}'}}}}", "a".repeat(length));
    assert!(parse(&pattern(30_000)).is_ok());
    assert_eq!(refusal(&pattern(32_765)).0, 2);
}

/// Every operator with a value of every type: what it takes, and with which code it refuses the rest.
#[test]
fn every_operator_with_every_type() {
    const SAMPLES: [(&str, &str); 22] = [
        ("MinKey", "minKey"),
        ("MaxKey", "maxKey"),
        ("undefined", "undefined"),
        ("null", "null"),
        ("true", "bool"),
        ("1", "int"),
        ("1L", "long"),
        ("1.0", "double"),
        ("dec('1')", "decimal"),
        ("'x'", "string"),
        ("sym('x')", "symbol"),
        ("{}", "object"),
        ("{b: 1}", "object"),
        ("[]", "emptyArray"),
        ("[1]", "array"),
        ("bin(0, '01')", "binData"),
        ("oid(1)", "objectId"),
        ("date(0)", "date"),
        ("ts(1, 1)", "timestamp"),
        ("/x/", "regex"),
        ("code('x')", "javascript"),
        ("ptr('n')", "dbPointer"),
    ];
    let mut count = 0;
    for (operator, taken, code) in OPERATORS {
        for (sample, kind) in SAMPLES {
            let number = ["int", "long", "double", "decimal"].contains(&kind);
            let takes = taken.split(' ').any(|it| match it {
                "any" => true,
                "number" => number,
                "-undefined" | "-regex" => false,
                it => it == kind || it == "array" && kind == "emptyArray",
            }) && !taken.split(' ').any(|it| it.strip_prefix('-') == Some(kind));
            let filter = if let Some(operator) = operator.strip_prefix('/') {
                format!("{{{operator}: {sample}}}")
            } else {
                format!("{{a: {{{operator}: {sample}}}}}")
            };
            match (parse(&filter), takes) {
                (Ok(_), true) => {}
                (Ok(_), false) => panic!("{filter} was accepted"),
                (Err(error), false) => {
                    assert_eq!(error.code().number(), *code, "{filter}: {error}")
                }
                (Err(error), true) => panic!("{filter}: {error}"),
            }
            count += 1;
        }
    }
    assert!(count > 600, "{count}");
}

/// Operator (behind a `/` it stands where a field's name could), the types it takes, the code for all others.
const OPERATORS: &[(&str, &str, i32)] = &[
    ("$eq", "any -undefined", 2),
    ("$ne", "any -undefined -regex", 2),
    ("$gt", "any -undefined -regex", 2),
    ("$gte", "any -undefined -regex", 2),
    ("$lt", "any -undefined -regex", 2),
    ("$lte", "any -undefined -regex", 2),
    ("$in", "array", 2),
    ("$nin", "array", 2),
    ("$all", "array", 2),
    ("$elemMatch", "object", 2),
    ("$exists", "any", 2),
    ("$size", "number", 2),
    ("$regex", "string regex", 2),
    ("$bitsAllSet", "number array binData", 2),
    ("$bitsAnySet", "number array binData", 2),
    ("$bitsAllClear", "number array binData", 2),
    ("$bitsAnyClear", "number array binData", 2),
    ("$mod", "", 2),
    ("$options", "", 2),
    ("$comment", "", 2),
    ("$foo", "", 2),
    ("b", "any", 2),
    ("/$and", "", 2),
    ("/$or", "", 2),
    ("/$nor", "", 2),
    ("/$alwaysTrue", "number", 9),
    ("/$alwaysFalse", "number", 9),
    ("/$sampleRate", "number", 2),
    ("/$comment", "any", 2),
    ("/$ref", "any -undefined", 2),
    ("/$foo", "", 2),
    ("/a", "any -undefined", 2),
];
