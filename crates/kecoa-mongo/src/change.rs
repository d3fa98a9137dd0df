//! Change streams without I/O: what is kept of a change, what a stream shows of it, where a stream goes on.
//!
//! Changes lie in a log, in the order of the commits. A [`Position`] is a place in it, a [`ResumeToken`] a position as
//! clients hold it. What the log keeps of a change is a [`Change`]; [`Shown`] is what a stream makes of it.

mod description;
mod event;
mod options;
mod scope;
mod shown;
mod split;
mod stages;
mod token;

pub use description::{Description, Origin, describe};
pub use event::Change;
pub use options::{AfterImage, BeforeImage, Options, Start};
pub use scope::{Ends, Scope};
pub use shown::{Place, Shown};
pub use split::split;
pub use stages::{Stages, prepare};
pub use token::{Position, ResumeToken, TokenKind, from_timestamp, to_timestamp};
