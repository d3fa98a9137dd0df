//! Places in the log of changes, and the tokens by which clients name them.

use std::fmt::Write as _;

use ::bson::raw::cstr;
use ::bson::{RawBsonRef, RawDocument, RawDocumentBuf, Timestamp};

use crate::error::{Code, Error};

/// How many bits of a place in the log are the counter of a cluster time; the seconds are above them.
const COUNTER_BITS: u32 = 31;
/// The first digits of each token, which are also MongoDB's own: what follows is a time.
const TIME_MARK: &str = "82";
/// What follows the time, in tokens of this server alone.
const OWN_MARK: &str = "4B";
/// The digits of a token.
const LENGTH: usize = 34;

/// A place in the log: behind an event of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The number that the transaction got when it was committed: its cluster time.
    pub time: i64,
    /// The event's number within the transaction.
    pub event: i32,
}

/// What a token stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TokenKind {
    /// A place between events: nothing is to be found there.
    Between,
    /// An event.
    Event,
    /// What ended a stream, after the event there.
    Invalidate,
}

/// A token: its text is in the order of the events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResumeToken {
    /// Where.
    pub position: Position,
    /// What is there.
    pub kind: TokenKind,
    /// Which part of an event that was split; 0 for a whole one.
    pub fragment: u16,
}

impl Position {
    /// Behind all events of a transaction, and before those of the next one.
    #[must_use]
    pub fn behind(time: i64) -> Self {
        Self { time, event: i32::MAX }
    }
}

/// The number in the log of a cluster time.
#[must_use]
pub fn from_timestamp(time: Timestamp) -> i64 {
    let counter = i64::from(time.increment).min((1 << COUNTER_BITS) - 1);
    i64::from(time.time) << COUNTER_BITS | counter
}

/// The cluster time of a number in the log.
#[must_use]
pub fn to_timestamp(time: i64) -> Timestamp {
    let counter = time & ((1 << COUNTER_BITS) - 1);
    Timestamp {
        time: u32::try_from(time >> COUNTER_BITS).unwrap_or(0),
        increment: u32::try_from(counter).unwrap_or(0),
    }
}

impl ResumeToken {
    /// The token of a place between events.
    #[must_use]
    pub fn between(position: Position) -> Self {
        Self { position, kind: TokenKind::Between, fragment: 0 }
    }

    /// The token of an event.
    #[must_use]
    pub fn event(position: Position) -> Self {
        Self { position, kind: TokenKind::Event, fragment: 0 }
    }

    /// As clients hold it.
    #[must_use]
    pub fn to_document(&self) -> RawDocumentBuf {
        let time = to_timestamp(self.position.time);
        let kind = match self.kind {
            TokenKind::Between => 0,
            TokenKind::Event => 1,
            TokenKind::Invalidate => 2,
        };
        let mut data = String::with_capacity(LENGTH);
        let _ = write!(
            data,
            "{TIME_MARK}{:08X}{:08X}{OWN_MARK}{:08X}{kind:02X}{:04X}",
            time.time, time.increment, self.position.event, self.fragment
        );
        let mut document = RawDocumentBuf::new();
        document.append(cstr!("_data"), data);
        document
    }

    /// Read a token that a client gives.
    ///
    /// # Errors
    ///
    /// 40647 without a text, 9 for one that is not hexadecimal, 40649 for an empty one, 260 for a token of another
    /// server, 50811 for what is no token.
    pub fn parse(document: &RawDocument) -> Result<Self, Error> {
        let Ok(Some(RawBsonRef::String(data))) = document.get("_data") else {
            return Err(Error::location(
                40647,
                "Bad resume token: _data is missing, or is no string",
            ));
        };
        if data.len() % 2 != 0 || !data.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(Error::new(
                Code::FAILED_TO_PARSE,
                "resume token string was not a valid hex string",
            ));
        }
        if data.is_empty() {
            return Err(Error::location(40649, "invalid empty resume token"));
        }
        Self::read(data).ok_or_else(|| match data.get(..2) == Some(TIME_MARK) {
            true => Error::new(
                Code::INVALID_RESUME_TOKEN,
                "the resume token is not of this server: begin a new change stream",
            ),
            false => Error::location(50811, "expected a resume token, found other digits"),
        })
    }

    fn read(data: &str) -> Option<Self> {
        let number = |from: usize, to: usize| u32::from_str_radix(data.get(from..to)?, 16).ok();
        if data.len() != LENGTH
            || data.get(..2)? != TIME_MARK
            || !data.get(18..20)?.eq_ignore_ascii_case(OWN_MARK)
        {
            return None;
        }
        let kind = match number(28, 30)? {
            0 => TokenKind::Between,
            1 => TokenKind::Event,
            2 => TokenKind::Invalidate,
            _ => return None,
        };
        let time = Timestamp { time: number(2, 10)?, increment: number(10, 18)? };
        if time.increment >> COUNTER_BITS != 0 {
            return None;
        }
        let event = i32::try_from(number(20, 28)?).ok()?;
        let fragment = u16::try_from(number(30, 34)?).ok()?;
        let position = Position { time: from_timestamp(time), event };
        Some(Self { position, kind, fragment })
    }
}
