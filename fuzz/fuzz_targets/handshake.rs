//! A whole handshake with a server that sends anything, and what follows on an open connection: no
//! panic, no endless loop, memory that grows with what arrived.
#![no_main]

use kecoa_proto::{
    Connection, Handshake, Limits, Progress, ProtocolVersion, Request, StartupConfig,
};
use libfuzzer_sys::fuzz_target;

fn open(choice: u8) -> Handshake {
    let mut limits = Limits::default();
    // Time is the network's to waste, not the fuzzer's.
    limits.scram_iterations = 64;
    let mut config = StartupConfig::new("user")
        .parameter("database", "bank")
        .tls(choice & 2 != 0)
        .limits(limits);
    if choice & 1 != 0 {
        config = config.password("hunter2-zq");
    }
    if choice & 4 != 0 {
        config = config.version(ProtocolVersion::V3_2);
    }
    let mut handshake = Handshake::new(config).unwrap();
    if choice & 8 != 0 {
        handshake.set_tls_server_end_point(vec![7; 32]);
    }
    handshake
}

fn talk(mut connection: Connection, rest: &[u8], piece: usize) {
    connection.submit(&Request::Query(b"SELECT 1")).unwrap();
    for piece in rest.chunks(piece) {
        connection.read_buffer().extend_from_slice(piece);
        loop {
            match connection.poll_event() {
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(_) => return,
            }
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((&[choice, piece], bytes)) = data.split_first_chunk() else { return };
    let piece = usize::from(piece).max(1);
    let mut handshake = open(choice);
    let mut at = 0;
    while at < bytes.len() {
        let sent = handshake.poll_transmit().map_or(0, <[u8]>::len);
        handshake.transmitted(sent);
        let taken = handshake.read_hint().clamp(1, piece);
        let end = bytes.len().min(at + taken);
        handshake.read_buffer().extend_from_slice(&bytes[at..end]);
        at = end;
        loop {
            match handshake.advance() {
                Err(error) => {
                    // Unless the server itself says it.
                    let known = String::from_utf8_lossy(bytes).contains("hunter2-zq");
                    assert!(known || !error.to_string().contains("hunter2-zq"));
                    return;
                }
                Ok(Progress::NeedInput(more)) => {
                    handshake = more;
                    break;
                }
                Ok(Progress::TlsAccepted(more) | Progress::TlsRefused(more)) => handshake = more,
                Ok(Progress::Notice(_, more)) => handshake = more,
                Ok(Progress::Ready(connection)) => {
                    return talk(connection, &bytes[at..], piece);
                }
            }
        }
    }
});
