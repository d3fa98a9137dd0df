//! Read and write concerns: what a client asks of reads and writes.

use ::bson::{RawBsonRef, RawDocument, Timestamp};

use crate::bson::number::Number;
use crate::error::{Code, Error};

/// How recent and durable the data must be that a command reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadLevel {
    /// What is there.
    Local,
    /// What is there, without looking at shards.
    Available,
    /// What a majority has.
    Majority,
    /// The latest that a majority has.
    Linearizable,
    /// All as of one time.
    Snapshot,
}

/// `readConcern` of a command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadConcern {
    /// `None` when the client says none.
    pub level: Option<ReadLevel>,
    /// What must be seen at least.
    pub after: Option<Timestamp>,
    /// As of when a snapshot is read.
    pub at: Option<Timestamp>,
}

/// `writeConcern` of a command. Whatever it says, a write is durable before its reply.
#[derive(Clone, Debug, PartialEq)]
pub struct WriteConcern {
    /// Who has to have it.
    pub w: Acknowledgement,
    /// `j`; accepted, and always true.
    pub journal: bool,
    /// In milliseconds; accepted, and never reached.
    pub timeout: i64,
}

/// `w` of a write concern.
#[derive(Clone, Debug, PartialEq)]
pub enum Acknowledgement {
    /// So many nodes.
    Nodes(i64),
    /// `"majority"`.
    Majority,
    /// The name of a mode.
    Mode(String),
    /// Tags, each with a number.
    Tags,
}

impl ReadLevel {
    /// The name in commands.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Available => "available",
            Self::Majority => "majority",
            Self::Linearizable => "linearizable",
            Self::Snapshot => "snapshot",
        }
    }

    fn named(name: &str) -> Option<Self> {
        [Self::Local, Self::Available, Self::Majority, Self::Linearizable, Self::Snapshot]
            .into_iter()
            .find(|level| level.as_str() == name)
    }
}

impl ReadConcern {
    /// Reads `readConcern`.
    ///
    /// # Errors
    /// 40415 for an unknown field, 14 for a wrong type, 2 for an unknown level, 72 for parts that exclude each
    /// other.
    pub fn parse(document: &RawDocument) -> Result<Self, Error> {
        let mut concern = Self::default();
        for field in document {
            let (name, value) =
                field.map_err(|error| Error::new(Code::INVALID_BSON, error.to_string()))?;
            match (name.as_str(), value) {
                (
                    "level" | "afterClusterTime" | "atClusterTime" | "provenance",
                    RawBsonRef::Null,
                ) => {}
                ("level", RawBsonRef::String(level)) => {
                    concern.level = Some(ReadLevel::named(level).ok_or_else(|| {
                        let message =
                            format!("Enumeration value '{level}' for field 'readConcern.level' is not a valid value.");
                        Error::new(Code::BAD_VALUE, message)
                    })?);
                }
                ("afterClusterTime", RawBsonRef::Timestamp(time)) => concern.after = Some(time),
                ("atClusterTime", RawBsonRef::Timestamp(time)) => concern.at = Some(time),
                ("provenance", RawBsonRef::String(_)) => {}
                (name @ ("level" | "provenance"), _) => {
                    return Err(wrong("readConcern", name, "string"));
                }
                (name @ ("afterClusterTime" | "atClusterTime"), _) => {
                    return Err(wrong("readConcern", name, "timestamp"));
                }
                (name, _) => return Err(unknown("readConcern", name)),
            }
        }
        concern.check()?;
        Ok(concern)
    }

    fn check(&self) -> Result<(), Error> {
        let refuse = |message: &str| Err(Error::new(Code::INVALID_OPTIONS, message));
        if self.after.is_some() && self.at.is_some() {
            return refuse("Can not specify both afterClusterTime and atClusterTime");
        }
        if self.at.is_some() && self.level != Some(ReadLevel::Snapshot) {
            return refuse("atClusterTime is only used for level \"snapshot\"");
        }
        if self.after.is_some()
            && matches!(self.level, Some(ReadLevel::Linearizable | ReadLevel::Available))
        {
            return refuse(
                "afterClusterTime field can be set only if level is equal to majority, local, or snapshot",
            );
        }
        let is_null = |time: Option<Timestamp>| time == Some(Timestamp { time: 0, increment: 0 });
        if is_null(self.after) {
            return refuse("afterClusterTime cannot be a null timestamp");
        }
        if is_null(self.at) {
            return refuse("atClusterTime cannot be a null timestamp");
        }
        Ok(())
    }

    /// Whether the client asks for nothing.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for WriteConcern {
    fn default() -> Self {
        Self { w: Acknowledgement::Majority, journal: false, timeout: 0 }
    }
}

impl WriteConcern {
    /// Reads `writeConcern`.
    ///
    /// # Errors
    /// 40415 for an unknown field, 9 for a value that is none, 14 for a wrong type.
    pub fn parse(document: &RawDocument) -> Result<Self, Error> {
        let mut concern = Self::default();
        let mut sync = false;
        for field in document {
            let (name, value) =
                field.map_err(|error| Error::new(Code::INVALID_BSON, error.to_string()))?;
            match name.as_str() {
                "w" => concern.w = acknowledgement(value)?,
                "j" => concern.journal = flag("j", value)?,
                "fsync" => sync = flag("fsync", value)?,
                "wtimeout" => {
                    // What is no number counts as no limit.
                    concern.timeout = integer(value).unwrap_or(0);
                    if concern.timeout > i64::from(i32::MAX) {
                        return Err(Error::new(
                            Code::FAILED_TO_PARSE,
                            format!(
                                "wtimeout must be at most {}, found {}",
                                i32::MAX,
                                concern.timeout
                            ),
                        ));
                    }
                }
                "provenance" | "getLastError" | "wElectionId" | "wOpTime" => {}
                name => return Err(unknown("writeConcern", name)),
            }
        }
        if sync && concern.journal {
            return Err(Error::new(
                Code::FAILED_TO_PARSE,
                "fsync and j options cannot be used together",
            ));
        }
        Ok(concern)
    }

    /// Whether the client does not wait for the write.
    #[must_use]
    pub fn is_unacknowledged(&self) -> bool {
        self.w == Acknowledgement::Nodes(0)
    }

    /// Why the concern cannot be met by a set of one: the `writeConcernError` of a reply.
    #[must_use]
    pub fn failure(&self) -> Option<Error> {
        match &self.w {
            Acknowledgement::Nodes(nodes) if *nodes > 1 => {
                Some(Error::new(Code::UNSATISFIABLE_WRITE_CONCERN, "Not enough data-bearing nodes"))
            }
            Acknowledgement::Mode(mode) => Some(Error::new(
                Code::UNKNOWN_REPL_WRITE_CONCERN,
                format!("No write concern mode named '{mode}' found in replica set configuration"),
            )),
            Acknowledgement::Tags => {
                Some(Error::new(Code::UNSATISFIABLE_WRITE_CONCERN, "Not enough data-bearing nodes"))
            }
            Acknowledgement::Nodes(_) | Acknowledgement::Majority => None,
        }
    }
}

fn acknowledgement(value: RawBsonRef<'_>) -> Result<Acknowledgement, Error> {
    let refuse = |message: String| Err(Error::new(Code::FAILED_TO_PARSE, message));
    match value {
        RawBsonRef::String("majority") => Ok(Acknowledgement::Majority),
        RawBsonRef::String(mode) => Ok(Acknowledgement::Mode(mode.to_owned())),
        RawBsonRef::Document(tags) if tags.is_empty() => {
            refuse("tagged write concern requires tags".to_owned())
        }
        RawBsonRef::Document(tags) => {
            for tag in tags {
                let (name, value) =
                    tag.map_err(|error| Error::new(Code::INVALID_BSON, error.to_string()))?;
                if integer(value).is_none() {
                    return refuse(format!(
                        "tags must be numbers, found another type for {}",
                        name.as_str()
                    ));
                }
            }
            Ok(Acknowledgement::Tags)
        }
        value => match integer(value) {
            Some(nodes @ 0..=50) => Ok(Acknowledgement::Nodes(nodes)),
            Some(nodes) => refuse(format!(
                "w has to be a non-negative number and not greater than 50; found: {nodes}"
            )),
            None if matches!(value, RawBsonRef::Null | RawBsonRef::Undefined) => {
                Ok(Acknowledgement::Majority)
            }
            None => refuse("w has to be a number, string, or object".to_owned()),
        },
    }
}

fn flag(name: &str, value: RawBsonRef<'_>) -> Result<bool, Error> {
    match value {
        RawBsonRef::Boolean(value) => Ok(value),
        RawBsonRef::Null | RawBsonRef::Undefined => Ok(false),
        value => match integer(value) {
            Some(value) => Ok(value != 0),
            None => Err(Error::new(
                Code::TYPE_MISMATCH,
                format!("{name} must be numeric or a boolean value"),
            )),
        },
    }
}

fn integer(value: RawBsonRef<'_>) -> Option<i64> {
    match Number::from_bson(value)? {
        Number::Int32(value) => Some(i64::from(value)),
        Number::Int64(value) => Some(value),
        #[expect(
            clippy::cast_possible_truncation,
            reason = "as saturates, and NaN is 0: that is what is asked"
        )]
        Number::Double(value) => Some(value as i64),
        // Nobody sends one; text is the plain way from 34 digits to 64 bits.
        Number::Decimal(value) => {
            let text = value.to_bson().to_string();
            #[expect(clippy::cast_possible_truncation, reason = "as above")]
            text.parse::<f64>().ok().map(|value| value as i64)
        }
    }
}

fn unknown(place: &str, name: &str) -> Error {
    Error::location(40415, format!("BSON field '{place}.{name}' is an unknown field."))
}

fn wrong(place: &str, name: &str, expected: &str) -> Error {
    Error::new(
        Code::TYPE_MISMATCH,
        format!("BSON field '{place}.{name}' is the wrong type, expected type '{expected}'"),
    )
}
