//! Every operator beside every type, against a small model: each value is a class and a rank in it.

use std::cmp::Ordering;

use bson::{RawBson, RawDocumentBuf};
use kecoa_mongo::expression::Scope;
use kecoa_mongo::query::{Filter, SortMode};

use crate::support::*;

/// A value, its class, its rank in the class. Values that are equal have one rank.
type Scalar = (&'static str, u8, i32);

const NULL: u8 = 2;
const NUMBER: u8 = 3;
const ARRAY: u8 = 6;
const LEAST: u8 = 0;
const GREATEST: u8 = 20;

const SCALARS: &[Scalar] = &[
    ("MinKey", LEAST, 0),
    ("null", NULL, 0),
    ("NaN", NUMBER, -99),
    ("dec('NaN')", NUMBER, -99),
    ("-Infinity", NUMBER, -50),
    ("-9223372036854775808L", NUMBER, -40),
    ("-1", NUMBER, -1),
    ("-1.0", NUMBER, -1),
    ("0", NUMBER, 0),
    ("-0.0", NUMBER, 0),
    ("dec('0.00')", NUMBER, 0),
    ("0.5", NUMBER, 1),
    ("1", NUMBER, 2),
    ("1L", NUMBER, 2),
    ("1.0", NUMBER, 2),
    ("dec('1.0')", NUMBER, 2),
    ("9007199254740992.0", NUMBER, 30),
    ("9007199254740993L", NUMBER, 31),
    ("1e300", NUMBER, 40),
    ("Infinity", NUMBER, 50),
    ("''", 4, 0),
    ("'1'", 4, 1),
    ("'A'", 4, 2),
    ("'a'", 4, 3),
    ("sym('a')", 4, 3),
    ("'ä'", 4, 4),
    ("{}", 5, 0),
    ("{a: 1}", 5, 1),
    ("{a: 1.0}", 5, 1),
    ("{a: 1, b: 1}", 5, 2),
    ("{b: 0}", 5, 3),
    ("bin(0, '')", 7, 0),
    ("bin(0, '01')", 7, 1),
    ("bin(5, '01')", 7, 2),
    ("oid(0)", 8, 0),
    ("oid(9)", 8, 1),
    ("false", 9, 0),
    ("true", 9, 1),
    ("date(-1)", 10, 0),
    ("date(1)", 10, 1),
    ("ts(0, 1)", 11, 0),
    ("ts(1, 0)", 11, 1),
    ("ptr('x')", 13, 0),
    ("code('x')", 14, 0),
    ("scoped('x')", 15, 0),
    ("MaxKey", GREATEST, 0),
];

/// A value of the model.
#[derive(Clone)]
enum Model {
    Scalar(Scalar),
    Array(Vec<Model>),
}

impl Model {
    fn text(&self) -> String {
        match self {
            Self::Scalar((text, ..)) => (*text).to_owned(),
            Self::Array(elements) => {
                let texts: Vec<_> = elements.iter().map(Self::text).collect();
                format!("[{}]", texts.join(", "))
            }
        }
    }

    fn class(&self) -> u8 {
        match self {
            Self::Scalar((_, class, _)) => *class,
            Self::Array(_) => ARRAY,
        }
    }

    fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Array(left), Self::Array(right)) => {
                for (left, right) in left.iter().zip(right) {
                    let order = left.order(right);
                    if order.is_ne() {
                        return order;
                    }
                }
                left.len().cmp(&right.len())
            }
            (Self::Scalar((_, class, rank)), Self::Scalar((_, other_class, other_rank))) => {
                (class, rank).cmp(&(other_class, other_rank))
            }
            _ => self.class().cmp(&other.class()),
        }
    }

    fn is_nan(&self) -> bool {
        matches!(self, Self::Scalar((_, NUMBER, -99)))
    }

    /// Whether this passes a comparison with `with`, by itself.
    fn passes(&self, operator: &str, with: &Self) -> bool {
        if self.class() != with.class() {
            return match operator {
                "$lt" | "$lte" => with.class() == GREATEST,
                "$gt" | "$gte" => with.class() == LEAST,
                _ => false,
            };
        }
        let order = self.order(with);
        if self.is_nan() || with.is_nan() {
            return order.is_eq() && ["$eq", "$gte", "$lte"].contains(&operator);
        }
        match operator {
            "$eq" => order.is_eq(),
            "$gt" => order.is_gt(),
            "$gte" => order.is_ge(),
            "$lt" => order.is_lt(),
            "$lte" => order.is_le(),
            _ => panic!("{operator}"),
        }
    }

    /// Whether a field with this value passes: itself, or one of its elements.
    fn field_passes(field: Option<&Self>, operator: &str, with: &Self) -> bool {
        match field {
            None => match with.class() {
                NULL => ["$eq", "$gte", "$lte"].contains(&operator),
                GREATEST => ["$lt", "$lte"].contains(&operator),
                LEAST => ["$gt", "$gte"].contains(&operator),
                _ => false,
            },
            Some(value) => {
                let elements = match value {
                    Self::Array(elements) => elements.as_slice(),
                    Self::Scalar(_) => &[],
                };
                value.passes(operator, with)
                    || elements.iter().any(|element| element.passes(operator, with))
            }
        }
    }
}

fn scalars() -> Vec<Model> {
    SCALARS.iter().map(|scalar| Model::Scalar(*scalar)).collect()
}

/// Fields of all forms: missing, a scalar, in an array, beside others, in an array within an array; empty arrays.
fn fields() -> Vec<Option<Model>> {
    let mut fields = vec![None, Some(Model::Array(Vec::new()))];
    for scalar in scalars() {
        let other = Model::Scalar(("'ää'", 4, 9));
        fields.push(Some(scalar.clone()));
        fields.push(Some(Model::Array(vec![scalar.clone()])));
        fields.push(Some(Model::Array(vec![other, scalar.clone()])));
        fields.push(Some(Model::Array(vec![Model::Array(vec![scalar])])));
    }
    fields
}

fn stored(field: Option<&Model>) -> RawDocumentBuf {
    field.map_or_else(
        || document("{b: 1}"),
        |value| document(&format!("{{b: 1, a: {}}}", value.text())),
    )
}

#[test]
fn comparisons() {
    let variables = variables();
    let mut queries = scalars();
    queries.push(Model::Array(Vec::new()));
    queries.extend(scalars().into_iter().map(|scalar| Model::Array(vec![scalar])));
    let fields: Vec<_> =
        fields().into_iter().map(|field| (stored(field.as_ref()), field)).collect();
    let mut count = 0;
    for query in &queries {
        for operator in ["$eq", "$gt", "$gte", "$lt", "$lte"] {
            let text = query.text();
            let forms = [
                (format!("{{a: {{{operator}: {text}}}}}"), false),
                (format!("{{a: {{$not: {{{operator}: {text}}}}}}}"), true),
                (format!("{{$nor: [{{a: {{{operator}: {text}}}}}]}}"), true),
            ];
            let mut filters: Vec<_> = forms
                .iter()
                .map(|(text, negated)| (text.clone(), parse(text).unwrap(), *negated))
                .collect();
            if operator == "$eq" {
                for (text, negated) in [
                    (format!("{{a: {text}}}"), false),
                    (format!("{{a: {{$in: [{text}, 'no']}}}}"), false),
                    (format!("{{a: {{$all: [{text}]}}}}"), false),
                    (format!("{{a: {{$ne: {text}}}}}"), true),
                    (format!("{{a: {{$nin: ['no', {text}]}}}}"), true),
                ] {
                    let filter = parse(&text).unwrap();
                    filters.push((text, filter, negated));
                }
            }
            for (stored, field) in &fields {
                let expected = Model::field_passes(field.as_ref(), operator, query);
                for (text, filter, negated) in &filters {
                    let found = filter.matches(stored, &variables).unwrap();
                    assert_eq!(found, expected != *negated, "{text} on {stored:?}");
                    count += 1;
                }
            }
        }
    }
    assert!(count > 300_000, "{count}");
}

#[test]
fn types() {
    let names: &[(&str, &str)] = &[
        ("1.5", "double"),
        ("'x'", "string"),
        ("{}", "object"),
        ("bin(0, '00')", "binData"),
        ("undefined", "undefined"),
        ("oid(1)", "objectId"),
        ("true", "bool"),
        ("date(1)", "date"),
        ("null", "null"),
        ("/x/", "regex"),
        ("ptr('x')", "dbPointer"),
        ("code('x')", "javascript"),
        ("sym('x')", "symbol"),
        ("scoped('x')", "javascriptWithScope"),
        ("1", "int"),
        ("ts(1, 1)", "timestamp"),
        ("1L", "long"),
        ("dec('1')", "decimal"),
        ("MinKey", "minKey"),
        ("MaxKey", "maxKey"),
    ];
    let numbers: &[(&str, &str)] = &[
        ("double", "1"),
        ("string", "2.0"),
        ("object", "3L"),
        ("array", "4"),
        ("binData", "5"),
        ("undefined", "6"),
        ("objectId", "7"),
        ("bool", "8"),
        ("date", "9"),
        ("null", "10"),
        ("regex", "11"),
        ("dbPointer", "12"),
        ("javascript", "13"),
        ("symbol", "14"),
        ("javascriptWithScope", "15"),
        ("int", "16"),
        ("timestamp", "17"),
        ("long", "18"),
        ("decimal", "dec('19')"),
        ("minKey", "-1"),
        ("maxKey", "127"),
    ];
    let mut count = 0;
    for (name, number) in numbers {
        for written in [format!("'{name}'"), (*number).to_owned(), format!("['{name}', {number}]")]
        {
            let filter = parse(&format!("{{a: {{$type: {written}}}}}")).unwrap();
            let matches = |text: &str| filter.matches(&document(text), &variables()).unwrap();
            assert!(!matches("{}"), "{name}");
            for (value, of) in names {
                assert_eq!(matches(&format!("{{a: {value}}}")), of == name, "{value} is {name}");
                let in_array = of == name || *name == "array";
                assert_eq!(matches(&format!("{{a: [{value}]}}")), in_array, "[{value}] is {name}");
                assert_eq!(
                    matches(&format!("{{a: [[{value}]]}}")),
                    *name == "array",
                    "[[{value}]]"
                );
                count += 3;
            }
        }
    }
    for (value, of) in names {
        let is_number = ["double", "int", "long", "decimal"].contains(of);
        assert_eq!(matches("{a: {$type: 'number'}}", &format!("{{a: {value}}}")), is_number);
        assert!(matches("{a: {$exists: true}}", &format!("{{a: {value}}}")));
        assert!(!matches("{a: {$size: 1}}", &format!("{{a: {value}}}")));
        assert!(matches("{a: {$size: 1}}", &format!("{{a: [{value}]}}")));
        let is_text = ["string", "symbol"].contains(of);
        assert_eq!(
            matches("{a: {$regex: 'x'}}", &format!("{{a: {value}}}")),
            is_text || *of == "regex"
        );
        assert_eq!(matches("{a: {$regex: ''}}", &format!("{{a: [{value}]}}")), is_text);
        count += 6;
    }
    assert!(count >= 3_900, "{count}");
}

#[test]
fn remainders() {
    // The number, and what it is without its fraction; none if it has no remainder.
    let numbers: &[(&str, Option<i128>)] = &[
        ("0", Some(0)),
        ("7", Some(7)),
        ("-7", Some(-7)),
        ("7L", Some(7)),
        ("7.9", Some(7)),
        ("-7.9", Some(-7)),
        ("dec('7.9')", Some(7)),
        ("dec('-7.9')", Some(-7)),
        ("dec('7E+2')", Some(700)),
        ("dec('7E-9')", Some(0)),
        ("9223372036854775807L", Some(i64::MAX as i128)),
        ("-9223372036854775808L", Some(i64::MIN as i128)),
        ("NaN", None),
        ("Infinity", None),
        ("1e19", None),
        ("-1e19", None),
        ("dec('1E+19')", None),
        ("dec('NaN')", None),
        ("'7'", None),
        ("null", None),
        ("true", None),
        ("date(7)", None),
        ("{}", None),
        ("ts(0, 7)", None),
    ];
    let divisors: &[(&str, i128)] = &[
        ("1", 1),
        ("-1", -1),
        ("4", 4),
        ("-4", -4),
        ("4.9", 4),
        ("4L", 4),
        ("dec('4.5')", 4),
        ("9223372036854775807L", i64::MAX as i128),
        ("-9223372036854775808L", i64::MIN as i128),
    ];
    let mut count = 0;
    for (divisor_text, divisor) in divisors {
        for remainder in [-3_i128, -1, 0, 1, 2, 3, 700] {
            let filter =
                parse(&format!("{{a: {{$mod: [{divisor_text}, {remainder}.0]}}}}")).unwrap();
            for (text, number) in numbers {
                let expected = number.is_some_and(|number| number % divisor == remainder);
                for stored in [format!("{{a: {text}}}"), format!("{{a: ['x', {text}]}}")] {
                    let found = filter.matches(&document(&stored), &variables()).unwrap();
                    assert_eq!(found, expected, "{stored} by {divisor_text} is {remainder}");
                    count += 1;
                }
            }
        }
    }
    assert!(count > 2_500, "{count}");
}

#[test]
fn bits() {
    // The value, and its bits from the lowest, those above 63 as well.
    let values: &[(&str, Option<(i64, bool)>)] = &[
        ("0", Some((0, true))),
        ("5", Some((5, true))),
        ("-1", Some((-1, true))),
        ("-6L", Some((-6, true))),
        ("54.0", Some((54, true))),
        ("9223372036854775807L", Some((i64::MAX, true))),
        ("bin(0, '36')", Some((0x36, false))),
        ("bin(0, '0501')", Some((0x105, false))),
        ("bin(0, '')", Some((0, false))),
        ("bin(5, 'ffffffff')", Some((0xffff_ffff, false))),
        ("5.5", None),
        ("NaN", None),
        ("1e30", None),
        ("-Infinity", None),
        ("dec('5')", None),
        ("'5'", None),
        ("null", None),
        ("true", None),
        ("date(5)", None),
        ("ts(0, 5)", None),
        ("{}", None),
    ];
    let masks: &[(&str, &[u32])] = &[
        ("0", &[]),
        ("[]", &[]),
        ("5", &[0, 2]),
        ("[0, 2]", &[0, 2]),
        ("[2.0, 0L, 2]", &[0, 2]),
        ("54", &[1, 2, 4, 5]),
        ("bin(0, '36')", &[1, 2, 4, 5]),
        ("bin(0, '0001')", &[8]),
        ("[63]", &[63]),
        ("[64, 200]", &[64, 200]),
        ("dec('5')", &[0, 2]),
        ("5.0", &[0, 2]),
        ("[8]", &[8]),
    ];
    let mut count = 0;
    for (mask_text, mask) in masks {
        for operator in ["$bitsAllSet", "$bitsAnySet", "$bitsAllClear", "$bitsAnyClear"] {
            let filter = parse(&format!("{{a: {{{operator}: {mask_text}}}}}")).unwrap();
            for (text, value) in values {
                let expected = value.is_some_and(|(number, signed)| {
                    let is_set = |position: &u32| {
                        if *position < 64 {
                            number >> position & 1 == 1
                        } else {
                            signed && number < 0
                        }
                    };
                    match operator {
                        "$bitsAllSet" => mask.iter().all(is_set),
                        "$bitsAnySet" => mask.iter().any(is_set),
                        "$bitsAllClear" => !mask.iter().any(is_set),
                        _ => !mask.iter().all(is_set),
                    }
                });
                for stored in [format!("{{a: {text}}}"), format!("{{a: [{text}]}}")] {
                    let found = filter.matches(&document(&stored), &variables()).unwrap();
                    assert_eq!(found, expected, "{stored} by {operator}: {mask_text}");
                    count += 1;
                }
            }
        }
    }
    assert!(count > 2_000, "{count}");
}

#[test]
fn sorts_are_in_the_order_of_values() {
    let scope = Scope::new();
    for (direction, reversed) in [("1", false), ("-1", true)] {
        let specification = document(&format!("{{a: {direction}}}"));
        let sort = kecoa_mongo::query::Sort::parse(&specification, SortMode::Find, &scope).unwrap();
        let models = scalars();
        for left in &models {
            for right in &models {
                let found = sort.compare(&stored(Some(left)), &stored(Some(right))).unwrap();
                let found = if reversed { found.reverse() } else { found };
                assert_eq!(found, left.order(right), "{} {}", left.text(), right.text());
            }
        }
    }
}

/// `$exists` takes numbers, booleans and all else.
#[test]
fn existence() {
    for (argument, _, _) in
        SCALARS.iter().chain(&[("undefined", 1, 0), ("/x/", 12, 0), ("[]", 6, 0)])
    {
        let asks = !["null", "undefined", "false", "0", "-0.0", "dec('0.00')"].contains(argument);
        let filter = format!("{{a: {{$exists: {argument}}}}}");
        assert_eq!(matches(&filter, "{a: 1}"), asks, "{filter}");
        assert_eq!(matches(&filter, "{b: 1}"), !asks, "{filter}");
    }
}

#[test]
fn long_lists_are_searched_by_halves() {
    let mut values = bson::RawArrayBuf::new();
    for number in 0..200_000 {
        values.push(number * 2);
    }
    let mut list = RawDocumentBuf::new();
    list.append(bson::raw::cstr!("$in"), values);
    let mut filter = RawDocumentBuf::new();
    filter.append(bson::raw::cstr!("a"), list);
    let filter = Filter::parse(&filter, &Scope::new()).unwrap();
    let variables = variables();
    for number in 0..2_000 {
        let mut stored = RawDocumentBuf::new();
        stored.append(bson::raw::cstr!("a"), RawBson::Int32(number));
        assert_eq!(filter.matches(&stored, &variables).unwrap(), number % 2 == 0);
    }
}
