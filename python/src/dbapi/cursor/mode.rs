//! How a statement runs.

/// How a statement runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// May open a transaction; its rows are kept.
    Normal,
    /// As normal; only the row count is kept (`executemany`).
    CountOnly,
    /// Never opens a transaction (named cursors declared WITH HOLD, and CLOSE).
    NoBegin,
}
