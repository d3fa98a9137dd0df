//! Bad messages, each with its answer.

use std::slice;

use bson::{RawDocumentBuf, rawdoc};
use kecoa_mongo::wire::{Incoming, MAX_MESSAGE_LENGTH};

use crate::support::{body, compressed, content, message, msg, query, read, sequence, summed};

enum Answer {
    /// The connection is closed.
    Close(&'static str),
    /// This error.
    Error(i32, &'static str),
    /// This error, which nobody is told.
    Silent(i32),
}

use Answer::{Close, Error, Silent};

fn ping() -> RawDocumentBuf {
    rawdoc! { "ping": 1, "$db": "admin" }
}

/// The bytes of a document with one byte changed.
fn broken(document: &RawDocumentBuf, at: usize, byte: u8) -> Vec<u8> {
    let mut bytes = document.as_bytes().to_vec();
    bytes[at] = byte;
    bytes
}

fn with_length(mut bytes: Vec<u8>, length: i32) -> Vec<u8> {
    bytes[..4].copy_from_slice(&length.to_le_bytes());
    bytes
}

fn section(kind: u8, content: &[u8]) -> Vec<u8> {
    [&[kind], content].concat()
}

/// A section of kind 1 with this length and content.
fn raw_sequence(length: i32, content: &[u8]) -> Vec<u8> {
    [&[1], length.to_le_bytes().as_slice(), content].concat()
}

fn nested(levels: usize) -> RawDocumentBuf {
    let mut document = rawdoc! {};
    for _ in 1..levels {
        document = rawdoc! { "a": document };
    }
    document
}

fn zlib(plain: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn snappy(plain: &[u8]) -> Vec<u8> {
    snap::raw::Encoder::new().compress_vec(plain).unwrap()
}

fn zstd(plain: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(plain, ruzstd::encoding::CompressionLevel::Fastest)
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn table() -> Vec<(&'static str, Vec<u8>, Answer)> {
    let plain = content(0, &[body(&ping())]);
    let length = i32::try_from(plain.len()).unwrap();
    let one = rawdoc! { "a": 1 };
    let wrong_sum = {
        let mut bytes = summed(0, &[body(&ping())]);
        *bytes.last_mut().unwrap() ^= 1;
        bytes
    };
    let changed = {
        let mut bytes = summed(0, &[body(&ping())]);
        bytes[4] ^= 1;
        bytes
    };
    let text = rawdoc! { "ping": "x", "$db": "admin" };
    vec![
        // Length and kind.
        ("length 0", with_length(msg(0, &[body(&ping())]), 0), Close("16 to")),
        ("length 15", with_length(msg(0, &[body(&ping())]), 15), Close("16 to")),
        ("length -1", with_length(msg(0, &[body(&ping())]), -1), Close("found one of -1")),
        ("least length", with_length(msg(0, &[body(&ping())]), i32::MIN), Close("16 to")),
        (
            "a byte too long",
            with_length(msg(0, &[body(&ping())]), i32::try_from(MAX_MESSAGE_LENGTH).unwrap() + 1),
            Close("found one of 48016385"),
        ),
        ("greatest length", with_length(msg(0, &[body(&ping())]), i32::MAX), Close("16 to")),
        ("HTTP", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(), Close("16 to")),
        ("opcode 0", message(0, &plain), Close("opcode 0")),
        ("a reply", message(1, &[0; 20]), Close("opcode 1")),
        ("OP_UPDATE", message(2001, &plain), Close("opcode 2001")),
        ("OP_INSERT", message(2002, &plain), Close("opcode 2002")),
        ("OP_DELETE", message(2006, &plain), Close("opcode 2006")),
        ("OP_KILL_CURSORS", message(2007, &plain), Close("opcode 2007")),
        ("an unknown opcode", message(-5, &plain), Close("opcode -5")),
        ("OP_GET_MORE", message(2005, &plain), Error(352, "OP_GET_MORE")),
        // OP_MSG: flags and checksum.
        ("no content", message(2013, &[]), Close("flags")),
        ("half of the flags", message(2013, &[0, 0]), Close("flags")),
        ("flag 2", msg(1 << 2, &[body(&ping())]), Close("0x4")),
        ("flag 15", msg(1 << 15, &[body(&ping())]), Close("0x8000")),
        ("all mandatory flags", msg(0xffff, &[body(&ping())]), Close("0xffff")),
        ("flags, and no checksum", message(2013, &[1, 0, 0, 0]), Close("checksum")),
        ("half of a checksum", message(2013, &[1, 0, 0, 0, 9, 9]), Close("checksum")),
        ("a wrong checksum", wrong_sum, Close("checksum")),
        ("another number than was summed", changed, Close("checksum")),
        // OP_MSG: sections.
        ("no section", msg(0, &[]), Error(40587, "must have a body")),
        ("no body", msg(0, &[sequence("documents", slice::from_ref(&one))]), Error(40587, "body")),
        (
            "two bodies",
            msg(0, &[body(&ping()), body(&ping())]),
            Error(40430, "Multiple body sections"),
        ),
        ("kind 2", msg(0, &[body(&ping()), section(2, &[0; 8])]), Error(40432, "kind 2")),
        ("kind 255", msg(0, &[section(255, &[])]), Error(40432, "kind 255")),
        ("a byte behind the body", msg(0, &[body(&ping()), vec![0]]), Error(40430, "Multiple")),
        ("a body without bytes", msg(0, &[section(0, &[])]), Error(22, "5 bytes")),
        ("a body of 4 bytes", msg(0, &[section(0, &[4, 0, 0, 0])]), Error(22, "5 bytes")),
        (
            "a body of negative length",
            msg(0, &[section(0, &with_length(ping().into_bytes(), -1))]),
            Error(22, "5 bytes"),
        ),
        (
            "a body that is longer than the message",
            msg(0, &[section(0, &with_length(ping().into_bytes(), 1000))]),
            Error(22, "within its section"),
        ),
        (
            "a body without its end",
            msg(0, &[section(0, &broken(&ping(), ping().as_bytes().len() - 1, 1))]),
            Error(22, "invalid BSON"),
        ),
        (
            "an unknown type",
            msg(0, &[section(0, &broken(&ping(), 4, 0x55))]),
            Error(22, "a type of BSON"),
        ),
        (
            "a name that is not UTF-8",
            msg(0, &[section(0, &broken(&ping(), 5, 0xff))]),
            Error(22, "UTF-8"),
        ),
        (
            "a string of wrong length",
            msg(0, &[section(0, &broken(&text, 10, 200))]),
            Error(22, "invalid BSON"),
        ),
        (
            "a string that is not UTF-8",
            msg(0, &[section(0, &broken(&text, 14, 0xc0))]),
            Error(22, "UTF-8"),
        ),
        ("too deep a body", msg(0, &[body(&nested(201))]), Error(15, "levels")),
        (
            "a bad body that nobody waits for",
            msg(2, &[section(0, &broken(&ping(), 4, 0x55))]),
            Silent(22),
        ),
        ("no body, and nobody waits", msg(2, &[]), Silent(40587)),
        // OP_MSG: lists of documents.
        ("a list without a length", msg(0, &[body(&ping()), vec![1, 9, 0]]), Error(22, "5 bytes")),
        ("a list of 4 bytes", msg(0, &[body(&ping()), raw_sequence(4, &[])]), Error(22, "5 bytes")),
        ("a negative list", msg(0, &[body(&ping()), raw_sequence(-9, b"a\0")]), Error(22, "5")),
        (
            "a list that is longer than the message",
            msg(0, &[body(&ping()), raw_sequence(100, b"documents\0")]),
            Error(22, "within the message"),
        ),
        (
            "a list whose name has no end",
            msg(0, &[body(&ping()), raw_sequence(7, b"abc")]),
            Error(22, "ends with a zero"),
        ),
        (
            "a list whose name is not UTF-8",
            msg(0, &[body(&ping()), raw_sequence(7, &[0xff, 0xfe, 0])]),
            Error(22, "UTF-8"),
        ),
        (
            "a list with half a document",
            msg(0, &[body(&ping()), raw_sequence(9, b"a\0\x0c\0\0")]),
            Error(22, "5 bytes"),
        ),
        (
            "a list with a document that is longer than the list",
            msg(0, &[body(&ping()), raw_sequence(11, b"a\0\x0c\0\0\0\0"), vec![0; 9]]),
            Error(22, "within its section"),
        ),
        (
            "a list with a bad document",
            msg(0, &[body(&ping()), raw_sequence(11, b"a\0\x05\0\0\0\x01")]),
            Error(22, "invalid BSON"),
        ),
        (
            "a list twice",
            msg(0, &[body(&ping()), sequence("a", &[]), sequence("a", slice::from_ref(&one))]),
            Error(40431, "Duplicate document sequence: a"),
        ),
        (
            "a list that is a field, too",
            msg(
                0,
                &[body(&rawdoc! { "insert": "c", "a": [] }), sequence("a", slice::from_ref(&one))],
            ),
            Error(40433, "Duplicate field between body and document sequence a"),
        ),
        (
            "a list before the field that it is, too",
            msg(
                0,
                &[sequence("a", slice::from_ref(&one)), body(&rawdoc! { "insert": "c", "a": [] })],
            ),
            Error(40433, "a"),
        ),
        (
            "nine lists",
            msg(0, &(0..9).map(|at| sequence(&at.to_string(), &[])).collect::<Vec<_>>()),
            Close("at most 8"),
        ),
        // OP_QUERY.
        ("a query without content", message(2004, &[]), Close("flags")),
        ("a query without a name", message(2004, &[0, 0, 0, 0, 65, 65]), Close("full name")),
        ("a query without numbers", message(2004, b"\0\0\0\0a.$cmd\0\0"), Close("numberToSkip")),
        ("a query without a document", query("admin.$cmd", &[]), Close("document")),
        ("a query of a bad document", query("admin.$cmd", &[6, 0, 0, 0, 1, 0]), Error(22, "BSON")),
        (
            "a query of a collection",
            query("db.c", rawdoc! {}.as_bytes()),
            Error(352, "OP_QUERY is no longer supported"),
        ),
        (
            "a command by query",
            query("db.$cmd", rawdoc! { "find": "c" }.as_bytes()),
            Error(352, "Unsupported OP_QUERY command: find"),
        ),
        (
            "a wrapped command by query",
            query("db.$cmd", rawdoc! { "$query": { "count": "c" } }.as_bytes()),
            Error(352, "Unsupported OP_QUERY command: count"),
        ),
        (
            "an empty command by query",
            query("db.$cmd", rawdoc! {}.as_bytes()),
            Error(352, "Unsupported OP_QUERY command: ."),
        ),
        // OP_COMPRESSED.
        ("compressed, no content", message(2012, &[]), Close("opcode of a compressed")),
        ("compressed, no length", message(2012, &[0; 6]), Close("length of a compressed")),
        ("compressed, no compressor", message(2012, &[0; 8]), Close("a compressor")),
        ("compressor 4", compressed(2013, length, 4, &plain), Close("0 to 3, found 4")),
        ("compressed twice", compressed(2012, length, 0, &plain), Close("opcode 2012")),
        ("negative plain length", compressed(2013, -1, 0, &plain), Close("found one of -1")),
        (
            "great plain length",
            compressed(2013, i32::MAX, 2, &zlib(&plain)),
            Close("decompression"),
        ),
        ("noop, a byte less", compressed(2013, length + 1, 0, &plain), Close("noop")),
        ("noop, a byte more", compressed(2013, length - 1, 0, &plain), Close("noop")),
        ("snappy, a byte less", compressed(2013, length + 1, 1, &snappy(&plain)), Close("snappy")),
        ("snappy, a byte more", compressed(2013, length - 1, 1, &snappy(&plain)), Close("snappy")),
        ("snappy, other bytes", compressed(2013, length, 1, &plain), Close("snappy")),
        ("zlib, a byte less", compressed(2013, length + 1, 2, &zlib(&plain)), Close("zlib")),
        ("zlib, a byte more", compressed(2013, length - 1, 2, &zlib(&plain)), Close("zlib")),
        ("zlib, other bytes", compressed(2013, length, 2, &plain), Close("zlib")),
        (
            "zlib, bytes behind",
            compressed(2013, length, 2, &[zlib(&plain), vec![0]].concat()),
            Close("zlib"),
        ),
        (
            "zlib, cut",
            compressed(2013, length, 2, &zlib(&plain)[..zlib(&plain).len() - 6]),
            Close("zlib"),
        ),
        (
            "a zlib bomb",
            compressed(2013, 1000, 2, &zlib(&vec![0; 10_000_000])),
            Close("1000 bytes compressed with zlib"),
        ),
        ("zstd, a byte less", compressed(2013, length + 1, 3, &zstd(&plain)), Close("zstd")),
        ("zstd, a byte more", compressed(2013, length - 1, 3, &zstd(&plain)), Close("zstd")),
        ("zstd, other bytes", compressed(2013, length, 3, &plain), Close("zstd")),
        (
            "zstd, bytes behind",
            compressed(2013, length, 3, &[zstd(&plain), vec![0]].concat()),
            Close("zstd"),
        ),
        (
            // A window of 4 GiB.
            "zstd, a great window",
            compressed(2013, length, 3, &[0x28, 0xb5, 0x2f, 0xfd, 0, 0xb0, 1, 0, 0]),
            Close("zstd"),
        ),
        (
            "a bad body that was compressed",
            compressed(2013, 9, 0, &[0, 0, 0, 0, 0, 6, 0, 0, 0]),
            Error(22, "5 bytes"),
        ),
    ]
}

#[test]
fn each_bad_message_has_its_answer() {
    let table = table();
    assert!(table.len() >= 60, "{}", table.len());
    for (name, bytes, answer) in table {
        match (read(&bytes), answer) {
            (Err(error), Close(text)) => {
                assert!(error.to_string().contains(text), "{name}: {error}")
            }
            (Ok(Incoming::Refused(refused)), Error(code, text)) => {
                let document = refused.reply.document();
                assert!(refused.envelope.is_reply_expected, "{name}");
                assert_eq!(refused.envelope.id, 7, "{name}");
                assert_eq!(document.get_i32("code").unwrap(), code, "{name}: {document:?}");
                let message = document.get_str("errmsg").unwrap();
                assert!(message.contains(text), "{name}: {message}");
            }
            (Ok(Incoming::Refused(refused)), Silent(code)) => {
                assert!(!refused.envelope.is_reply_expected, "{name}");
                assert_eq!(refused.reply.document().get_i32("code").unwrap(), code, "{name}");
            }
            (found, _) => panic!("{name}: {found:?}"),
        }
    }
}
