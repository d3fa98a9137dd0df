//! Time zones: by name of the Olson database, or an offset.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::context::{Context, Outcome};
use super::describe;
use super::instant::Civil;
use super::node::Node;
use super::outcome::{is_nullish, text, view};
use super::parser::Parser;
use crate::error::Error;
use crate::value::Value;

/// A time zone.
#[derive(Clone, Debug)]
pub(super) enum Zone {
    /// So many seconds east of Greenwich.
    Fixed(i64),
    Named(TimeZone),
}

impl Zone {
    pub(super) const UTC: Self = Self::Fixed(0);

    /// Read `America/New_York`, `+05:30`, `-0800`, `+03`.
    pub(super) fn parse(name: &str) -> Result<Self, Error> {
        let unknown = || {
            let text = format!("unrecognized time zone identifier: \"{name}\"");
            Error::location(40485, text)
        };
        if name.starts_with(['+', '-']) {
            return offset(name).map(Self::Fixed).ok_or_else(unknown);
        }
        if name == "UTC" {
            return Ok(Self::UTC);
        }
        // Names are distinguished by case.
        TimeZone::get(name)
            .ok()
            .filter(|zone| zone.iana_name() == Some(name))
            .map(Self::Named)
            .ok_or_else(unknown)
    }

    /// Whether it is UTC itself, and not only a zone with the same time.
    pub(super) fn is_utc(&self) -> bool {
        matches!(self, Self::Fixed(0))
    }

    /// The seconds that local time is ahead of UTC.
    pub(super) fn offset(&self, milliseconds: i64) -> i64 {
        match self {
            Self::Fixed(offset) => *offset,
            Self::Named(zone) => {
                let nearest = Timestamp::from_millisecond(milliseconds)
                    .unwrap_or(if milliseconds < 0 { Timestamp::MIN } else { Timestamp::MAX });
                i64::from(zone.to_offset(nearest).seconds())
            }
        }
    }

    /// Local time.
    pub(super) fn local(&self, milliseconds: i64) -> Civil {
        Civil::from_milliseconds(self.local_milliseconds(milliseconds))
    }

    /// Local time as if it were UTC.
    pub(super) fn local_milliseconds(&self, milliseconds: i64) -> i64 {
        milliseconds.saturating_add(self.offset(milliseconds) * 1000)
    }

    /// Milliseconds since 1970 of a local time. One that a clock skipped is an hour later, of one that it showed
    /// twice the first counts.
    pub(super) fn instant(&self, civil: Civil) -> Option<i64> {
        let local = civil.to_milliseconds()?;
        match self {
            Self::Fixed(offset) => local.checked_sub(offset * 1000),
            Self::Named(zone) => {
                let narrow = |value: i64| i8::try_from(value).ok();
                let time = i16::try_from(civil.year).ok().and_then(|year| {
                    DateTime::new(
                        year,
                        narrow(civil.month)?,
                        narrow(civil.day)?,
                        narrow(civil.hour())?,
                        narrow(civil.minute())?,
                        narrow(civil.second())?,
                        0,
                    )
                    .ok()
                });
                let instant =
                    time.and_then(|time| zone.to_ambiguous_timestamp(time).compatible().ok());
                match instant {
                    Some(instant) => instant.as_millisecond().checked_add(civil.millisecond()),
                    None => local.checked_sub(self.offset(local) * 1000),
                }
            }
        }
    }
}

/// `+hh`, `+hhmm`, `+hh:mm` in seconds.
fn offset(text: &str) -> Option<i64> {
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits = text.get(1..)?;
    let (hours, minutes) = match digits.len() {
        2 => (digits, "0"),
        4 => digits.split_at_checked(2)?,
        5 => {
            let (hours, rest) = digits.split_at_checked(2)?;
            (hours, rest.strip_prefix(':')?)
        }
        _ => return None,
    };
    let number = |text: &str| {
        text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<i64>().ok())?
    };
    Some(sign * (number(hours)? * 3600 + number(minutes)? * 60))
}

/// An argument `timezone`.
#[derive(Debug)]
pub(super) enum ZoneArgument {
    /// The same for all documents.
    Known(Zone),
    Expression(Node),
}

impl ZoneArgument {
    /// Read one; a name that is the same for all documents is looked up at once.
    pub(super) fn new(node: Option<Node>) -> Self {
        let Some(node) = node else { return Self::Known(Zone::UTC) };
        if let Some(Some(::bson::RawBsonRef::String(name))) = node.as_constant()
            && let Ok(zone) = Zone::parse(name)
        {
            return Self::Known(zone);
        }
        Self::Expression(node)
    }

    /// Note that it is wrong on all documents; whether it is `null` on all.
    pub(super) fn note_failure(&self, parser: &Parser<'_>) -> bool {
        let Self::Expression(node) = self else { return false };
        let Some(known) = node.as_constant() else { return false };
        match from_value(&known.map(Value::Borrowed)) {
            Ok(zone) => zone.is_none(),
            Err(error) => {
                parser.note_failure(error);
                false
            }
        }
    }

    /// The zone; none if it is `null`.
    pub(super) fn evaluate(&self, context: &Context<'_>) -> Result<Option<Zone>, Error> {
        match self {
            Self::Known(zone) => Ok(Some(zone.clone())),
            Self::Expression(node) => from_value(&node.evaluate(context)?),
        }
    }
}

fn from_value(value: &Option<Value<'_>>) -> Result<Option<Zone>, Error> {
    if is_nullish(value.as_ref()) {
        return Ok(None);
    }
    match text(value) {
        Some(name) => Zone::parse(name).map(Some),
        None => {
            let found = describe::type_name(view(value));
            let text = format!("timezone must evaluate to a string, found {found}");
            Err(Error::location(40517, text))
        }
    }
}

/// Milliseconds of a date, a timestamp or an object id; none if it is `null`.
pub(super) fn to_instant(value: &Option<Value<'_>>) -> Result<Option<i64>, Error> {
    if is_nullish(value.as_ref()) {
        return Ok(None);
    }
    view(value).and_then(instant_of).map(Some).ok_or_else(|| {
        let found = describe::type_name(view(value));
        Error::location(16006, format!("can't convert from BSON type {found} to Date"))
    })
}

/// Milliseconds of a date, a timestamp or an object id.
pub(super) fn instant_of(value: ::bson::RawBsonRef<'_>) -> Option<i64> {
    match value {
        ::bson::RawBsonRef::DateTime(date) => Some(date.timestamp_millis()),
        ::bson::RawBsonRef::Timestamp(value) => Some(i64::from(value.time) * 1000),
        ::bson::RawBsonRef::ObjectId(id) => Some(id.timestamp().timestamp_millis()),
        _ => None,
    }
}

/// A result that is a date.
pub(super) fn date<'v>(milliseconds: i64) -> Outcome<'v> {
    super::outcome::present(::bson::DateTime::from_millis(milliseconds))
}
