//! Sockets, TLS, and the way to a connection that is ready for use.
//!
//! `connect` tries each place that a configuration names, with the TLS that its sslmode asks for, and
//! drives the protocol core's handshake. The stream it gives back blocks, in ticks of 250 ms.

mod address;
mod attempt;
mod buffers;
mod cancel;
mod certificates;
mod connect;
mod deadline;
mod dial;
mod failure;
mod handshake;
pub(crate) mod network;
mod order;
mod peer_credentials;
mod race;
mod search;
pub mod server_probe;
mod socket;
mod stream;
mod target_session_attrs;
#[cfg(test)]
mod tests;
mod tls;
pub(crate) mod wait;
pub(crate) mod wire;
mod x509;

#[cfg(fuzzing)]
pub(crate) use certificates::fuzzing;
