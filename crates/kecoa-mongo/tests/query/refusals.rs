//! Filters that are refused, and with which codes.

use crate::support::*;

const CASES: &[(&str, i32, &str)] = &[
    ("{a: {$foo: 1}}", 2, "unknown operator: $foo"),
    ("{a: {$gt: 1, b: 2}}", 2, "unknown operator: b"),
    ("{$foo: 1}", 2, "unknown top level operator: $foo"),
    ("{$eq: 1}", 2, "unknown top level operator: $eq"),
    ("{$not: {a: 1}}", 2, "unknown top level operator: $not"),
    ("{a: {$and: [{$gt: 1}]}}", 2, "unknown operator: $and"),
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
    ("{a: {$regex: /x/i, $options: 's'}}", 51074, "options set in both $regex and $options"),
    ("{a: {$options: 's', $regex: /x/i}}", 51075, "options set in both $regex and $options"),
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
    assert!(parse(&nested(40)).is_ok());
    assert_eq!(refusal(&nested(150)).0, 2);
    let negated = |levels: usize| {
        format!("{{a: {}{{$gt: 1}}{}}}", "{$not: ".repeat(levels), "}".repeat(levels))
    };
    assert!(parse(&negated(40)).is_ok());
    assert_eq!(refusal(&negated(150)).0, 2);
}
