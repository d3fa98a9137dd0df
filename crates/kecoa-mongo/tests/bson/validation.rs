//! What is refused, with its code and its place.

use kecoa_mongo::bson::validate::{InvalidDocument, Limits, validate};

use crate::support::*;

const ROOMY: Limits = Limits { bytes: 1 << 20, depth: 200 };

/// A document with one element: its type, and what follows the name `a`.
fn with(kind: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = (u32::try_from(content.len()).unwrap() + 8).to_le_bytes().to_vec();
    bytes.extend([kind, b'a', 0]);
    bytes.extend(content);
    bytes.push(0);
    bytes
}

#[test]
fn every_type_passes() {
    let mut count = 0;
    for value in crate::order::groups().into_iter().flatten() {
        let document =
            document(&[("", value.clone()), ("a", value.clone()), ("a", array(&[value]))]);
        assert!(read_all(validate(document.as_bytes(), ROOMY).unwrap()) >= 4);
        count += 1;
    }
    assert!(count > 100);
}

#[test]
fn what_is_malformed_is_refused() {
    let cases: &[(&str, Vec<u8>, usize, &str, i64)] = &[
        ("nothing", vec![], 0, "the length of a document", 0),
        ("half a length", vec![5, 0], 0, "the length of a document", 2),
        ("length below the least", vec![4, 0, 0, 0, 0], 0, "the length of a document", 4),
        ("negative length", vec![0xff; 5], 0, "the length of a document", -1),
        ("longer than it is", vec![6, 0, 0, 0, 0], 0, "a length within the document", 6),
        ("shorter than it is", vec![5, 0, 0, 0, 0, 0], 5, "the end", 1),
        ("no zero at the end", vec![5, 0, 0, 0, 10], 5, "a name in UTF-8 that ends with a zero", 0),
        ("zero before the end", vec![6, 0, 0, 0, 0, 0], 5, "the end", 1),
        ("unknown type", with(0x14, &[]), 4, "a type of BSON", 0x14),
        ("unknown type, negative", with(0x80, &[]), 4, "a type of BSON", 0x80),
        (
            "name without end",
            vec![7, 0, 0, 0, 10, b'a', b'b'],
            5,
            "a name in UTF-8 that ends with a zero",
            2,
        ),
        (
            "name not in UTF-8",
            vec![8, 0, 0, 0, 10, 0xff, 0, 0],
            5,
            "a name in UTF-8 that ends with a zero",
            0xff,
        ),
        ("int32 cut", with(0x10, &[1, 2]), 7, "4 bytes", 3),
        ("int64 cut", with(0x12, &[0; 6]), 7, "8 bytes", 7),
        ("double cut", with(0x01, &[0; 6]), 7, "8 bytes", 7),
        ("date cut", with(0x09, &[0; 6]), 7, "8 bytes", 7),
        ("timestamp cut", with(0x11, &[0; 6]), 7, "8 bytes", 7),
        ("object id cut", with(0x07, &[0; 10]), 7, "an object id", 11),
        ("decimal cut", with(0x13, &[0; 14]), 7, "a decimal", 15),
        ("bool of 2", with(0x08, &[2]), 7, "0 or 1 for false or true", 2),
        ("text of no length", with(0x02, &[0, 0, 0, 0]), 7, "the length of text and a zero", 0),
        ("text of negative length", with(0x02, &[0xff; 4]), 7, "the length of text and a zero", -1),
        ("text beyond the end", with(0x02, &[9, 0, 0, 0, b'x', 0]), 11, "text of its length", 3),
        ("text without zero", with(0x02, &[1, 0, 0, 0, b'x']), 11, "a zero after text", 0x78),
        ("text not in UTF-8", with(0x02, &[3, 0, 0, 0, b'x', 0xc3, 0]), 12, "text in UTF-8", 0xc3),
        ("surrogate", with(0x02, &[4, 0, 0, 0, 0xed, 0xa0, 0x80, 0]), 11, "text in UTF-8", 0xed),
        ("overlong zero", with(0x02, &[3, 0, 0, 0, 0xc0, 0x80, 0]), 11, "text in UTF-8", 0xc0),
        ("symbol not in UTF-8", with(0x0e, &[2, 0, 0, 0, 0xff, 0]), 11, "text in UTF-8", 0xff),
        ("code not in UTF-8", with(0x0d, &[2, 0, 0, 0, 0xff, 0]), 11, "text in UTF-8", 0xff),
        (
            "inner document beyond the end",
            with(0x03, &[7, 0, 0, 0, 0]),
            7,
            "a length within the document",
            7,
        ),
        ("inner document of 4", with(0x03, &[4, 0, 0, 0]), 7, "the length of a document", 4),
        ("inner document with a rest", with(0x03, &[6, 0, 0, 0, 0, 0]), 12, "the end", 1),
        (
            "array beyond the end",
            with(0x04, &[99, 0, 0, 0, 0]),
            7,
            "a length within the document",
            99,
        ),
        (
            "binary beyond the end",
            with(0x05, &[4, 0, 0, 0, 0, 1]),
            12,
            "binary data of its length",
            2,
        ),
        (
            "binary of negative length",
            with(0x05, &[0xff, 0xff, 0xff, 0xff, 0]),
            7,
            "the length of binary data",
            -1,
        ),
        (
            "old binary without inner length",
            with(0x05, &[0, 0, 0, 0, 2]),
            12,
            "an inner length of 4 bytes less",
            1,
        ),
        (
            "old binary, wrong inner length",
            with(0x05, &[5, 0, 0, 0, 2, 2, 0, 0, 0, 9]),
            12,
            "an inner length of 4 bytes less",
            2,
        ),
        (
            "pattern not in UTF-8",
            with(0x0b, &[0xff, 0, 0]),
            7,
            "a pattern in UTF-8 that ends with a zero",
            0xff,
        ),
        (
            "options not in UTF-8",
            with(0x0b, &[b'a', 0, 0xff, 0]),
            9,
            "options in UTF-8 that end with a zero",
            0xff,
        ),
        ("pointer without id", with(0x0c, &[1, 0, 0, 0, 0, 1]), 12, "an object id", 2),
        (
            "code with scope too short",
            with(0x0f, &[13, 0, 0, 0]),
            7,
            "the length of code with scope",
            13,
        ),
        (
            "code with scope, longer than its parts",
            with(0x0f, &[15, 0, 0, 0, 1, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0]),
            21,
            "the end",
            1,
        ),
        (
            "code with scope, code too long",
            with(0x0f, &[14, 0, 0, 0, 9, 0, 0, 0, 0, 5, 0, 0, 0, 0]),
            15,
            "text of its length",
            6,
        ),
        (
            "code with scope, scope too long",
            with(0x0f, &[14, 0, 0, 0, 1, 0, 0, 0, 0, 6, 0, 0, 0, 0]),
            16,
            "a length within the document",
            6,
        ),
    ];
    for (name, bytes, at, expected, found) in cases {
        let refused = validate(bytes, ROOMY).unwrap_err();
        assert_eq!(
            refused,
            InvalidDocument::Malformed { at: *at, expected, found: *found },
            "{name}"
        );
        assert_eq!(refused.code(), 22);
    }
}

#[test]
fn size_and_depth_have_caps() {
    let bytes = document(&[("a", string("12345"))]);
    let (bytes, length) = (bytes.as_bytes(), bytes.as_bytes().len());
    assert!(validate(bytes, Limits { bytes: length, depth: 1 }).is_ok());
    let refused = validate(bytes, Limits { bytes: length - 1, depth: 1 }).unwrap_err();
    assert_eq!(refused, InvalidDocument::TooLarge { found: length, most: length - 1 });
    assert_eq!(refused.code(), 10334);
    for depth in [1, 2, 99, 100, 200] {
        let limits = Limits { bytes: 1 << 20, depth };
        // The document itself is the first level.
        let of = |levels| document(&[("a", nested(levels - 1, int(1)))]);
        assert!(validate(of(depth).as_bytes(), limits).is_ok());
        let refused = validate(of(depth + 1).as_bytes(), limits).unwrap_err();
        assert!(matches!(refused, InvalidDocument::TooDeep { most, .. } if most == depth));
        assert_eq!(refused.code(), 15);
    }
    let scope = document(&[("a", code_with_scope("f", &[("x", int(1))]))]);
    assert!(validate(scope.as_bytes(), Limits { bytes: 100, depth: 1 }).is_err());
    let deep = document(&[("a", nested(5000, null()))]);
    assert_eq!(validate(deep.as_bytes(), Limits::MESSAGE).unwrap_err().code(), 15);
}

#[test]
fn no_cut_and_no_flip_of_a_byte_gets_through_unread() {
    let values: Vec<_> =
        crate::order::groups().into_iter().filter_map(|mut group| group.pop()).collect();
    let fields: Vec<_> = values.iter().map(|value| ("ab", value.clone())).collect();
    let whole = document(&fields);
    let bytes = whole.as_bytes();
    for length in 0..bytes.len() {
        assert!(validate(&bytes[..length], ROOMY).is_err());
    }
    for at in 0..bytes.len() {
        for flip in [0x01, 0x02, 0x10, 0x80, 0xff] {
            let mut changed = bytes.to_vec();
            changed[at] ^= flip;
            if let Ok(document) = validate(&changed, ROOMY) {
                read_all(document);
            }
        }
    }
}
