//! What is wrong before a session begins: another protocol, silence, an authentication that is none.

use super::*;

fn says(bytes: &[u8]) -> Script {
    Script::new().may_leave().send(bytes).stall()
}

#[test]
fn another_protocol_on_the_port_is_named() {
    let wanted = ErrorKind::Connect;
    let mut cases = Vec::new();
    for (options, packet) in [("", true), ("sslmode=prefer", false)] {
        let start = |bytes: &[u8]| {
            // An SSLRequest is no startup message: what comes instead of an answer comes at once.
            if packet {
                Script::new().expect_startup().may_leave().send(bytes).stall()
            } else {
                says(bytes)
            }
        };
        let first_bytes: [(&str, &[u8], &[&str]); 10] = [
            ("HTTP", b"HTTP/1.1 400 Bad Request\r\n\r\n", &["HTTP/1.1 400", "an HTTP server"]),
            ("SSH", b"SSH-2.0-OpenSSH_9.9\r\n", &["\"SSH-2.0-OpenSSH_9.9\"", "an SSH server"]),
            ("SMTP", b"220 mail ESMTP\r\n", &["\"220 mail ESMTP\"", "an SMTP or FTP server"]),
            ("POP3", b"+OK ready\r\n", &["a POP3 server"]),
            ("IMAP", b"* OK IMAP4rev1\r\n", &["an IMAP server"]),
            ("Redis", b"-ERR unknown command\r\n", &["-ERR unknown command", "a Redis"]),
            ("memcached", b"ERROR\r\n", &["a memcached server"]),
            ("MySQL", b"\x4a\0\0\0\x0a9.1.0\0\x08\0\0\0", &["the greeting of a MySQL server"]),
            ("TLS alert", b"\x15\x03\x03\0\x02\x02\x50", &["a TLS alert"]),
            ("TLS hello", b"\x16\x03\x03\0\x50\x02\0\0\x4c\x03\x03", &["a TLS handshake"]),
        ];
        for (name, bytes, says) in first_bytes {
            let says: &'static [&'static str] = Box::leak(says.to_vec().into());
            let name: &'static str = Box::leak(format!("{name} {options}").into());
            cases.push(case(name, start(bytes), wanted, says).with(options));
        }
    }
    check(cases, true);
}

#[test]
fn silence_ends_at_the_time_limit() {
    let limit = "connect_timeout=1";
    let kind = ErrorKind::Timeout;
    let notice = [&message(b'N', b"SNOTICE\0C00000\0Mon and on\0\0")[..]; 100].concat();
    let sasl = message(b'R', b"\0\0\0\x0aSCRAM-SHA-256\0\0");
    let slow = [message(b'R', &[0; 4]), notice.clone()].concat();
    check(
        vec![
            case("says nothing", Script::new().may_leave().stall(), kind, &["timeout expired"])
                .with(limit),
            case("says yes to TLS and no more", says(b"S"), kind, &["timeout expired"])
                .with("sslmode=require connect_timeout=1"),
            case(
                "asks for a password and no more",
                Script::new().expect_startup().send(&sasl).expect('p').may_leave().stall(),
                kind,
                &["timeout expired"],
            )
            .with("password=x connect_timeout=1"),
            case("never gets ready", authenticated().may_leave().stall(), kind, &["timeout"])
                .with(limit),
            case(
                "a byte every now and then",
                Script::new().expect_startup().drip(&slow, Duration::from_millis(20)),
                kind,
                &["timeout expired"],
            )
            .with(limit),
            case(
                "notices without end",
                Script::new().expect_startup().endless(&notice, "never"),
                kind,
                &["timeout expired"],
            )
            .with(limit),
        ],
        true,
    );
}

#[test]
fn what_comes_before_the_session_is_checked() {
    use ErrorKind::{Authentication, Connect};
    let first = |bytes: &[u8]| Script::new().expect_startup().may_leave().send(bytes).stall();
    let then = |bytes: &[u8]| authenticated().may_leave().send(bytes).stall();
    let text = |name: &str, value: &str| message(b'S', format!("{name}\0{value}\0").as_bytes());
    let many: Vec<u8> = (0..1_200).flat_map(|n| text(&format!("name_{n}"), "x")).collect();
    let large: Vec<u8> = (0..60_u32)
        .flat_map(|n| text(&"n".repeat(1 + n as usize * 500), &"v".repeat(9_000)))
        .collect();
    let challenge = |iterations: &str| {
        let body = format!("\0\0\0\x0br=0123456789,s=QUJDRA==,i={iterations}");
        Script::new()
            .expect_startup()
            .send(&message(b'R', b"\0\0\0\x0aSCRAM-SHA-256\0\0"))
            .expect('p')
            .may_leave()
            .send(&message(b'R', body.as_bytes()))
            .stall()
    };
    let password = "password=x";
    check(
        vec![
            case(
                "an error before anything else",
                Script::new()
                    .may_leave()
                    .expect_startup()
                    .fatal("53300", "too many clients")
                    .close(),
                Connect,
                &["FATAL", "too many clients"],
            ),
            case("an error without fields", first(&message(b'E', b"\0")), Connect, &["failed"]),
            case(
                "an error without an end",
                first(&message(b'E', b"SFATAL")),
                Connect,
                &["malformed"],
            ),
            case("negative length", first(&frame(b'R', u32::MAX, b"")), Connect, &["too long"]),
            case("2 GB length", first(&frame(b'R', 0x7fff_ffff, b"")), Connect, &["too long"]),
            case("length 3", first(&frame(b'R', 3, b"")), Connect, &["at least 4", "found 3"]),
            case("a row", first(&message(b'D', &[0, 0])), Connect, &["expected", "0x44"]),
            case("ready at once", first(&message(b'Z', b"I")), Connect, &["ReadyForQuery"]),
            case("a parameter at once", first(&text("a", "b")), Connect, &["ParameterStatus"]),
            case(
                "an unknown way to authenticate",
                first(&message(b'R', &99_u32.to_be_bytes())),
                Authentication,
                &["code 99"],
            ),
            case(
                "a salt of 2 bytes",
                first(&message(b'R', &[0, 0, 0, 5, 1, 2])),
                Connect,
                &["malformed"],
            )
            .with(password),
            case(
                "no SASL mechanism",
                first(&message(b'R', &[0, 0, 0, 10, 0])),
                Authentication,
                &["SASL"],
            )
            .with(password),
            case(
                "an unknown SASL mechanism",
                first(&message(b'R', b"\0\0\0\x0aHOCUS-POCUS\0\0")),
                Authentication,
                &["HOCUS-POCUS", "SCRAM-SHA-256"],
            )
            .with(password),
            case("2^31 iterations", challenge("2147483648"), Authentication, &["2147483648"])
                .with(password),
            case(
                "more iterations than a number can say",
                challenge("99999999999999999999999999"),
                Authentication,
                &["iterations"],
            )
            .with(password),
            case("0 iterations", challenge("0"), Authentication, &["iterations"]).with(password),
            case("iterations in words", challenge("many"), Connect, &["malformed"]).with(password),
            case("a challenge to another nonce", challenge("4096"), Authentication, &["nonce"])
                .with(password),
            case(
                "a version that was not asked for",
                first(&message(b'v', &[0, 4, 0, 0, 0, 0, 0, 0])),
                Connect,
                &["protocol"],
            ),
            case(
                "more unknown options than there is room for",
                first(&message(b'v', &[0, 3, 0, 0, 0x7f, 0xff, 0xff, 0xff])),
                Connect,
                &["NegotiateProtocolVersion"],
            ),
            case(
                "two negotiations",
                first(&message(b'v', &[0, 3, 0, 0, 0, 0, 0, 0]).repeat(2)),
                Connect,
                &["second NegotiateProtocolVersion"],
            ),
            case(
                "a cancel key of 2 bytes",
                then(&message(b'K', &[0; 6])),
                Connect,
                &["BackendKeyData"],
            ),
            case(
                "a cancel key of 300 bytes",
                then(&message(b'K', &[1; 304])),
                Connect,
                &["BackendKeyData"],
            ),
            case(
                "authenticated twice",
                then(&message(b'R', &[0; 4])),
                Connect,
                &["AuthenticationOk"],
            ),
            case("ready for what", then(&message(b'Z', b"?")), Connect, &["malformed"]),
            case("parameters without number", then(&many), Connect, &["at most 1000"]),
            case("parameters that grow", then(&large), Connect, &["1048576 bytes of parameters"]),
            case("half a parameter", then(&message(b'S', b"name\0value")), Connect, &["malformed"]),
            case("three halves", then(&message(b'S', b"a\0b\0c\0")), Connect, &["malformed"]),
        ],
        true,
    );
}
