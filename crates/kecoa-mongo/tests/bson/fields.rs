//! Fields by their names, beside what the library finds.

use bson::oid::ObjectId;
use bson::spec::BinarySubtype;
use bson::{
    Binary, DateTime, Decimal128, JavaScriptCodeWithScope, RawBson, RawDocument, RawDocumentBuf,
    Regex, Timestamp, rawdoc,
};
use kecoa_mongo::bson::field::field;

/// A document with a field of every type.
fn of_every_type() -> RawDocumentBuf {
    let regex = |pattern: &str, options: &str| {
        RawBson::RegularExpression(Regex {
            pattern: pattern.try_into().unwrap(),
            options: options.try_into().unwrap(),
        })
    };
    let code = JavaScriptCodeWithScope { code: "f()".to_owned(), scope: bson::doc! {"f": 1} };
    let code: RawBson = bson::Bson::JavaScriptCodeWithScope(code).try_into().unwrap();
    rawdoc! {
        "": "a name of nothing",
        "double": 1.5,
        "string": "a\0b, \u{e9}",
        "document": {"double": {"inner": 1}, "x": "y"},
        "array": [1, "two", {"three": 3}],
        "binary": Binary { subtype: BinarySubtype::Generic, bytes: vec![1, 2, 0, 3] },
        "old": Binary { subtype: BinarySubtype::BinaryOld, bytes: vec![1, 2] },
        "undefined": RawBson::Undefined,
        "id": ObjectId::from_bytes([7; 12]),
        "true": true,
        "false": false,
        "date": DateTime::from_millis(-5),
        "null": RawBson::Null,
        "regex": regex("a.b", "i"),
        "empty regex": regex("", ""),
        "code": RawBson::JavaScriptCode("g()".to_owned()),
        "symbol": RawBson::Symbol("s".to_owned()),
        "scoped": code,
        "int": i32::MIN,
        "timestamp": Timestamp { time: 3, increment: 4 },
        "long": i64::MAX,
        "decimal": "1.50".parse::<Decimal128>().unwrap(),
        "min": RawBson::MinKey,
        "max": RawBson::MaxKey,
        "int": "the second of that name",
        "in": 1,
        "intermediate": 2,
        "last": 3,
    }
}

#[test]
fn a_field_is_what_the_library_finds() {
    let document = of_every_type();
    let mut names: Vec<&str> =
        document.iter_elements().map(|element| element.unwrap().key().as_str()).collect();
    names.extend(["missing", "i", "inter", "inner", "x", "las", "last ", "double\0"]);
    for name in names {
        let expected = document.get(name).unwrap();
        assert_eq!(field(&document, name), expected, "{name:?}");
    }
}

#[test]
fn nothing_is_found_behind_what_is_no_bson() {
    let whole = of_every_type();
    let bytes = whole.as_bytes();
    for at in 4..bytes.len() - 1 {
        for wrong in [0, 1, 0x0c, 0x44, 0xfe] {
            let mut bytes = bytes.to_vec();
            bytes[at] = wrong;
            // It gives something or nothing, and does not fail.
            let _ = field(RawDocument::from_bytes(&bytes).unwrap(), "last");
        }
    }
    let mut bytes = rawdoc! {"a": 1, "b": 2}.into_bytes();
    bytes[4] = 0x44;
    assert_eq!(field(RawDocument::from_bytes(&bytes).unwrap(), "b"), None);
}
