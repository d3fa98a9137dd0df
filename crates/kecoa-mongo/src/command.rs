//! A file a command: arguments in, a reply out.
//!
//! [`Gateway`] is what all clients share, [`Connection`] what one is. [`Gateway::handle`] answers a request: it
//! finds the command's [`Definition`] in [`table::COMMANDS`], checks its arguments, gives it a [`Context`] and
//! completes its reply. A command is a file with a `Definition` and a function `run`.

pub mod api;
pub mod arguments;
pub mod authentication;
pub mod connection;
pub mod configure_fail_point;
pub mod context;
pub mod fail_points;
pub mod gateway;
pub mod handle;
pub mod hello;
pub mod namespace;
pub mod operations;
pub mod options;
pub mod ping;
pub mod reply;
pub mod table;

pub use connection::{Connection, Login};
pub use context::{Again, Context, Definition, Privilege, Running};
pub use gateway::Gateway;
pub use handle::{Next, Outcome};
pub use options::{Options, ReplicaSet};
