//! The conversions that are the driver's own.

/// The conversions that are ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Int,
    Float,
    Decimal,
    Text,
    Bytes,
    Bool,
    Date,
    Time,
    Timestamp,
    TimestampTz,
    Interval,
    Bytea,
    Json,
    Uuid,
}

impl Kind {
    /// Whether the garbage collector ignores the objects made (it sees no cycle through them), so
    /// that a tuple of them need not be looked at either.
    pub(super) fn is_atomic(self) -> bool {
        !matches!(self, Kind::Json | Kind::Bytea)
    }
}
