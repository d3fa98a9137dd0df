//! What every server of kecoa needs, whatever protocol it speaks.
//!
//! A server is two things, which do not depend on each other.
//!
//! **Connections** of clients, in tokio:
//!
//! - [`listener`]: TCP and a unix socket behind one [`accept`](listener::Listener::accept), which also
//!   says whether the client is a process of the same user;
//! - [`accept`]: the loop that runs a task for each client and stops them all in an orderly way;
//! - [`workers`]: threads for those tasks, each with an event loop of its own;
//! - [`buffered`]: a socket with a buffer for each direction, for any framing;
//! - [`unauthenticated`]: a bound on clients that have not shown yet who they are;
//! - [`scram`]: the server's half of SCRAM-SHA-256.
//!
//! **A process in the background**, which is started once however many ask for it, and found and
//! stopped by any later process:
//!
//! - [`Service`]: its names, in messages and on the disk;
//! - [`home`]: the directory of an instance, and the locks in it;
//! - [`project`]: which instance a folder means;
//! - [`launch`]: starts the process, finds it, stops it; [`waiting`]: who waits for that; [`status`]: what
//!   whoever asks learns;
//! - [`serving`]: the process itself: lock, [`state`] file, readiness;
//! - [`signals`], [`notify`]: what stops it, and what its service manager learns;
//! - [`open_files`]: as many as the system lets it have;
//! - [`process`], [`files`], [`log`], [`secret`]: identities that outlive process ids, files that
//!   others may have tampered with, logs that do not grow without end, passwords.
//!
//! A new server describes itself by a [`Service`] and a type for what its state file says; it builds
//! the arguments that make its own program serve, and calls [`launch::Launch::start`]. The program
//! calls [`serving::Serving::begin`], binds a [`listener::Listener`], announces
//! [`ready`](serving::Serving::ready) and runs [`accept::serve`].
#![forbid(unsafe_code)]

pub mod accept;
pub mod buffered;
mod error;
pub mod files;
pub mod home;
pub mod launch;
pub mod listener;
pub mod log;
pub mod names;
pub mod notify;
pub mod open_files;
pub mod process;
pub mod project;
pub mod scram;
pub mod secret;
mod service;
pub mod serving;
pub mod signals;
pub mod state;
pub mod state_monitor;
pub mod status;
pub mod unauthenticated;
pub mod waiting;
pub mod workers;

pub use error::Error;
pub use service::Service;
