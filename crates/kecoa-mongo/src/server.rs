//! Connections of clients.
//!
//! [`serve`] runs a task for each client: it takes requests from the socket one by one, has a [`Service`] answer
//! them, and writes the replies. What a command means is the service's business.

mod connection;
mod gateway;
mod serve;
mod service;
mod shared;
mod socket;
mod stream;
mod tls;

pub use serve::{Options, serve};
pub use service::{Address, Arrival, Service};
pub use tls::{Tls, TlsError, TlsFiles, TlsMode};
