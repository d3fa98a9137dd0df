//! What is wrong within a session: each breaks it, and says what was expected and found.

use super::*;

/// RowDescription of one int4 column.
fn described() -> Script {
    asked().row_description(&[("a", 23, 0)])
}

fn answers(bytes: &[u8]) -> Script {
    asked().may_leave().send(bytes).stall()
}

fn rows(bytes: &[u8]) -> Script {
    described().may_leave().send(bytes).stall()
}

#[test]
fn what_breaks_the_protocol_breaks_the_connection() {
    let kind = ErrorKind::Protocol;
    let field = b"a\0\0\0\0\0\0\0\0\0\0\x17\0\x04\xff\xff\xff\xff\0\0";
    let column = [&[0, 1][..], field].concat();
    let lying = |count: u16| message(b'T', &[&count.to_be_bytes()[..], field].concat());
    check(
        vec![
            case(
                "an unknown tag",
                answers(&message(b'!', b"")),
                kind,
                &["expected", "the unknown tag 0x21"],
            ),
            case("a tag of the client's", answers(&message(b'Q', b"x\0")), kind, &["expected"]),
            case("negative length", answers(&frame(b'C', u32::MAX, b"")), kind, &["too long"]),
            case(
                "2 GB length",
                rows(&frame(b'D', 0x7fff_ffff, b"")),
                kind,
                &["1073741823", "2147483647"],
            ),
            case("length 0", answers(&frame(b'C', 0, b"")), kind, &["at least 4", "found 0"]),
            case(
                "a row beyond the limit",
                rows(&frame(b'D', 70_000, b"")),
                kind,
                &["at most 65536 bytes", "found 70000"],
            )
            .with("max_message_size=64kB"),
            case(
                "a tag without an end",
                answers(&message(b'C', b"SELECT 1")),
                kind,
                &["malformed"],
            ),
            case("NUL in a tag", answers(&message(b'C', b"SEL\0ECT 1\0")), kind, &["malformed"]),
            case(
                "NUL in a column",
                answers(&message(b'T', &[b"\0\x01a\0b\0", &field[2..]].concat())),
                kind,
                &["malformed"],
            ),
            case("more columns than there are", answers(&lying(1000)), kind, &["RowDescription"]),
            case("fewer columns than there are", answers(&lying(0)), kind, &["RowDescription"]),
            case("65535 columns", answers(&lying(0xffff)), kind, &["RowDescription"]),
            case(
                "rows of other columns",
                rows(&message(b'D', &[0, 2, 0, 0, 0, 1, 49, 0, 0, 0, 1, 49])),
                kind,
                &["DataRow"],
            ),
            case(
                "a field beyond its row",
                rows(&message(b'D', &[0, 1, 0, 0, 0, 9, 49])),
                kind,
                &["DataRow"],
            ),
            case(
                "a field of length -2",
                rows(&message(b'D', &[0, 1, 0xff, 0xff, 0xff, 0xfe])),
                kind,
                &["DataRow"],
            ),
            case(
                "bytes behind a row",
                rows(&message(b'D', &[0, 1, 0, 0, 0, 1, 49, 7])),
                kind,
                &["DataRow"],
            ),
            case("a row of nothing", rows(&message(b'D', &[])), kind, &["DataRow"]),
            case(
                "rows without description",
                answers(&message(b'D', &[0, 0])),
                kind,
                &["DataRow", "expected"],
            ),
            case("two descriptions", rows(&message(b'T', &column)), kind, &["RowDescription"]),
            case("COPY data unasked", answers(&message(b'd', b"x")), kind, &["CopyData"]),
            case("COPY's end unasked", answers(&message(b'c', b"")), kind, &["CopyDone"]),
            case("COPY among rows", rows(&message(b'H', &[0, 0, 0])), kind, &["CopyOutResponse"]),
            case(
                "COPY with a nonsensical format",
                answers(&message(b'G', &[9, 0, 0])),
                kind,
                &["CopyInResponse"],
            ),
            case(
                "COPY of more columns than there are",
                answers(&message(b'H', &[0, 0, 9])),
                kind,
                &["CopyOutResponse"],
            ),
            case("ready at once", answers(&message(b'Z', b"I")), kind, &["ReadyForQuery"]),
            case("ready within rows", rows(&message(b'Z', b"I")), kind, &["ReadyForQuery"]),
            case(
                "ready for what",
                asked().complete("SELECT 1").may_leave().send(&message(b'Z', b"X")).stall(),
                kind,
                &["I, T or E", "X"],
            ),
            case(
                "ready twice",
                asked()
                    .complete("SELECT 1")
                    .ready('I')
                    .query("SELECT 1")
                    .ready('I')
                    .may_leave()
                    .ready('I')
                    .stall(),
                kind,
                &["ReadyForQuery"],
            ),
            case("a parsed statement", answers(&message(b'1', b"")), kind, &["ParseComplete"]),
            case("a bound portal", answers(&message(b'2', b"")), kind, &["BindComplete"]),
            case("a suspended portal", answers(&message(b's', b"")), kind, &["PortalSuspended"]),
            case(
                "a function's result",
                answers(&message(b'V', &[0xff; 4])),
                kind,
                &["FunctionCallResponse"],
            ),
            case(
                "authentication once more",
                answers(&message(b'R', &[0; 4])),
                kind,
                &["Authentication"],
            ),
            case("another cancel key", answers(&message(b'K', &[0; 8])), kind, &["BackendKeyData"]),
            case(
                "an error without an end",
                answers(&message(b'E', b"SERROR\0C42601")),
                kind,
                &["ErrorResponse"],
            ),
            case(
                "a notice without an end",
                answers(&message(b'N', b"S")),
                kind,
                &["NoticeResponse"],
            ),
            case(
                "a notification without payload",
                answers(&message(b'A', b"\0\0\0\x01c\0")),
                kind,
                &["NotificationResponse"],
            ),
            case(
                "a huge notification",
                answers(&frame(b'A', 2 << 20, b"\0\0\0\x01c\0")),
                kind,
                &["NotificationResponse", "1048576"],
            ),
            case(
                "a huge parameter",
                answers(&frame(b'S', 2 << 20, b"a\0")),
                kind,
                &["ParameterStatus", "1048576"],
            ),
            case("half a parameter", answers(&message(b'S', b"a\0b")), kind, &["ParameterStatus"]),
        ],
        true,
    );
}

#[test]
fn what_ends_the_session_says_why() {
    let lost = ErrorKind::ConnectionLost;
    check(
        vec![
            case("closed", asked().close(), lost, &["while a request was in flight"]),
            case(
                "closed within a message",
                described().send(b"D\0\0\0\x40half").close(),
                lost,
                &["9 bytes into a message"],
            ),
            case(
                "a last word",
                asked().fatal("57P01", "terminating connection").close(),
                ErrorKind::Server,
                &["terminating connection"],
            ),
            case(
                "replication unasked",
                answers(&message(b'W', &[0, 0, 0])),
                ErrorKind::Usage,
                &["replication"],
            ),
        ],
        true,
    );
}

#[test]
fn a_copy_that_nobody_asked_for_is_refused_and_the_connection_stays() {
    let usage = ErrorKind::Usage;
    check(
        vec![
            case(
                "data wanted",
                asked()
                    .send_message('G', &[0, 0, 0])
                    .expect('f')
                    .error("57014", "given up")
                    .ready('I')
                    .expect('X')
                    .close(),
                usage,
                &["copy_in"],
            ),
            case(
                "data sent",
                asked()
                    .send_message('H', &[0, 0, 0])
                    .send_message('d', b"1\n")
                    .send_message('c', b"")
                    .complete("COPY 1")
                    .ready('I')
                    .expect('X')
                    .close(),
                usage,
                &["copy_out"],
            ),
        ],
        false,
    );
}
