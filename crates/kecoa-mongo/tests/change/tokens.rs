//! Tokens: their text is in the order of the events, and comes back as it went.

use bson::{Timestamp, rawdoc};
use kecoa_mongo::change::{Position, ResumeToken, TokenKind, from_timestamp, to_timestamp};

fn at(time: u32, increment: u32) -> i64 {
    from_timestamp(Timestamp { time, increment })
}

fn text(token: &ResumeToken) -> String {
    token.to_document().get_str("_data").unwrap().to_owned()
}

/// Tokens in order.
fn in_order() -> Vec<ResumeToken> {
    let mut tokens = Vec::new();
    let last = (1 << 31) - 1;
    for time in [at(0, 1), at(1, 0), at(1, last), at(1_800_000_000, 7), at(u32::MAX, last)] {
        for event in [0, 1, 255, 256, 1_000_000] {
            let position = Position { time, event };
            tokens.push(ResumeToken { position, kind: TokenKind::Event, fragment: 0 });
            tokens.push(ResumeToken { position, kind: TokenKind::Event, fragment: 1 });
            tokens.push(ResumeToken { position, kind: TokenKind::Event, fragment: 2 });
            tokens.push(ResumeToken { position, kind: TokenKind::Invalidate, fragment: 0 });
        }
        tokens.push(ResumeToken::between(Position::behind(time)));
    }
    tokens
}

#[test]
fn tokens_are_in_the_order_of_events() {
    let tokens = in_order();
    for pair in tokens.windows(2) {
        assert!(pair[0] < pair[1], "{pair:?}");
        assert!(text(&pair[0]) < text(&pair[1]), "{pair:?}");
    }
}

#[test]
fn tokens_come_back_as_they_went() {
    for token in in_order() {
        assert_eq!(ResumeToken::parse(&token.to_document()).unwrap(), token);
    }
}

#[test]
fn the_text_of_a_token_is_fixed() {
    let position = Position { time: at(0x6A00_0001, 5), event: 2 };
    let token = ResumeToken::event(position);
    assert_eq!(text(&token), "826A000001000000054B00000002010000");
}

#[test]
fn times_come_back_as_they_went() {
    for (time, increment) in [(0, 1), (1, 0), (1_800_000_000, 42), (u32::MAX, (1 << 31) - 1)] {
        let timestamp = Timestamp { time, increment };
        assert_eq!(to_timestamp(from_timestamp(timestamp)), timestamp);
    }
}

#[test]
fn other_texts_are_refused() {
    for (data, code) in [
        ("", 40649),
        ("8", 9),
        ("zz", 9),
        ("8é", 9),
        ("00", 50811),
        // One of MongoDB's.
        ("8263E2B2A1000000012B0429296E1404", 260),
        ("826A000001000000054B0000000201000", 9),
        ("826A000001000000054B000000020100", 260),
        ("826A000001000000054B00000002FF0000", 260),
        ("826A000001FFFFFFFF4B00000002010000", 260),
        ("826A000001000000054BFFFFFFFF010000", 260),
    ] {
        let error = ResumeToken::parse(&rawdoc! {"_data": data}).unwrap_err();
        assert_eq!(error.code().number(), code, "{data}");
    }
    for document in [rawdoc! {}, rawdoc! {"_data": 1}, rawdoc! {"data": "82"}] {
        assert_eq!(ResumeToken::parse(&document).unwrap_err().code().number(), 40647);
    }
}
