//! Each way to compress.

use bson::{RawArrayBuf, RawDocumentBuf, rawdoc};
use bytes::BytesMut;
use kecoa_mongo::wire::{Compressor, Delivery, Envelope, Reply};

use crate::support::{compressed, request};

/// What Python's modules `zlib`, `snappy` and `backports.zstd` make of one message.
const BY_OTHERS: [(Compressor, u8, &str); 5] = [
    (
        Compressor::Zlib,
        2,
        "789c636000822e201628c8cc4b676004b29854529218d8808cc494dccc3c06a664865420a7820e808101007bb534ef",
    ),
    (
        Compressor::Snappy,
        1,
        "8f0100000101988a0000001070696e67000100000002246462000600000061646d696e0002630065000000787878fe0200\
         820200040000",
    ),
    (
        Compressor::Zstd,
        3,
        "28b52ffd208fa50100c40200000000008a0000001070696e67000100000002246462000600000061646d696e0002630065\
         000000780000010002292803",
    ),
    // Without its length, with a window.
    (
        Compressor::Zstd,
        3,
        "28b52ffd0058a50100c40200000000008a0000001070696e67000100000002246462000600000061646d696e0002630065\
         000000780000010002292803",
    ),
    // With a checksum.
    (
        Compressor::Zstd,
        3,
        "28b52ffd248fa50100c40200000000008a0000001070696e67000100000002246462000600000061646d696e0002630065\
         000000780000010002292803aad8eec6",
    ),
];

fn bytes(digits: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    (0..digits.len()).step_by(2).map(byte).collect()
}

fn document() -> RawDocumentBuf {
    rawdoc! { "ping": 1, "$db": "admin", "c": "x".repeat(100) }
}

#[test]
fn what_others_compress_is_read() {
    for (compressor, id, digits) in BY_OTHERS {
        let request = request(&compressed(2013, 143, id, &bytes(digits)));
        assert_eq!(request.compressor(), Some(compressor), "{digits}");
        assert_eq!(request.body(), &*document(), "{digits}");
        assert_eq!(request.id(), 7);
    }
}

#[test]
fn a_reply_is_read_again() {
    let documents = [
        rawdoc! {},
        document(),
        rawdoc! { "a": RawArrayBuf::from_iter((0..20_000).map(|number| number * 7919)) },
    ];
    for document in documents {
        for compressor in [Compressor::Noop, Compressor::Snappy, Compressor::Zlib, Compressor::Zstd]
        {
            let delivery = Delivery {
                id: 7,
                response_to: 0,
                more_to_come: false,
                compressor: Some(compressor),
            };
            let mut output = BytesMut::new();
            Reply::new(document.clone()).encode(&Envelope::default(), &delivery, &mut output);
            let again = request(&output);
            assert_eq!(again.compressor(), Some(compressor));
            assert_eq!(again.body(), &*document, "{compressor:?}");
        }
    }
}

#[test]
fn names_are_those_of_the_handshake() {
    for name in ["snappy", "zlib", "zstd"] {
        assert_eq!(Compressor::named(name).unwrap().name(), name);
    }
    for name in ["noop", "Zlib", "", "lz4"] {
        assert_eq!(Compressor::named(name), None);
    }
}
