//! How far values are from one another.

use crate::bson::number::Number;
use crate::expression::TimeUnit;

/// How far values are from one another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Steps {
    pub(super) step: Number,
    /// The step of dates.
    pub(super) whole: i64,
    pub(super) unit: Option<TimeUnit>,
}
