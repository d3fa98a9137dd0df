//! The state machine of an open connection.
//!
//! Requests are answered in the order they were submitted. Each ends with ReadyForQuery; what may
//! come before that follows from the request:
//!
//! ```text
//! simple query   Start -> T -> Rows -> D* -> C -> Start           any number of statements
//!                Start -> C | I -> Start
//!                Start -> G -> CopyIn -> (copy_done) -> C -> Start
//!                Start -> H -> CopyOut -> d* -> c -> CopyOutDone -> C -> Start
//!                Start -> W -> CopyBoth -> d*, c, and the client's c -> Start
//! extended       the same for each Execute; `s` may stand for `C`; 1, 2, 3, t, T, n for the other
//!                steps, in the order they were sent
//! either         anywhere -> E -> Failed -> Z
//! ```
//!
//! Notices, notifications and parameter statuses may come anywhere in between.

mod copy;
mod descriptions;
mod eof;
mod expected;
pub(crate) mod parameters;
mod replies;
mod requests;
pub(crate) mod state;

pub use eof::Eof;
pub use state::Connection;
