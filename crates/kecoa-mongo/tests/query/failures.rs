//! What is said of documents that do not pass a validator.

use crate::support::*;

fn failure(filter: &str, text: &str) -> Option<bson::RawDocumentBuf> {
    parse(filter).unwrap().explain_failure(&document(text), &variables()).unwrap()
}

/// Filter, document, report.
const CASES: &[(&str, &str, &str)] = &[
    (
        "{a: {$gt: 5}}",
        "{a: 3}",
        "{operatorName: '$gt', specifiedAs: {a: {$gt: 5}}, reason: 'comparison failed', consideredValue: 3}",
    ),
    (
        "{a: 5}",
        "{a: 'x'}",
        "{operatorName: '$eq', specifiedAs: {a: 5}, reason: 'comparison failed', consideredValue: 'x'}",
    ),
    ("{a: 5}", "{}", "{operatorName: '$eq', specifiedAs: {a: 5}, reason: 'field was missing'}"),
    (
        "{a: 5}",
        "{a: [1, 2]}",
        "{operatorName: '$eq', specifiedAs: {a: 5}, reason: 'comparison failed', consideredValues: [1, 2, [1, 2]]}",
    ),
    (
        "{a: {$ne: 5}}",
        "{a: 5}",
        "{operatorName: '$ne', specifiedAs: {a: {$ne: 5}}, reason: 'comparison succeeded', consideredValue: 5}",
    ),
    (
        "{a: {$in: [1, 2]}}",
        "{a: 3}",
        "{operatorName: '$in', specifiedAs: {a: {$in: [1, 2]}}, reason: 'no matching value found in array', consideredValue: 3}",
    ),
    (
        "{a: {$nin: [1, 2]}}",
        "{a: 2}",
        "{operatorName: '$nin', specifiedAs: {a: {$nin: [1, 2]}}, reason: 'matching value found in array', consideredValue: 2}",
    ),
    (
        "{a: {$exists: true}}",
        "{}",
        "{operatorName: '$exists', specifiedAs: {a: {$exists: true}}, reason: 'path does not exist'}",
    ),
    (
        "{a: {$exists: false}}",
        "{a: 1}",
        "{operatorName: '$exists', specifiedAs: {a: {$exists: false}}, reason: 'path does exist'}",
    ),
    (
        "{a: {$type: 'int'}}",
        "{a: 'x'}",
        "{operatorName: '$type', specifiedAs: {a: {$type: 'int'}}, reason: 'type did not match', consideredValue: 'x', consideredType: 'string'}",
    ),
    (
        "{a: {$size: 2}}",
        "{a: [1]}",
        "{operatorName: '$size', specifiedAs: {a: {$size: 2}}, reason: 'array length was not equal to given size', consideredValue: [1]}",
    ),
    (
        "{a: {$regex: '^x'}}",
        "{a: 'y'}",
        "{operatorName: '$regex', specifiedAs: {a: {$regex: '^x'}}, reason: 'regular expression did not match', consideredValue: 'y'}",
    ),
    (
        "{a: {$not: {$gt: 5}}}",
        "{a: 6}",
        "{operatorName: '$not', details: {operatorName: '$gt', specifiedAs: {a: {$gt: 5}}, reason: 'comparison succeeded', consideredValue: 6}}",
    ),
    (
        "{a: 1, b: 2}",
        "{a: 1}",
        "{operatorName: '$and', clausesNotSatisfied: [{index: 1, details: {operatorName: '$eq', specifiedAs: {b: 2}, reason: 'field was missing'}}]}",
    ),
    (
        "{$or: [{a: 1}, {b: 2}]}",
        "{a: 3}",
        "{operatorName: '$or', clausesNotSatisfied: [{index: 0, details: {operatorName: '$eq', specifiedAs: {a: 1}, reason: 'comparison failed', consideredValue: 3}}, {index: 1, details: {operatorName: '$eq', specifiedAs: {b: 2}, reason: 'field was missing'}}]}",
    ),
    (
        "{$nor: [{a: 1}, {b: 2}]}",
        "{a: 1}",
        "{operatorName: '$nor', clausesSatisfied: [{index: 0, details: {operatorName: '$eq', specifiedAs: {a: 1}, reason: 'comparison succeeded', consideredValue: 1}}]}",
    ),
    (
        "{$expr: {$eq: ['$a', 1]}}",
        "{a: 2}",
        "{operatorName: '$expr', reason: 'expression did not match', expressionResult: false}",
    ),
    (
        "{$alwaysFalse: 1}",
        "{}",
        "{operatorName: '$alwaysFalse', reason: 'expression always evaluates to false'}",
    ),
];

/// Schema, document, the one rule that is not satisfied.
const RULES: &[(&str, &str, &str)] = &[
    (
        "{required: ['a', 'b']}",
        "{b: 1}",
        "{operatorName: 'required', specifiedAs: {required: ['a', 'b']}, missingProperties: ['a']}",
    ),
    (
        "{properties: {a: {bsonType: 'int', description: 'must be int'}}}",
        "{a: 'x'}",
        "{operatorName: 'properties', propertiesNotSatisfied: [{propertyName: 'a', description: 'must be int', details: [{operatorName: 'bsonType', specifiedAs: {bsonType: 'int'}, reason: 'type did not match', consideredValue: 'x', consideredType: 'string'}]}]}",
    ),
    (
        "{additionalProperties: false}",
        "{x: 1}",
        "{operatorName: 'additionalProperties', specifiedAs: {additionalProperties: false}, additionalProperties: ['x']}",
    ),
    (
        "{minProperties: 2}",
        "{x: 1}",
        "{operatorName: 'minProperties', specifiedAs: {minProperties: 2}, reason: 'specified number of properties was not satisfied', numberOfProperties: 1}",
    ),
    (
        "{dependencies: {a: ['b']}}",
        "{a: 1}",
        "{operatorName: 'dependencies', failingDependencies: [{conditionalProperty: 'a', missingProperties: ['b']}]}",
    ),
    (
        "{not: {required: ['a']}}",
        "{a: 1}",
        "{operatorName: 'not', reason: 'child expression matched'}",
    ),
    (
        "{anyOf: [{required: ['a']}, {required: ['b']}]}",
        "{}",
        "{operatorName: 'anyOf', schemasNotSatisfied: [{index: 0, details: [{operatorName: 'required', specifiedAs: {required: ['a']}, missingProperties: ['a']}]}, {index: 1, details: [{operatorName: 'required', specifiedAs: {required: ['b']}, missingProperties: ['b']}]}]}",
    ),
    (
        "{oneOf: [{required: ['a']}, {}]}",
        "{a: 1}",
        "{operatorName: 'oneOf', reason: 'more than one subschema matched', matchingSchemaIndexes: [0, 1]}",
    ),
    (
        "{patternProperties: {'^a': {minimum: 5}}}",
        "{a1: 3}",
        "{operatorName: 'patternProperties', details: [{propertyName: 'a1', regexMatched: '^a', details: [{operatorName: 'minimum', specifiedAs: {minimum: 5}, reason: 'comparison failed', consideredValue: 3}]}]}",
    ),
];

/// Schema of `v`, its value, the rule of `v` that is not satisfied.
const VALUES: &[(&str, &str, &str)] = &[
    (
        "{maximum: 5, exclusiveMaximum: true}",
        "5",
        "{operatorName: 'maximum', specifiedAs: {maximum: 5, exclusiveMaximum: true}, reason: 'comparison failed', consideredValue: 5}",
    ),
    (
        "{multipleOf: 3}",
        "5",
        "{operatorName: 'multipleOf', specifiedAs: {multipleOf: 3}, reason: 'considered value is not a multiple of the specified value', consideredValue: 5}",
    ),
    (
        "{minLength: 3}",
        "'x'",
        "{operatorName: 'minLength', specifiedAs: {minLength: 3}, reason: 'specified string length was not satisfied', consideredValue: 'x'}",
    ),
    (
        "{pattern: '^a'}",
        "'x'",
        "{operatorName: 'pattern', specifiedAs: {pattern: '^a'}, reason: 'regular expression did not match', consideredValue: 'x'}",
    ),
    (
        "{enum: [1, 2]}",
        "3",
        "{operatorName: 'enum', specifiedAs: {enum: [1, 2]}, reason: 'value was not found in enum', consideredValue: 3}",
    ),
    (
        "{maxItems: 1}",
        "[1, 2]",
        "{operatorName: 'maxItems', specifiedAs: {maxItems: 1}, reason: 'array did not match specified length', consideredValue: [1, 2]}",
    ),
    (
        "{uniqueItems: true}",
        "[1, 1.0]",
        "{operatorName: 'uniqueItems', specifiedAs: {uniqueItems: true}, reason: 'found a duplicate item', consideredValue: [1, 1.0], duplicatedValue: 1.0}",
    ),
    (
        "{items: {minimum: 2}}",
        "[2, 1]",
        "{operatorName: 'items', reason: 'At least one item did not match the sub-schema', itemIndex: 1, details: [{operatorName: 'minimum', specifiedAs: {minimum: 2}, reason: 'comparison failed', consideredValue: 1}]}",
    ),
    (
        "{items: [{}], additionalItems: false}",
        "[1, 2, 3]",
        "{operatorName: 'additionalItems', specifiedAs: {additionalItems: false}, reason: 'found additional items', additionalItems: [2, 3]}",
    ),
];

#[test]
fn operators() {
    for (filter, text, report) in CASES {
        assert_eq!(failure(filter, text).unwrap(), document(report), "{filter} on {text}");
    }
    assert_eq!(failure("{a: 1}", "{a: 1}"), None);
}

#[test]
fn schemas() {
    let check = |schema: &str, text: &str, rule: &str| {
        let report = format!("{{operatorName: '$jsonSchema', schemaRulesNotSatisfied: [{rule}]}}");
        let filter = format!("{{$jsonSchema: {schema}}}");
        assert_eq!(failure(&filter, text).unwrap(), document(&report), "{filter} on {text}");
    };
    for (schema, text, rule) in RULES {
        check(schema, text, rule);
    }
    for (schema, value, rule) in VALUES {
        let nested = format!(
            "{{operatorName: 'properties', propertiesNotSatisfied: [{{propertyName: 'v', details: [{rule}]}}]}}"
        );
        check(&format!("{{properties: {{v: {schema}}}}}"), &format!("{{v: {value}}}"), &nested);
    }
    let titled =
        failure("{$jsonSchema: {title: 't', description: 'd', required: ['a']}}", "{}").unwrap();
    assert_eq!(titled.get_str("title").unwrap(), "t");
    assert_eq!(titled.get_str("description").unwrap(), "d");
}
