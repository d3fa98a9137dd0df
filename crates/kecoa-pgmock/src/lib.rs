//! A scripted and faulty PostgreSQL server, for tests.
//!
//! A [`Script`] says what one connection must receive and what it answers, byte for byte: messages,
//! errors, silence, a close or a reset at any byte. A script is played by a [`Peer`], which does no
//! I/O; [`Memory`] joins a client to it in the same thread, and [`Server`] plays scripts on a real
//! loopback listener.
//!
//! What the client says must match the script exactly. A client that says something else, or that
//! waits while the script waits too, fails the test at once: nothing hangs.
//!
//! The messages are written out by hand in [`script`], so that a fault in an encoder under test
//! cannot hide behind the same fault here.
//!
//! ```
//! use std::io::{Read, Write};
//! use kecoa_pgmock::{Events, Memory, Peer, Script};
//!
//! let script = Script::new().query("SELECT 1").error("40001", "restart transaction: x").ready('I');
//! let mut stream = Memory::new(Peer::new(script, Events::new()));
//! stream.write_all(b"Q\0\0\0\x0dSELECT 1\0").unwrap();
//! let mut tag = [0];
//! stream.read_exact(&mut tag).unwrap();
//! assert_eq!(tag, *b"E");
//! ```
#![forbid(unsafe_code)]
// This crate is part of tests: a panic in it is the failure it is there to report.
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod memory;
mod peer;
pub mod script;
mod server;

pub use memory::Memory;
pub use peer::{Events, Peer, State};
pub use script::Script;
pub use server::Server;
