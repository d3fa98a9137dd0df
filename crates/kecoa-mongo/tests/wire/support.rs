//! Messages put together by hand, so that no fault hides in a shared encoder.

use bson::RawDocumentBuf;
use bytes::BytesMut;
use kecoa_mongo::wire::{Frames, FramingError, Incoming, Request};
use kecoa_server::buffered::Decoder as _;

/// A message with this kind and content; its number is 7.
pub(crate) fn message(opcode: i32, content: &[u8]) -> Vec<u8> {
    let mut bytes = (i32::try_from(content.len()).unwrap() + 16).to_le_bytes().to_vec();
    bytes.extend(7_i32.to_le_bytes());
    bytes.extend(0_i32.to_le_bytes());
    bytes.extend(opcode.to_le_bytes());
    bytes.extend(content);
    bytes
}

/// OP_MSG with these flags and sections.
pub(crate) fn msg(flags: u32, sections: &[Vec<u8>]) -> Vec<u8> {
    message(2013, &content(flags, sections))
}

pub(crate) fn content(flags: u32, sections: &[Vec<u8>]) -> Vec<u8> {
    [flags.to_le_bytes().to_vec(), sections.concat()].concat()
}

/// The same with a checksum.
pub(crate) fn summed(flags: u32, sections: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = msg(flags | 1, sections);
    let length = i32::try_from(bytes.len()).unwrap() + 4;
    bytes[..4].copy_from_slice(&length.to_le_bytes());
    let sum = slow_crc32c(&bytes);
    bytes.extend(sum.to_le_bytes());
    bytes
}

/// CRC-32C bit by bit.
fn slow_crc32c(bytes: &[u8]) -> u32 {
    let mut sum = u32::MAX;
    for byte in bytes {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = (sum >> 1) ^ if sum & 1 == 1 { 0x82f6_3b78 } else { 0 };
        }
    }
    !sum
}

/// A section of kind 0.
pub(crate) fn body(document: &RawDocumentBuf) -> Vec<u8> {
    [&[0], document.as_bytes()].concat()
}

/// A section of kind 1.
pub(crate) fn sequence(name: &str, documents: &[RawDocumentBuf]) -> Vec<u8> {
    let content: Vec<u8> = documents.iter().flat_map(|one| one.as_bytes().to_vec()).collect();
    let length = i32::try_from(4 + name.len() + 1 + content.len()).unwrap();
    [&[1], length.to_le_bytes().as_slice(), name.as_bytes(), &[0], &content].concat()
}

/// OP_QUERY.
pub(crate) fn query(namespace: &str, document: &[u8]) -> Vec<u8> {
    let mut content = 0_i32.to_le_bytes().to_vec();
    content.extend(namespace.as_bytes());
    content.push(0);
    content.extend(0_i32.to_le_bytes());
    content.extend((-1_i32).to_le_bytes());
    content.extend(document);
    message(2004, &content)
}

/// OP_COMPRESSED, of a message of this kind and length.
pub(crate) fn compressed(opcode: i32, length: i32, compressor: u8, data: &[u8]) -> Vec<u8> {
    let mut content = opcode.to_le_bytes().to_vec();
    content.extend(length.to_le_bytes());
    content.push(compressor);
    content.extend(data);
    message(2012, &content)
}

/// What the first message is. There must be a whole one.
pub(crate) fn read(bytes: &[u8]) -> Result<Incoming, FramingError> {
    let mut input = BytesMut::from(bytes);
    let Some(incoming) = Frames.decode(&mut input)? else { panic!("no whole message") };
    assert!(input.is_empty(), "bytes are left");
    Ok(incoming)
}

pub(crate) fn request(bytes: &[u8]) -> Request {
    match read(bytes).unwrap() {
        Incoming::Request(request) => request,
        Incoming::Refused(refused) => panic!("{refused:?}"),
    }
}
