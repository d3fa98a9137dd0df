//! What is to go wrong: the faults of a plan, and how they are written.

use std::fmt;
use std::time::Duration;

use kecoa_proto::SqlState;

/// The faults of one proxy, in the order they are tried. Parsed with [`str::parse`], printed in
/// a form that parses back to the same plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    pub(super) faults: Vec<Fault>,
}

impl Plan {
    /// The faults, in the order they are tried.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// Whether nothing ever goes wrong.
    pub fn is_empty(&self) -> bool {
        self.faults.is_empty()
    }
}

/// One fault: what happens, where, and how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What happens.
    pub kind: Kind,
    /// Where; everywhere when nothing is said.
    pub location: Location,
    /// How likely it is at each message where it can happen.
    pub probability: Probability,
    /// At most so often on one connection.
    pub times: Option<u32>,
    /// On this connection only, counted from 1 among those of the same seed.
    pub connection: Option<u64>,
}

/// What happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// The connection is closed in front of a message, without an error.
    Drop,
    /// The client's connection is reset (RST) at any byte of a message.
    Reset,
    /// The connection is closed inside a message.
    Truncate,
    /// A message arrives byte by byte.
    Split,
    /// A message is held back for so long.
    Delay(Duration),
    /// At any byte of a message nothing moves any more in that direction: for so long, or for ever.
    Stall(Option<Duration>),
    /// The server reports an error.
    Error(SqlState),
}

/// Where a fault happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// At any message of either direction, or of this one.
    Messages(Option<Direction>),
    /// At the n-th message of a direction, counted from 1.
    Message(Direction, u64),
    /// In front of this byte of a direction, counted from 0.
    Byte(Direction, u64),
    /// At the message that opens the session.
    Startup,
    /// At a statement other than BEGIN, COMMIT, ROLLBACK, SAVEPOINT and RELEASE.
    Statement,
    /// At a statement with this text in it; letter case and the width of blanks do not matter.
    Text(String),
    /// At a COMMIT, before it reaches the server: nothing is committed.
    Commit,
    /// At the server's answer to a COMMIT: it is committed, and the client cannot know.
    AfterCommit,
}

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the client to the server.
    Client,
    /// From the server to the client.
    Server,
}

/// A probability in millionths: exact, so that what is printed is what is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probability(pub(super) u32);

impl Probability {
    /// One million millionths.
    pub(super) const WHOLE: u32 = 1_000_000;
    /// It happens.
    pub const ALWAYS: Probability = Probability(Self::WHOLE);

    /// From millionths, 1,000,000 at most.
    pub fn from_millionths(millionths: u32) -> Option<Probability> {
        (millionths <= Self::WHOLE).then_some(Probability(millionths))
    }

    /// In millionths.
    pub fn millionths(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, fault) in self.faults.iter().enumerate() {
            if at > 0 {
                f.write_str(", ")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Drop => f.write_str("drop"),
            Kind::Reset => f.write_str("reset"),
            Kind::Truncate => f.write_str("truncate"),
            Kind::Split => f.write_str("split"),
            Kind::Delay(time) => write!(f, "delay:{}", Time(*time)),
            Kind::Stall(None) => f.write_str("stall"),
            Kind::Stall(Some(time)) => write!(f, "stall:{}", Time(*time)),
            Kind::Error(code) => write!(f, "error:{code}"),
        }?;
        self.location.fmt(f)?;
        if self.probability != Probability::ALWAYS {
            write!(f, ":{}", self.probability)?;
        }
        if let Some(times) = self.times {
            write!(f, ":times={times}")?;
        }
        if let Some(connection) = self.connection {
            write!(f, ":connection={connection}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Location::Messages(None) => Ok(()),
            Location::Messages(Some(direction)) => write!(f, "@{direction}"),
            Location::Message(direction, number) => write!(f, "@{direction}@#{number}"),
            Location::Byte(direction, byte) => write!(f, "@{direction}@{byte}"),
            Location::Startup => f.write_str("@startup"),
            Location::Statement => f.write_str("@statement"),
            Location::Text(text) => write!(f, "@\"{}\"", text.replace('"', "\"\"")),
            Location::Commit => f.write_str("@commit"),
            Location::AfterCommit => f.write_str("@after-commit"),
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Direction::Client => "client",
            Direction::Server => "server",
        })
    }
}

impl fmt::Display for Probability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / Self::WHOLE, self.0 % Self::WHOLE);
        let digits = format!("{rest:06}");
        match digits.trim_end_matches('0') {
            "" => write!(f, "{whole}"),
            digits => write!(f, "{whole}.{digits}"),
        }
    }
}

/// A duration in the largest unit that leaves no rest.
struct Time(Duration);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_micros() {
            us if us % 1_000_000 == 0 => write!(f, "{}s", us / 1_000_000),
            us if us % 1_000 == 0 => write!(f, "{}ms", us / 1_000),
            us => write!(f, "{us}us"),
        }
    }
}
