//! Messages of a client of MongoDB: whatever arrives, however it is cut, is taken in whole messages or refused; what
//! was taken can be read to its last value; a reply in its form can be read again.
#![no_main]

use bson::RawDocument;
use bytes::BytesMut;
use kecoa_mongo::wire::{Delivery, Envelope, Frames, Incoming, Kind, Reply};
use kecoa_server::buffered::Decoder as _;
use libfuzzer_sys::fuzz_target;

fn messages(bytes: &[u8], piece: usize) -> (Vec<Incoming>, Option<String>) {
    let mut input = BytesMut::new();
    let mut messages = Vec::new();
    for piece in bytes.chunks(piece.max(1)) {
        input.extend_from_slice(piece);
        loop {
            match Frames.decode(&mut input) {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(error) => return (messages, Some(error.to_string())),
            }
        }
        assert!(Frames.read_hint(&input) > 0);
        assert!(Frames.read_hint(&input) <= input.len().max(64 * 1024));
    }
    (messages, None)
}

fn check(document: &RawDocument) {
    for element in document {
        element.unwrap();
    }
}

fn send(envelope: &Envelope, reply: &Reply) {
    let delivery =
        Delivery { id: 1, response_to: 2, more_to_come: false, compressor: envelope.compressor };
    let mut output = BytesMut::new();
    reply.encode(envelope, &delivery, &mut output);
    // A reply to OP_QUERY has a form that only servers send.
    if envelope.kind == Kind::Msg {
        match Frames.decode(&mut output) {
            Ok(Some(Incoming::Request(again))) => assert_eq!(again.body(), reply.document()),
            other => panic!("{other:?}"),
        }
        assert!(output.is_empty());
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((piece, bytes)) = data.split_first() else { return };
    let (whole, error) = messages(bytes, bytes.len());
    let (pieces, other) = messages(bytes, usize::from(*piece));
    assert_eq!(format!("{whole:?}"), format!("{pieces:?}"));
    assert_eq!(error, other);
    for message in whole {
        match message {
            Incoming::Request(request) => {
                check(request.body());
                request.sequences().iter().flat_map(|list| list.iter()).for_each(check);
                send(request.envelope(), &Reply::new(request.body().to_owned()));
            }
            Incoming::Refused(refused) => send(&refused.envelope, &refused.reply),
        }
    }
});
