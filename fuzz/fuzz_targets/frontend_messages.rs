//! A message of the client: refused, or the same again after encoding and decoding.
#![no_main]

use bytes::{Bytes, BytesMut};
use kecoa_proto::message::frontend::Message;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((tag, body)) = data.split_first() else { return };
    let Ok(message) = Message::decode(*tag, Bytes::copy_from_slice(body)) else { return };
    let mut out = BytesMut::new();
    message.encode(&mut out).unwrap();
    assert_eq!(out[0], *tag);
    let body = out.freeze().slice(5..);
    assert_eq!(Message::decode(*tag, body).unwrap(), message);
});
