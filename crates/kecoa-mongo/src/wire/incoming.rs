//! What comes from a client.

use super::reply::Reply;
use super::request::{Envelope, Request};

/// A message whose length is right.
#[derive(Clone, Debug)]
pub enum Incoming {
    /// It asks for something.
    Request(Request),
    /// It is wrong within.
    Refused(Refused),
}

/// A message that is wrong within: its sender is told why, unless it reads no reply.
#[derive(Clone, Debug)]
pub struct Refused {
    /// What is needed to answer it.
    pub envelope: Envelope,
    /// The answer.
    pub reply: Reply,
}
