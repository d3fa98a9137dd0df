//! `target_session_attrs`: which sort of session is wanted.

/// Which sort of session is wanted, as libpq's `target_session_attrs`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SessionAttributes {
    /// Any.
    #[default]
    Any,
    /// One whose transactions may write, unless they say otherwise.
    ReadWrite,
    /// One whose transactions may not write, unless they say otherwise.
    ReadOnly,
    /// One on a server that is no standby. Every node of CockroachDB is a primary.
    Primary,
    /// One on a standby.
    Standby,
    /// One on a standby if any host is one, else any.
    PreferStandby,
}
