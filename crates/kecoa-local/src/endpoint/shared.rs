//! What all sessions of an endpoint share.

use super::cancel::Keys;
use super::lobby::Lobby;
use super::options::EndpointOptions;

/// What all sessions share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) options: EndpointOptions,
    pub(super) keys: Keys,
    pub(super) lobby: Lobby,
}
