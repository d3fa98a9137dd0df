//! Dates and times as the parts people read them in, checked against PostgreSQL's limits.
//!
//! Years are astronomical: 0 is 1 BC, -1 is 2 BC. All dates are proleptic Gregorian, as
//! PostgreSQL's are. Offsets are seconds east of UTC, below 16 hours either way.
//!
//! A value of one of these types is always one the server can hold; that is why the parts are
//! private and the constructors fallible.

mod calendar;
mod date;
mod interval;
mod macros;
mod time;
mod timestamp;

pub use date::{CivilDate, Date};
pub use interval::Interval;
pub use time::{Time, TimeTz};
pub use timestamp::{CivilTimestamp, CivilTimestampTz, Timestamp, TimestampTz};
