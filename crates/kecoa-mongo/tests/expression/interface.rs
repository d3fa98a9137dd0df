//! What other modules see of an expression: constants, paths, variables, collation, depth.

use bson::{DateTime, RawBson, Timestamp};
use kecoa_mongo::collation::Collator;
use kecoa_mongo::expression::{Expression, Scope, Variables};

use crate::notation::{document, value};

fn parse(text: &str) -> Expression {
    Expression::parse(value(text).as_raw_bson_ref(), &Scope::new()).unwrap()
}

fn variables() -> Variables {
    Variables::new(DateTime::from_millis(0), Timestamp { time: 0, increment: 0 })
}

#[test]
fn constants_are_known_when_an_expression_is_read() {
    let known = [
        ("5", Some("5")),
        ("{a: 1, b: [2, 'x']}", Some("{a: 1, b: [2, 'x']}")),
        ("{$add: [1, 2]}", Some("3")),
        ("{x: {$concat: ['a', 'b']}}", Some("{x: 'ab'}")),
        ("{$toDate: '2024-02-29'}", Some("date('2024-02-29T00:00:00Z')")),
        ("{$cond: [true, 1, {$divide: ['$a', 0]}]}", None),
        ("{$and: [{$divide: ['$a', 0]}, false]}", Some("false")),
        ("{$literal: '$a'}", Some("'$a'")),
        ("'$a'", None),
        ("{$add: ['$a', 1]}", None),
        ("{$add: ['$$NOW', 1]}", None),
        ("{$rand: {}}", None),
        ("{$add: [{$rand: {}}, 1]}", None),
        ("{$map: {input: [1, 2], in: '$$this'}}", None),
    ];
    for (text, expected) in known {
        let expression = parse(text);
        let found = expression.as_constant().map(|constant| RawBson::from(constant.unwrap()));
        assert_eq!(found, expected.map(value), "{text}");
    }
    assert!(matches!(parse("'$$REMOVE'").as_constant(), Some(None)));
}

#[test]
fn paths_are_told() {
    assert_eq!(parse("'$a.b'").as_field_path().as_deref(), Some("a.b"));
    assert_eq!(parse("'$$ROOT.a'").as_field_path().as_deref(), Some("a"));
    assert_eq!(parse("'$$ROOT'").as_field_path(), None);
    assert_eq!(parse("'$$NOW'").as_field_path(), None);
    assert_eq!(parse("{$abs: '$a'}").as_field_path(), None);
}

#[test]
fn variables_of_a_command() {
    let mut scope = Scope::new();
    let declared = document("{x: 5, y: {$add: ['$$x', 1]}, z: '$$REMOVE'}");
    let variables = variables().with_let(&declared, &mut scope).unwrap();
    let sum = value("[{$add: ['$$x', '$$y']}, '$$z']");
    let expression = Expression::parse(sum.as_raw_bson_ref(), &scope).unwrap();
    let nothing = document("{}");
    let found = expression.evaluate(&nothing, &variables).unwrap().unwrap().into_owned();
    assert_eq!(found, value("[11, null]"));
    assert!(scope.has_variable("x") && !scope.has_variable("w"));

    for (declared, code) in [
        ("{x: '$a'}", 4_890_500),
        ("{x: '$$ROOT'}", 4_890_500),
        ("{X: 1}", 9),
        ("{x: '$$y'}", 17276),
        ("{x: {$divide: [1, 0]}}", 2),
    ] {
        let mut scope = Scope::new();
        let error = self::variables().with_let(&document(declared), &mut scope).unwrap_err();
        assert_eq!(error.code().number(), code, "{declared}");
    }
}

#[test]
fn strings_compare_by_the_collation() {
    let collator = Collator::parse(&document("{locale: 'en', strength: 2}")).unwrap();
    let scope = Scope::new().with_collator(collator);
    let on = document("{s: 'ABC', list: ['abc', 'x', 'ABC']}");
    for (text, expected) in [
        ("{$eq: ['$s', 'abc']}", "true"),
        ("{$ne: ['$s', 'abc']}", "false"),
        ("{$cmp: ['$s', 'abd']}", "-1"),
        ("{$in: ['$s', ['abc']]}", "true"),
        ("{$indexOfArray: ['$list', 'X']}", "1"),
        ("{$setUnion: ['$list', []]}", "['abc', 'x']"),
        ("{$setDifference: ['$list', ['Abc']]}", "['x']"),
        ("{$max: ['$s', 'abd']}", "'abd'"),
        ("{$strcasecmp: ['$s', 'abc']}", "0"),
    ] {
        let expression = Expression::parse(value(text).as_raw_bson_ref(), &scope).unwrap();
        let variables = variables();
        let found = expression.evaluate(&on, &variables).unwrap().unwrap().into_owned();
        assert_eq!(found, value(expected), "{text}");
    }
}

#[test]
fn depth_is_bounded() {
    let nested = |levels: usize| {
        let text = format!("{}'$a'{}", "{$abs: ".repeat(levels), "}".repeat(levels));
        Expression::parse(value(&text).as_raw_bson_ref(), &Scope::new())
    };
    assert!(nested(99).is_ok());
    assert_eq!(nested(101).unwrap_err().code().number(), 15);
    let on = document("{a: -1}");
    let found = nested(99).unwrap();
    let variables = variables();
    assert_eq!(found.evaluate(&on, &variables).unwrap().unwrap().into_owned(), value("1"));
}

#[test]
fn values_do_not_grow_without_bound() {
    // Each level doubles the text: 2^60 bytes, if nobody stopped it.
    let mut text = "'$$x'".to_owned();
    for _ in 0..45 {
        text = format!("{{$let: {{vars: {{x: {{$concat: ['$$x', '$$x']}}}}, in: {text}}}}}");
    }
    let text = format!("{{$let: {{vars: {{x: '$s'}}, in: {text}}}}}");
    let expression = parse(&text);
    let on = document("{s: 'abc'}");
    let variables = variables();
    assert_eq!(expression.evaluate(&on, &variables).unwrap_err().code().number(), 146);
}
