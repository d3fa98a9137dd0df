//! A server that does not know the password, and says it does.

use std::io::{Read, Write};
use std::net::TcpListener;

use super::*;

/// One message's body; the startup message has no tag.
fn read_message(stream: &mut impl Read, tagged: bool) -> Vec<u8> {
    let mut head = [0; 5];
    let head = &mut head[usize::from(!tagged)..];
    stream.read_exact(head).unwrap();
    let length = u32::from_be_bytes(head[head.len() - 4..].try_into().unwrap());
    let mut body = vec![0; usize::try_from(length).unwrap() - 4];
    stream.read_exact(&mut body).unwrap();
    body
}

fn refused(last: &'static str) -> Error {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        read_message(&mut stream, false);
        stream.write_all(&message(b'R', b"\0\0\0\x0aSCRAM-SHA-256\0\0")).unwrap();
        let first = String::from_utf8_lossy(&read_message(&mut stream, true)).into_owned();
        let nonce = first.split("r=").nth(1).unwrap();
        let challenge = format!("\0\0\0\x0br={nonce}more,s=QUJDRA==,i=4096");
        stream.write_all(&message(b'R', challenge.as_bytes())).unwrap();
        read_message(&mut stream, true);
        let last = format!("\0\0\0\x0c{last}");
        stream.write_all(&message(b'R', last.as_bytes())).unwrap();
        stream.write_all(&message(b'R', &[0; 4])).unwrap();
        // The client leaves without another word.
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        assert!(rest.is_empty(), "it went on with {rest:?}");
    });
    let error = Client::connect(&config(port, "password=hunter2-zq")).unwrap_err();
    server.join().unwrap();
    error
}

#[test]
fn a_server_that_cannot_prove_itself_is_not_talked_to() {
    for last in [
        "v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "v=",
        "v=AAAA",
        "e=other-error",
        "",
        "r=what",
    ] {
        let error = refused(last);
        assert_eq!(error.kind(), ErrorKind::Authentication, "{last}: {error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
