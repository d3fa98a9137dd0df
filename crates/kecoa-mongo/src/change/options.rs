//! The options of `$changeStream`.

use std::collections::HashSet;

use ::bson::{RawBsonRef, RawDocument};

use super::token::{Position, ResumeToken, TokenKind, from_timestamp};
use crate::bson::type_class::type_name;
use crate::error::{Code, Error};

/// What is shown as `fullDocument` of an update.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AfterImage {
    /// Nothing.
    #[default]
    Default,
    /// The document as it is when the event is read.
    Lookup,
    /// The document as the update left it, where it was kept.
    WhenAvailable,
    /// The same; it is an error where it was not kept.
    Required,
}

/// What is shown as `fullDocumentBeforeChange`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BeforeImage {
    /// Nothing.
    #[default]
    Off,
    /// The document before the change, where it was kept.
    WhenAvailable,
    /// The same; it is an error where it was not kept.
    Required,
}

/// Where a stream begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// Now.
    #[default]
    Now,
    /// With the first event at this time or later.
    At(i64),
    /// Behind what a token stands for.
    Behind(ResumeToken),
}

/// The options of `$changeStream`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// What is shown of a document after an update.
    pub after: AfterImage,
    /// What is shown of a document before a change.
    pub before: BeforeImage,
    /// Where it begins.
    pub start: Start,
    /// Whether all databases are watched.
    pub whole_cluster: bool,
    /// Whether the events are shown that came with MongoDB 6.0, and their fields.
    pub expanded: bool,
}

impl Options {
    /// Read them.
    ///
    /// # Errors
    ///
    /// 40415 for an unknown one, 40413 for one that is there twice, 14 for one of a wrong type, 2 for an unknown value,
    /// 50865 and 40674 for two beginnings, 260 for `resumeAfter` where a stream has ended, those of tokens.
    pub fn parse(document: &RawDocument) -> Result<Self, Error> {
        let mut options = Self::default();
        let mut seen = HashSet::new();
        let (mut resume, mut start, mut time) = (None, None, None);
        for field in document {
            let (name, value) =
                field.map_err(|error| Error::new(Code::INVALID_BSON, error.to_string()))?;
            let name = name.as_str();
            if !seen.insert(name) {
                return Err(Error::location(
                    40413,
                    format!("BSON field '$changeStream.{name}' is a duplicate field"),
                ));
            }
            let is_null = matches!(value, RawBsonRef::Null | RawBsonRef::Undefined);
            match name {
                "resumeAfter" | "startAfter" | "startAtOperationTime" if is_null => {}
                "resumeAfter" => resume = Some(ResumeToken::parse(object(name, value)?)?),
                "startAfter" => start = Some(ResumeToken::parse(object(name, value)?)?),
                "startAtOperationTime" => match value {
                    RawBsonRef::Timestamp(given) => time = Some(given),
                    _ => return Err(wrong_type(name, value, "timestamp")),
                },
                "fullDocument" => {
                    options.after = match string(name, value)? {
                        "default" => AfterImage::Default,
                        "updateLookup" => AfterImage::Lookup,
                        "whenAvailable" => AfterImage::WhenAvailable,
                        "required" => AfterImage::Required,
                        other => return Err(unknown_value(name, other)),
                    }
                }
                "fullDocumentBeforeChange" => {
                    options.before = match string(name, value)? {
                        "off" => BeforeImage::Off,
                        "whenAvailable" => BeforeImage::WhenAvailable,
                        "required" => BeforeImage::Required,
                        other => return Err(unknown_value(name, other)),
                    }
                }
                "allChangesForCluster" => options.whole_cluster = boolean(name, value)?,
                "showExpandedEvents" => options.expanded = boolean(name, value)?,
                "showRawUpdateDescription" => {
                    if boolean(name, value)? {
                        return Err(Error::new(
                            Code::NOT_IMPLEMENTED,
                            "showRawUpdateDescription is not supported: updateDescription has the same changes",
                        ));
                    }
                }
                // Such events are not there.
                "showMigrationEvents"
                | "showSystemEvents"
                | "allowToRunOnConfigDB"
                | "allowToRunOnSystemNS"
                | "matchCollectionUUIDForUpdateLookup" => {
                    boolean(name, value)?;
                }
                _ => {
                    return Err(Error::location(
                        40415,
                        format!("BSON field '$changeStream.{name}' is an unknown field."),
                    ));
                }
            }
        }
        if resume.is_some() && start.is_some() {
            return Err(Error::location(
                50865,
                "Do not specify both 'resumeAfter' and 'startAfter' in a $changeStream stage",
            ));
        }
        if time.is_some() && (resume.is_some() || start.is_some()) {
            return Err(Error::location(
                40674,
                "Only one type of resume option is allowed, but multiple were found",
            ));
        }
        if resume.is_some_and(|token| token.kind == TokenKind::Invalidate) {
            return Err(Error::new(
                Code::INVALID_RESUME_TOKEN,
                "a change stream cannot be resumed by 'resumeAfter' behind an invalidate event: use 'startAfter'",
            ));
        }
        options.start = match (resume.or(start), time) {
            (Some(token), _) => Start::Behind(token),
            (None, Some(time)) => Start::At(from_timestamp(time)),
            (None, None) => Start::Now,
        };
        Ok(options)
    }
}

impl Start {
    /// The place that reading begins behind; none for the end of the log.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        match self {
            Self::Now => None,
            Self::At(time) => Some(Position::behind(time.saturating_sub(1))),
            Self::Behind(token) => Some(token.position),
        }
    }
}

fn object<'d>(name: &str, value: RawBsonRef<'d>) -> Result<&'d RawDocument, Error> {
    value.as_document().ok_or_else(|| wrong_type(name, value, "object"))
}

fn string<'d>(name: &str, value: RawBsonRef<'d>) -> Result<&'d str, Error> {
    value.as_str().ok_or_else(|| wrong_type(name, value, "string"))
}

fn boolean(name: &str, value: RawBsonRef<'_>) -> Result<bool, Error> {
    value.as_bool().ok_or_else(|| wrong_type(name, value, "bool"))
}

fn wrong_type(name: &str, value: RawBsonRef<'_>, expected: &str) -> Error {
    Error::new(
        Code::TYPE_MISMATCH,
        format!(
            "BSON field '$changeStream.{name}' is the wrong type '{}', expected type '{expected}'",
            type_name(value)
        ),
    )
}

fn unknown_value(name: &str, value: &str) -> Error {
    Error::new(
        Code::BAD_VALUE,
        format!(
            "Enumeration value '{value}' for field '$changeStream.{name}' is not a valid value."
        ),
    )
}
