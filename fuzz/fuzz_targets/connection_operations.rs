//! A connection between a client that does anything and a server that sends anything: no panic, no
//! event after a protocol error, and the output keeps its framing.
#![no_main]

use bytes::BytesMut;
use kecoa_proto::frame::FrameDecoder;
use kecoa_proto::message::frontend;
use kecoa_proto::{Connection, Limits, Parameter, ProtocolError, Request, Step, Target};
use libfuzzer_sys::fuzz_target;

const STEPS: [Step<'static>; 7] = [
    Step::Parse { name: b"", sql: b"SELECT 1", types: &[23] },
    Step::Describe(Target::Statement(b"")),
    Step::Bind { portal: b"", statement: b"", parameters: &[], results: &[] },
    Step::Describe(Target::Portal(b"")),
    Step::Execute { portal: b"", max_rows: 1 },
    Step::Flush,
    Step::Close(Target::Portal(b"")),
];

fn take_output(connection: &mut Connection, amount: usize, output: &mut BytesMut) {
    let Some(bytes) = connection.poll_transmit() else { return };
    let amount = amount.min(bytes.len());
    output.extend_from_slice(&bytes[..amount]);
    connection.transmitted(amount);
}

fuzz_target!(|data: &[u8]| {
    let mut connection = Connection::new(Limits::default());
    let mut output = BytesMut::new();
    let mut poisoned = false;
    let mut rest = data;
    while let Some((operation, more)) = rest.split_first() {
        rest = more;
        match operation % 12 {
            0 => drop(connection.submit(&Request::Query(b"SELECT 1"))),
            1 => {
                let from = usize::from(operation / 12) % STEPS.len();
                drop(connection.submit(&Request::Extended(&STEPS[from..])));
            }
            2 => drop(connection.submit(&Request::Extended(&[]))),
            3 => {
                let args = [Parameter::default()];
                let result = kecoa_proto::Format::Binary;
                drop(connection.submit(&Request::FunctionCall { oid: 1, args: &args, result }));
            }
            4 => drop(connection.copy_data(b"1\n")),
            5 => drop(connection.copy_done()),
            6 => drop(connection.copy_fail(b"no")),
            7 if operation / 12 == 20 => connection.terminate(),
            7 => take_output(&mut connection, usize::from(operation / 12), &mut output),
            _ => {
                let length = usize::from(*operation).min(rest.len());
                let (bytes, more) = rest.split_at(length);
                rest = more;
                connection.read_buffer().extend_from_slice(bytes);
                loop {
                    match connection.poll_event() {
                        Ok(Some(_)) => assert!(!poisoned),
                        Ok(None) => {
                            assert!(connection.read_hint() > 0);
                            break;
                        }
                        Err(error) => {
                            assert!(!poisoned || error == ProtocolError::Poisoned);
                            poisoned = true;
                            break;
                        }
                    }
                }
            }
        }
    }
    let pending = connection.pending();
    assert_eq!(connection.handle_eof().pending, pending);
    take_output(&mut connection, usize::MAX, &mut output);
    let mut decoder = FrameDecoder::new(Limits::default());
    while let Some(frame) = decoder.decode(&mut output).unwrap() {
        frontend::Message::decode(frame.tag, frame.body).unwrap();
    }
    assert!(output.is_empty());
});
