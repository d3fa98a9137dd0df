//! Every argument of every command against every type.

use bson::raw::CString;
use bson::{RawArrayBuf, RawBson, RawDocumentBuf, rawdoc};
use kecoa_mongo::bson::type_class::element_type_name;
use kecoa_mongo::command::arguments::generic::GENERIC;
use kecoa_mongo::command::arguments::read::Rules;
use kecoa_mongo::command::arguments::{Argument, Kind, Values, read, read_nested};
use kecoa_mongo::command::table::COMMANDS;
use kecoa_mongo::error::{Code, Error};
use kecoa_mongo::wire::Request;

use crate::support::samples;

const RULES: Rules = Rules { open: false, strict: false };

/// The types that an argument takes, by its kind.
fn types(kind: Kind) -> Vec<&'static str> {
    match kind {
        Kind::Any => samples().into_iter().map(|(name, _)| name).collect(),
        Kind::Boolean => vec!["bool"],
        Kind::LenientBoolean => vec!["bool", "int", "long", "double", "decimal"],
        Kind::Integer { .. } | Kind::Number | Kind::Whole | Kind::Time => {
            vec!["int", "long", "double", "decimal"]
        }
        Kind::Long => vec!["long"],
        Kind::Int => vec!["int"],
        Kind::Document => vec!["object"],
        Kind::Array | Kind::Documents | Kind::Strings => vec!["array"],
        Kind::Timestamp => vec!["timestamp"],
        Kind::Uuid => vec!["binData"],
        Kind::OneOf(types) | Kind::Parsed { types, .. } => {
            types.iter().map(|one| element_type_name(*one)).collect()
        }
        Kind::String | Kind::Enumeration(_) | Kind::Collection { .. } | Kind::CollectionOrOne => {
            vec!["string"]
        }
    }
}

/// The samples are 1, "x", [1] and the like.
fn expected(row: &Argument, place: &str, name: &str) -> i32 {
    let is_plain_time = matches!(row.kind, Kind::Time) && !["count", "find"].contains(&place);
    if matches!(name, "null" | "undefined") && (!row.kind.takes_null() || is_plain_time) {
        return if row.required { 40414 } else { 0 };
    }
    let is_accepted = types(row.kind).contains(&name);
    match row.kind {
        Kind::Collection { .. } | Kind::CollectionOrOne if name == "binData" => 2,
        Kind::Collection { code } if !is_accepted => code.number(),
        Kind::CollectionOrOne if !is_accepted => {
            if matches!(name, "int" | "long" | "double" | "decimal") { 0 } else { 14 }
        }
        Kind::Parsed { code, .. } if !is_accepted => code.number(),
        Kind::Whole if !is_accepted => 2,
        Kind::Time if !is_accepted && !is_plain_time => 2,
        _ if !is_accepted => 14,
        Kind::Integer { least, most, code } if least > 1 || most < 1 => code.number(),
        Kind::Enumeration(words) if !words.contains(&"x") => 2,
        Kind::Documents | Kind::Strings => 14,
        _ => 0,
    }
}

fn body(fields: &[(&str, RawBson)]) -> RawDocumentBuf {
    let mut body = rawdoc! { "command": 1 };
    for (name, value) in fields {
        body.append(CString::try_from(*name).unwrap(), value.clone());
    }
    body
}

/// A value that the row takes.
fn good(row: &Argument) -> RawBson {
    match row.kind {
        Kind::Integer { least, .. } if least > 1 => RawBson::Int64(least),
        Kind::Enumeration(words) => RawBson::String(words[0].to_owned()),
        Kind::Documents | Kind::Strings => RawBson::Array(RawArrayBuf::new()),
        kind => {
            let wanted = types(kind)[0];
            samples().into_iter().find(|(name, _)| *name == wanted).unwrap().1
        }
    }
}

fn outcome(result: Result<(Values<'_>, Values<'_>), Error>) -> i32 {
    result.map_or_else(|error| error.code().number(), |_| 0)
}

/// The other arguments that must be there.
fn others(table: &'static [Argument], without: &str) -> Vec<(&'static str, RawBson)> {
    table
        .iter()
        .filter(|row| row.required && row.name != without)
        .map(|row| (row.name, good(row)))
        .collect()
}

fn has(table: &[Argument], name: &str) -> bool {
    table.iter().any(|row| row.name == name)
}

#[test]
fn every_argument_of_every_command_meets_every_type() {
    let mut cases = 0;
    for command in COMMANDS {
        let generic = GENERIC.iter().filter(|row| !has(command.arguments, row.name));
        for row in command.arguments.iter().chain(generic) {
            for (name, value) in samples() {
                let mut fields = others(command.arguments, row.name);
                fields.push((row.name, value));
                let body = body(&fields);
                let result = read(command.name, &body, &[], command.arguments, GENERIC, RULES);
                let expected = expected(row, command.name, name);
                if let Err(error) = &result
                    && expected == 14
                    && name != "array"
                {
                    let start = format!(
                        "BSON field '{}.{}' is the wrong type '{name}', expected",
                        command.name, row.name
                    );
                    assert!(error.message().starts_with(&start), "{}", error.message());
                }
                assert_eq!(outcome(result), expected, "{}.{} with {name}", command.name, row.name);
                cases += 1;
            }
        }
    }
    assert!(cases > 10_000, "{cases} cases");
}

#[test]
fn every_argument_of_every_command_stands_once_and_is_known() {
    for command in COMMANDS {
        for row in command.arguments {
            let mut fields = others(command.arguments, row.name);
            fields.push((row.name, good(row)));
            fields.push((row.name, good(row)));
            let twice = body(&fields);
            let result = read(command.name, &twice, &[], command.arguments, GENERIC, RULES);
            assert_eq!(outcome(result), 40413, "{}.{} twice", command.name, row.name);
            if row.required {
                let without = body(&others(command.arguments, row.name));
                let result = read(command.name, &without, &[], command.arguments, GENERIC, RULES);
                assert_eq!(outcome(result), 40414, "{} without {}", command.name, row.name);
            }
        }
        let mut fields = others(command.arguments, "");
        fields.push(("nobodyKnowsThis", RawBson::Int32(1)));
        let unknown = body(&fields);
        let error =
            read(command.name, &unknown, &[], command.arguments, GENERIC, RULES).unwrap_err();
        assert_eq!(error.code().number(), 40415);
        assert_eq!(
            error.message(),
            format!("BSON field '{}.nobodyKnowsThis' is an unknown field.", command.name)
        );
        let open = Rules { open: true, strict: false };
        assert_eq!(outcome(read(command.name, &unknown, &[], command.arguments, GENERIC, open)), 0);
    }
}

#[test]
fn names_of_arguments_and_commands_are_unique() {
    let mut names: Vec<_> =
        COMMANDS.iter().flat_map(|command| command.aliases.iter().chain([&command.name])).collect();
    let all = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), all);
    for command in COMMANDS {
        let mut names: Vec<_> = command.arguments.iter().map(|row| row.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), command.arguments.len(), "{}", command.name);
    }
}

const TABLE: &[Argument] = &[
    Argument::boolean("ordered").or(true),
    Argument::boolean("plain"),
    Argument::lenient_boolean("bypass"),
    Argument::count("limit"),
    Argument::integer("any").or_integer(7),
    Argument::within("port", 1, 100),
    Argument::string("name").unstable(),
    Argument::documents("documents"),
    Argument::new("mode", Kind::Enumeration(&["one", "two"])),
    Argument::new("strings", Kind::Strings),
    Argument::new("uuid", Kind::Uuid),
    Argument::hint("hint"),
    Argument::any("value"),
];

fn nested(document: &RawDocumentBuf) -> Result<Values<'_>, Error> {
    read_nested("c", document, TABLE)
}

#[test]
fn numbers_are_cut_and_bounded() {
    let decimal = |text: &str| RawBson::Decimal128(text.parse().unwrap());
    let table: &[(RawBson, i64)] = &[
        (RawBson::Int32(5), 5),
        (RawBson::Int64(i64::MAX), i64::MAX),
        (RawBson::Int64(i64::MIN), i64::MIN),
        (RawBson::Double(5.9), 5),
        (RawBson::Double(-5.9), -5),
        (RawBson::Double(-0.0), 0),
        (RawBson::Double(f64::NAN), 0),
        (RawBson::Double(f64::INFINITY), i64::MAX),
        (RawBson::Double(f64::NEG_INFINITY), i64::MIN),
        (RawBson::Double(1e300), i64::MAX),
        (decimal("5.9"), 5),
        (decimal("-5.9"), -5),
        (decimal("5E2"), 500),
        (decimal("5E-6000"), 0),
        (decimal("5E6000"), i64::MAX),
        (decimal("-5E6000"), i64::MIN),
        (decimal("9223372036854775807"), i64::MAX),
        (decimal("9223372036854775808"), i64::MAX),
        (decimal("-9223372036854775808"), i64::MIN),
        (decimal("0E6000"), 0),
        (decimal("NaN"), 0),
        (decimal("Infinity"), i64::MAX),
        (decimal("-Infinity"), i64::MIN),
    ];
    for (value, expected) in table {
        let document = rawdoc! { "any": value.clone() };
        assert_eq!(nested(&document).unwrap().integer("any"), Some(*expected), "{value:?}");
    }
}

#[test]
fn values_have_their_codes_and_messages() {
    let table: &[(RawDocumentBuf, i32, &str)] = &[
        (rawdoc! { "limit": 0 }, 0, ""),
        (
            rawdoc! { "limit": -1 },
            51024,
            "BSON field 'limit' value must be >= 0, actual value '-1'",
        ),
        (rawdoc! { "limit": -0.5 }, 0, ""),
        (
            rawdoc! { "limit": -1.5 },
            51024,
            "BSON field 'limit' value must be >= 0, actual value '-1'",
        ),
        (rawdoc! { "port": 0 }, 2, "BSON field 'port' value must be >= 1, actual value '0'"),
        (rawdoc! { "port": 100 }, 0, ""),
        (
            rawdoc! { "port": 101_i64 },
            2,
            "BSON field 'port' value must be <= 100, actual value '101'",
        ),
        (rawdoc! { "mode": "one" }, 0, ""),
        (
            rawdoc! { "mode": "three" },
            2,
            "Enumeration value 'three' for field 'c.mode' is not a valid value.",
        ),
        (rawdoc! { "documents": [{}, {}] }, 0, ""),
        (
            rawdoc! { "documents": [{}, 1] },
            14,
            "BSON field 'c.documents.1' is the wrong type 'int', expected type 'object'",
        ),
        (rawdoc! { "strings": ["a", "b"] }, 0, ""),
        (
            rawdoc! { "strings": ["a", {}] },
            14,
            "BSON field 'c.strings.1' is the wrong type 'object', expected type 'string'",
        ),
        (
            rawdoc! { "ordered": "x" },
            14,
            "BSON field 'c.ordered' is the wrong type 'string', expected type 'bool'",
        ),
        (
            rawdoc! { "limit": "x" },
            14,
            "BSON field 'c.limit' is the wrong type 'string', expected types '[long, int, decimal, double]'",
        ),
        (
            rawdoc! { "bypass": "x" },
            14,
            "BSON field 'c.bypass' is the wrong type 'string', expected types '[bool, long, int, decimal, double]'",
        ),
        (
            rawdoc! { "hint": 1 },
            9,
            "BSON field 'c.hint' is the wrong type 'int', expected types '[string, object]'",
        ),
    ];
    for (document, code, message) in table {
        match nested(document) {
            Ok(_) => assert_eq!(*code, 0, "{document:?}"),
            Err(error) => assert_eq!(
                (error.code().number(), error.message()),
                (*code, *message),
                "{document:?}"
            ),
        }
    }
}

#[test]
fn a_uuid_has_its_subtype_and_length() {
    use bson::{Binary, spec::BinarySubtype};
    let table = [
        (BinarySubtype::Uuid, 16, 0),
        (BinarySubtype::Uuid, 15, 207),
        (BinarySubtype::Generic, 16, 14),
        (BinarySubtype::UuidOld, 16, 14),
        (BinarySubtype::Md5, 16, 14),
    ];
    for (subtype, length, code) in table {
        let document = rawdoc! { "uuid": Binary { subtype, bytes: vec![0; length] } };
        let found = nested(&document).map_or_else(|error| error.code().number(), |_| 0);
        assert_eq!(found, code, "{subtype:?} {length}");
    }
}

#[test]
fn a_collection_is_a_name_or_one() {
    use kecoa_mongo::command::arguments::read::check;
    let codes = |value: RawBson| {
        let named = Kind::Collection { code: Code::INVALID_NAMESPACE };
        [named, Kind::CollectionOrOne].map(|kind| {
            let row = Argument::new("aggregate", kind);
            check("aggregate", &row, value.as_raw_bson_ref())
                .map_or_else(|error| error.code().number(), |()| 0)
        })
    };
    for (name, value) in samples() {
        let expected = match name {
            "string" => [0, 0],
            "int" | "long" | "double" | "decimal" => [73, 0],
            "binData" => [2, 2],
            _ => [73, 14],
        };
        assert_eq!(codes(value), expected, "{name}");
    }
    for value in
        [RawBson::Int32(0), RawBson::Int64(2), RawBson::Double(1.5), RawBson::Double(f64::NAN)]
    {
        assert_eq!(codes(value.clone()), [73, 9], "{value:?}");
    }
}

#[test]
fn what_is_missing_has_its_default() {
    let empty = rawdoc! { "ordered": null, "any": null };
    let values = nested(&empty).unwrap();
    assert!(values.boolean("ordered"));
    assert!(!values.boolean("plain"));
    assert_eq!(values.optional_boolean("plain"), None);
    assert_eq!(values.integer("any"), Some(7));
    assert_eq!(values.integer("limit"), None);
    assert!(!values.has("ordered"));
    assert_eq!(values.string("nobody"), None);
    let given = rawdoc! { "ordered": false, "bypass": 0.0, "value": null, "any": 9 };
    let values = nested(&given).unwrap();
    assert!(!values.boolean("ordered"));
    assert_eq!(values.optional_boolean("bypass"), Some(false));
    assert!(values.has("value"), "a null is a value where any type is");
    assert_eq!(values.integer("any"), Some(9));
    let mut twice = rawdoc! { "ordered": null };
    twice.append(bson::raw::cstr!("ordered"), true);
    assert_eq!(nested(&twice).unwrap_err().code().number(), 40413);
}

#[test]
fn the_stable_api_refuses_what_it_does_not_have() {
    let body = body(&[("name", RawBson::String("x".to_owned()))]);
    let strict = Rules { open: false, strict: true };
    let error = read("c", &body, &[], TABLE, GENERIC, strict).unwrap_err();
    assert_eq!(error.code(), Code::API_STRICT_ERROR);
    assert_eq!(error.message(), "BSON field 'c.name' is not allowed with apiStrict:true.");
    assert_eq!(outcome(read("c", &body, &[], TABLE, GENERIC, RULES)), 0);
}

#[test]
fn a_document_sequence_is_an_argument() {
    let documents = [rawdoc! { "a": 1 }, rawdoc! { "a": 2 }];
    let table = [
        ("documents", rawdoc! { "c": 1 }, 0),
        ("value", rawdoc! { "c": 1 }, 14),
        ("name", rawdoc! { "c": 1 }, 14),
        ("nobody", rawdoc! { "c": 1 }, 40415),
        ("documents", rawdoc! { "c": 1, "documents": [] }, 40413),
    ];
    for (name, body, code) in table {
        let request = Request::new(body).with_sequence(name, &documents);
        let result = read("c", request.body(), request.sequences(), TABLE, GENERIC, RULES);
        if let Ok((values, _)) = &result {
            let found = values.documents(name).unwrap();
            let found: Vec<_> = found.iter().map(|one| one.unwrap().to_owned()).collect();
            assert_eq!(found, documents);
            assert_eq!(values.documents(name).unwrap().count(), 2);
        }
        assert_eq!(outcome(result), code, "{name}");
    }
    let array = rawdoc! { "documents": [{ "a": 1 }, { "a": 2 }] };
    let found = nested(&array).unwrap().documents("documents").unwrap();
    let found: Vec<_> = found.iter().map(|one| one.unwrap().to_owned()).collect();
    assert_eq!(found, documents);
}
