//! `$jsonSchema`: keywords beside values of every type, refusals.

use crate::support::*;

struct Case {
    /// The schema of the field `v`.
    schema: &'static str,
    yes: &'static [&'static str],
    no: &'static [&'static str],
}

const EVERYTHING: &[&str] = &[
    "1",
    "1L",
    "1.5",
    "dec('2')",
    "NaN",
    "'x'",
    "sym('x')",
    "{}",
    "{a: 1}",
    "[]",
    "[1]",
    "null",
    "undefined",
    "true",
    "bin(0, '00')",
    "oid(1)",
    "date(1)",
    "ts(1, 1)",
    "/x/",
    "code('x')",
    "scoped('x')",
    "ptr('x')",
    "MinKey",
    "MaxKey",
];

const CASES: &[Case] = &[
    Case {
        schema: "{bsonType: 'int'}",
        yes: &["1"],
        no: &["1L", "1.0", "dec('1')", "'1'", "null", "[1]"],
    },
    Case {
        schema: "{bsonType: 'number'}",
        yes: &["1", "1L", "1.0", "dec('1')", "NaN"],
        no: &["'1'", "true"],
    },
    Case {
        schema: "{bsonType: ['string', 'null']}",
        yes: &["'x'", "null"],
        no: &["1", "{}", "sym('x')"],
    },
    Case { schema: "{bsonType: 'array'}", yes: &["[]", "[1]"], no: &["{}", "1"] },
    Case { schema: "{bsonType: 'object'}", yes: &["{}", "{a: 1}"], no: &["[]", "[{}]"] },
    Case { schema: "{bsonType: 'date'}", yes: &["date(0)"], no: &["ts(0, 0)", "0"] },
    Case { schema: "{bsonType: 'objectId'}", yes: &["oid(1)"], no: &["'x'"] },
    Case { schema: "{bsonType: 'decimal'}", yes: &["dec('1')"], no: &["1.0"] },
    Case { schema: "{type: 'boolean'}", yes: &["true"], no: &["1", "'true'"] },
    Case { schema: "{type: ['number', 'null']}", yes: &["1", "2.5", "null"], no: &["'x'"] },
    Case { schema: "{type: 'object'}", yes: &["{}"], no: &["[]", "null"] },
    Case {
        schema: "{minimum: 5}",
        yes: &["5", "5.0", "6L", "dec('5')", "'x'", "null", "[1]", "{}"],
        no: &["4", "4.9", "-1L", "NaN"],
    },
    Case {
        schema: "{minimum: 5, exclusiveMinimum: true}",
        yes: &["6", "5.1", "'x'"],
        no: &["5", "5.0"],
    },
    Case { schema: "{minimum: 5, exclusiveMinimum: false}", yes: &["5"], no: &["4"] },
    Case { schema: "{maximum: 5}", yes: &["5", "-1", "'x'", "dec('5.0')"], no: &["6", "5.1"] },
    Case {
        schema: "{maximum: 5, exclusiveMaximum: true}",
        yes: &["4", "null"],
        no: &["5", "dec('5')"],
    },
    Case {
        schema: "{multipleOf: 3}",
        yes: &["0", "3", "-9L", "6.0", "dec('12')", "'x'"],
        no: &["1", "3.5", "NaN", "Infinity"],
    },
    Case {
        schema: "{multipleOf: 0.1}",
        yes: &["0.3", "1", "dec('0.7')"],
        no: &["0.35", "dec('0.01')"],
    },
    Case { schema: "{multipleOf: dec('2.5')}", yes: &["5", "7.5", "1e30"], no: &["4", "1e-30"] },
    Case {
        schema: "{minLength: 2}",
        yes: &["'ab'", "'äö'", "1", "null", "[]"],
        no: &["'a'", "''", "'ä'"],
    },
    Case { schema: "{maxLength: 2}", yes: &["'ab'", "'äö'", "''", "sym('abc')"], no: &["'abc'"] },
    Case { schema: "{minItems: 2}", yes: &["[1, 2]", "{}", "'x'"], no: &["[1]", "[]"] },
    Case { schema: "{maxItems: 1.0}", yes: &["[1]", "[]"], no: &["[1, 2]"] },
    Case { schema: "{minProperties: 1}", yes: &["{a: 1}", "[]", "1"], no: &["{}"] },
    Case { schema: "{maxProperties: 1}", yes: &["{a: 1}", "{}"], no: &["{a: 1, b: 1}"] },
    Case {
        schema: "{uniqueItems: true}",
        yes: &["[]", "[1, 2]", "[1, '1']", "[{a: 1}, {a: 2}]", "1"],
        no: &["[1, 1.0]", "[{a: 1, b: 2}, {b: 2, a: 1}]", "[null, null]"],
    },
    Case { schema: "{uniqueItems: false}", yes: &["[1, 1]"], no: &[] },
    Case { schema: "{pattern: '^a+$'}", yes: &["'aa'", "1", "sym('b')"], no: &["'b'", "'ab'"] },
    Case {
        schema: "{enum: [1, 'x', null, {a: 1, b: 2}]}",
        yes: &["1", "1.0", "'x'", "null", "{b: 2, a: 1}"],
        no: &["2", "{a: 1}", "[1]"],
    },
    Case {
        schema: "{required: ['a', 'b']}",
        yes: &["{a: 1, b: null}", "1", "[]"],
        no: &["{a: 1}", "{}"],
    },
    Case {
        schema: "{properties: {a: {bsonType: 'int'}}}",
        yes: &["{a: 1}", "{}", "{b: 'x'}", "1"],
        no: &["{a: 'x'}", "{a: [1]}"],
    },
    Case {
        schema: "{patternProperties: {'^a': {bsonType: 'int'}}}",
        yes: &["{a1: 1}", "{b: 'x'}", "[1]"],
        no: &["{a1: 'x'}", "{b: 1, a: null}"],
    },
    Case {
        schema: "{properties: {a: {}}, additionalProperties: false}",
        yes: &["{a: 1}", "{}", "1"],
        no: &["{b: 1}", "{a: 1, b: 1}"],
    },
    Case {
        schema: "{properties: {a: {}}, patternProperties: {'^x': {}}, additionalProperties: {bsonType: 'int'}}",
        yes: &["{a: 'q', x1: 'q', b: 1}"],
        no: &["{b: 'q'}"],
    },
    Case { schema: "{additionalProperties: true}", yes: &["{b: 1}"], no: &[] },
    Case {
        schema: "{dependencies: {a: ['b']}}",
        yes: &["{}", "{b: 1}", "{a: 1, b: 1}"],
        no: &["{a: 1}"],
    },
    Case {
        schema: "{dependencies: {a: {required: ['c']}}}",
        yes: &["{}", "{a: 1, c: 1}"],
        no: &["{a: 1}"],
    },
    Case {
        schema: "{items: {bsonType: 'int'}}",
        yes: &["[]", "[1, 2]", "'x'"],
        no: &["['x']", "[1, null]", "[[1]]"],
    },
    Case {
        schema: "{items: [{bsonType: 'int'}, {bsonType: 'string'}]}",
        yes: &["[1]", "[1, 'x', null]", "[]"],
        no: &["['x']", "[1, 1]"],
    },
    Case { schema: "{items: [{}], additionalItems: false}", yes: &["[1]", "[]"], no: &["[1, 2]"] },
    Case {
        schema: "{items: [{}], additionalItems: {bsonType: 'int'}}",
        yes: &["['x', 1]"],
        no: &["['x', 'y']"],
    },
    Case { schema: "{items: {}, additionalItems: false}", yes: &["[1, 2]"], no: &[] },
    Case { schema: "{allOf: [{minimum: 1}, {maximum: 3}]}", yes: &["2", "'x'"], no: &["0", "4"] },
    Case {
        schema: "{anyOf: [{bsonType: 'int'}, {minLength: 3}]}",
        yes: &["1", "'abc'", "null"],
        no: &["'a'"],
    },
    Case { schema: "{oneOf: [{minimum: 1}, {minimum: 5}]}", yes: &["2"], no: &["6", "0", "'x'"] },
    Case { schema: "{not: {bsonType: 'int'}}", yes: &["'x'", "1L"], no: &["1"] },
    Case { schema: "{title: 't', description: 'd'}", yes: EVERYTHING, no: &[] },
    Case { schema: "{}", yes: EVERYTHING, no: &[] },
    Case { schema: "{encrypt: {}}", yes: &["bin(6, '01')"], no: &["bin(0, '01')", "'x'"] },
];

#[test]
fn tables() {
    let mut count = 0;
    for case in CASES {
        for (values, expected) in [(case.yes, true), (case.no, false)] {
            for value in values {
                let filter = format!("{{$jsonSchema: {{properties: {{v: {}}}}}}}", case.schema);
                let text = format!("{{v: {value}}}");
                assert_eq!(matches(&filter, &text), expected, "{filter} on {text}");
                let negated = format!(
                    "{{$jsonSchema: {{required: ['v'], properties: {{v: {{not: {}}}}}}}}}",
                    case.schema
                );
                assert_eq!(matches(&negated, &text), !expected, "{negated} on {text}");
                assert!(matches(&filter, "{w: 1}"), "{filter} on a document without the field");
                count += 3;
            }
        }
    }
    assert!(count > 700, "{count}");
}

/// Keywords that ask for one type let all others through.
#[test]
fn keywords_are_asked_of_their_types() {
    let is = |value: &str, types: &[&str]| {
        let filter = format!("{{v: {{$type: [{}]}}}}", types.join(", "));
        // Types of the value itself, not of elements.
        let text = format!("{{v: {value}}}");
        !value.starts_with('[') && matches(&filter, &text)
            || value.starts_with('[') && types.contains(&"'array'")
    };
    for (schema, types) in [
        ("{minimum: 1000}", &["'number'"][..]),
        ("{maximum: -1000}", &["'number'"]),
        ("{multipleOf: 1000}", &["'number'"]),
        ("{minLength: 1000}", &["'string'"]),
        ("{pattern: '^never$'}", &["'string'"]),
        ("{minItems: 1000}", &["'array'"]),
        ("{minProperties: 1000}", &["'object'"]),
        ("{required: ['never']}", &["'object'"]),
    ] {
        for value in EVERYTHING {
            let filter = format!("{{$jsonSchema: {{properties: {{v: {schema}}}}}}}");
            let text = format!("{{v: {value}}}");
            assert_eq!(matches(&filter, &text), !is(value, types), "{filter} on {text}");
        }
    }
}

#[test]
fn refusals() {
    for (schema, code) in [
        ("1", 14),
        ("'x'", 14),
        ("{foo: 1}", 9),
        ("{format: 'date'}", 9),
        ("{$ref: '#'}", 9),
        ("{default: 1}", 9),
        ("{definitions: {}}", 9),
        ("{id: 'x'}", 9),
        ("{$schema: 'x'}", 9),
        ("{type: 1}", 14),
        ("{type: [1]}", 14),
        ("{type: []}", 9),
        ("{type: 'integer'}", 9),
        ("{type: 'int'}", 2),
        ("{bsonType: 'foo'}", 2),
        ("{bsonType: 'boolean'}", 2),
        ("{type: 'object', bsonType: 'object'}", 9),
        ("{bsonType: ['int', 'int']}", 9),
        ("{required: 'a'}", 14),
        ("{required: [1]}", 14),
        ("{required: []}", 9),
        ("{required: ['a', 'a']}", 9),
        ("{properties: 1}", 14),
        ("{properties: {a: 1}}", 14),
        ("{patternProperties: {a: 1}}", 14),
        ("{patternProperties: {'(': {}}}", 51091),
        ("{additionalProperties: 1}", 14),
        ("{dependencies: 1}", 14),
        ("{dependencies: {a: 1}}", 14),
        ("{dependencies: {a: []}}", 9),
        ("{dependencies: {a: [1]}}", 14),
        ("{items: 1}", 14),
        ("{items: [1]}", 14),
        ("{additionalItems: 1}", 14),
        ("{minimum: 'x'}", 14),
        ("{maximum: null}", 14),
        ("{exclusiveMinimum: true}", 9),
        ("{exclusiveMaximum: true}", 9),
        ("{minimum: 1, exclusiveMinimum: 1}", 14),
        ("{exclusiveMinimum: 1}", 9),
        ("{exclusiveMaximum: 'x'}", 9),
        ("{exclusiveMinimum: true, minimum: 'x'}", 14),
        // Names are checked before all values.
        ("{type: 1, foo: 1}", 9),
        ("{title: 1, title: 'x'}", 9),
        ("{minimum: 1, minimum: 1}", 9),
        ("{properties: {}, properties: {}}", 9),
        ("{type: 1, bsonType: 1}", 9),
        ("{type: 'object', encrypt: {}}", 9),
        ("{bsonType: 'object', encrypt: {}}", 9),
        ("{encrypt: {}, encryptMetadata: {algorithm: 'x'}}", 9),
        ("{encryptMetadata: {}}", 9),
        ("{encryptMetadata: 1}", 14),
        ("{encryptMetadata: {unknown: 'x'}}", 40415),
        ("{encryptMetadata: {keyId: 1}}", 14),
        ("{encryptMetadata: {algorithm: []}}", 14),
        ("{encryptMetadata: {algorithm: 'x'}}", 2),
        ("{properties: {a: {encrypt: {b: 1}}}}", 40415),
        ("{properties: {a: {encrypt: {keyId: 1}}}}", 14),
        ("{properties: {a: {encrypt: {algorithm: []}}}}", 14),
        ("{properties: {a: {encrypt: {bsonType: 123}}}}", 14),
        ("{properties: {a: {multipleOf: NaN}}}", 2),
        ("{properties: {a: {multipleOf: dec('NaN')}}}", 2),
        ("{properties: {a: {multipleOf: Infinity}}}", 2),
        ("{encrypt: 1}", 14),
        ("{multipleOf: 0.0}", 9),
        ("{multipleOf: dec('-0')}", 9),
        ("{required: null}", 14),
        ("{required: {}}", 14),
        ("{required: ['a', 1]}", 14),
        ("{dependencies: {a: ['b', 'b']}}", 9),
        ("{dependencies: {a: {foo: 1}}}", 9),
        ("{dependencies: []}", 14),
        ("{items: null}", 14),
        ("{items: [{foo: 1}]}", 9),
        ("{additionalItems: null}", 14),
        ("{additionalProperties: 'x'}", 14),
        ("{additionalProperties: {foo: 1}}", 9),
        ("{patternProperties: []}", 14),
        ("{minLength: 'x'}", 9),
        ("{minLength: true}", 9),
        ("{maxLength: NaN}", 9),
        ("{minItems: -1L}", 9),
        ("{maxProperties: dec('1.5')}", 9),
        ("{uniqueItems: null}", 14),
        ("{uniqueItems: 'x'}", 14),
        ("{pattern: /x/}", 14),
        ("{enum: {}}", 14),
        ("{enum: [{a: 1, b: 2}, {b: 2, a: 1}]}", 9),
        ("{allOf: []}", 2),
        ("{oneOf: []}", 2),
        ("{anyOf: {}}", 14),
        ("{allOf: [{foo: 1}]}", 9),
        ("{not: []}", 14),
        ("{not: {foo: 1}}", 9),
        ("{type: ['string', 'string']}", 9),
        ("{type: null}", 14),
        ("{type: 'bool'}", 2),
        ("{bsonType: 1}", 14),
        ("{bsonType: 'integer'}", 2),
        ("{bsonType: []}", 9),
        ("{multipleOf: 0}", 9),
        ("{multipleOf: -1}", 9),
        ("{multipleOf: 'x'}", 14),
        ("{minLength: -1}", 9),
        ("{maxLength: 1.5}", 9),
        ("{minItems: 'x'}", 9),
        ("{maxItems: 1e30}", 9),
        ("{minProperties: null}", 9),
        ("{uniqueItems: 1}", 14),
        ("{pattern: 1}", 14),
        ("{pattern: '('}", 51091),
        ("{enum: 1}", 14),
        ("{enum: []}", 9),
        ("{enum: [1, 1.0]}", 9),
        ("{allOf: 1}", 14),
        ("{anyOf: []}", 2),
        ("{oneOf: [1]}", 14),
        ("{not: 1}", 14),
        ("{title: 1}", 14),
        ("{description: 1}", 14),
        ("{properties: {a: {foo: 1}}}", 9),
    ] {
        let filter = format!("{{$jsonSchema: {schema}}}");
        let (found, message) = refusal(&filter);
        assert_eq!(found, code, "{filter}: {message}");
    }
    assert!(matches(
        "{a: {$elemMatch: {$jsonSchema: {required: ['b']}}}}",
        "{a: [{c: 1}, {b: 1}]}"
    ));
    assert!(!matches("{a: {$elemMatch: {$jsonSchema: {required: ['b']}}}}", "{a: [{c: 1}, 1]}"));
    assert!(matches("{$jsonSchema: {properties: {a: {multipleOf: 2}}}}", "{a: 4}"));
    let deep = |levels: usize| {
        format!("{{$jsonSchema: {}{}}}", "{not: ".repeat(levels) + "{}", "}".repeat(levels))
    };
    assert!(parse(&deep(50)).is_ok());
    assert_eq!(refusal(&deep(150)).0, 9);
}
