//! Framing: whatever arrives, however it is cut, is taken in whole frames or refused.
#![no_main]

use bytes::BytesMut;
use kecoa_proto::Limits;
use kecoa_proto::frame::{Frame, FrameDecoder};
use kecoa_proto::message::startup::Startup;
use libfuzzer_sys::fuzz_target;

fn frames(bytes: &[u8], piece: usize) -> (Vec<Frame>, Option<String>) {
    let mut decoder = FrameDecoder::new(Limits::default());
    let mut buffer = BytesMut::new();
    let mut frames = Vec::new();
    for piece in bytes.chunks(piece.max(1)) {
        buffer.extend_from_slice(piece);
        loop {
            match decoder.decode(&mut buffer) {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(error) => return (frames, Some(error.to_string())),
            }
        }
        assert!(decoder.read_hint(&buffer) > 0);
        assert!(decoder.read_hint(&buffer) <= buffer.len().max(64 * 1024));
    }
    (frames, None)
}

fuzz_target!(|data: &[u8]| {
    let Some((piece, bytes)) = data.split_first() else { return };
    assert_eq!(frames(bytes, usize::from(*piece)), frames(bytes, bytes.len()));
    let mut buffer = BytesMut::from(bytes);
    if let Ok(Some(message)) = Startup::decode(&mut buffer, &Limits::default()) {
        let mut out = BytesMut::new();
        message.encode(&mut out).unwrap();
        assert_eq!(&out[..], &bytes[..bytes.len() - buffer.len()]);
    }
});
