//! Messages cut into pieces anywhere.

use bson::rawdoc;
use bytes::BytesMut;
use kecoa_mongo::wire::{Frames, Incoming, MAX_MESSAGE_LENGTH};
use kecoa_server::buffered::Decoder as _;

use crate::support::{body, compressed, content, msg, query, sequence, summed};

fn stream() -> Vec<Vec<u8>> {
    let command = rawdoc! { "insert": "c", "$db": "d" };
    let documents = [rawdoc! { "a": 1 }, rawdoc! { "b": "text" }];
    let sections = [body(&command), sequence("documents", &documents)];
    let plain = content(0, &sections);
    let length = i32::try_from(plain.len()).unwrap();
    vec![
        query("admin.$cmd", rawdoc! { "isMaster": 1 }.as_bytes()),
        msg(0, &sections),
        summed(2, &sections),
        compressed(2013, length, 0, &plain),
        msg(0, &[]),
        msg(0, &[body(&rawdoc! { "ping": 1 })]),
    ]
}

fn take_all(input: &mut BytesMut, found: &mut Vec<String>) {
    while let Some(incoming) = Frames.decode(input).unwrap() {
        found.push(match incoming {
            Incoming::Request(request) => {
                let documents = request.sequences().iter().flat_map(|one| one.iter());
                let documents: Vec<_> = documents.collect();
                format!("{:?} {:?} {documents:?}", request.envelope(), request.body())
            }
            Incoming::Refused(refused) => format!("{:?}", refused.reply),
        });
    }
}

#[test]
fn a_cut_at_any_byte_changes_nothing() {
    let messages = stream();
    let bytes = messages.concat();
    let mut whole = Vec::new();
    take_all(&mut BytesMut::from(&bytes[..]), &mut whole);
    assert_eq!(whole.len(), messages.len());
    for cut in 0..=bytes.len() {
        let (mut input, mut found) = (BytesMut::from(&bytes[..cut]), Vec::new());
        take_all(&mut input, &mut found);
        input.extend_from_slice(&bytes[cut..]);
        take_all(&mut input, &mut found);
        assert!(input.is_empty());
        assert_eq!(found, whole, "cut at {cut}");
    }
    let (mut input, mut found) = (BytesMut::new(), Vec::new());
    for byte in bytes {
        assert!(Frames.read_hint(&input) > 0);
        input.extend_from_slice(&[byte]);
        take_all(&mut input, &mut found);
    }
    assert_eq!(found, whole);
}

#[test]
fn a_length_alone_reserves_little() {
    let length = i32::try_from(MAX_MESSAGE_LENGTH).unwrap().to_le_bytes();
    let mut input = BytesMut::from(&length[..]);
    assert!(Frames.decode(&mut input).unwrap().is_none());
    assert_eq!(Frames.read_hint(&input), 64 * 1024);
    input.resize(1_000_000, 0);
    assert_eq!(Frames.read_hint(&input), 1_000_000);
    input.resize(MAX_MESSAGE_LENGTH - 3, 0);
    assert_eq!(Frames.read_hint(&input), 3);
    assert_eq!(Frames.read_hint(&BytesMut::from(&b"\xff\xff\xff\xff"[..])), 1);
    assert_eq!(Frames.read_hint(&BytesMut::new()), 16);
}
