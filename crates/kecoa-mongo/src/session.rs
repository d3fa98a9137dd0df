//! Sessions: numbers of transactions, what they have come to, cursors, clocks.
//!
//! Nothing here reads a clock or a socket: callers say what time it is, tests invent it. What a transaction and
//! a cursor are is the caller's: they are type parameters.

pub mod clock;
pub mod concern;
pub mod cursors;
pub mod id;
pub mod labels;
pub mod numbers;
pub mod options;
pub mod read_preference;
pub mod registry;

pub use clock::ClusterClock;
pub use concern::{ReadConcern, ReadLevel, WriteConcern};
pub use cursors::{CursorOwner, Cursors};
pub use id::SessionId;
pub use numbers::{Numbers, Phase};
pub use options::{Statement, TransactionOptions};
pub use registry::{Held, Session, Sessions, State};
