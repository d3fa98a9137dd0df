//! What all sessions of an endpoint share.

use kecoa_server::open_files;
use kecoa_server::unauthenticated::Unauthenticated;

use super::cancel::Keys;
use super::look::AtWork;
use super::options::EndpointOptions;
use super::seats::Seats;
use super::texts::Texts;

/// What all sessions share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) options: EndpointOptions,
    pub(super) keys: Keys,
    pub(super) seats: Seats,
    /// All clients may come at once.
    pub(super) unauthenticated: Unauthenticated,
    /// One password is read at a time: those who ask have not shown who they are.
    pub(super) reading: tokio::sync::Mutex<()>,
    pub(super) at_work: AtWork,
    /// What they said last.
    pub(super) texts: Texts,
}

impl Shared {
    pub(super) fn new(options: EndpointOptions) -> Self {
        let seats = Seats::new(options.clients, open_files::raise());
        let unauthenticated = Unauthenticated::new(seats.count());
        let reading = tokio::sync::Mutex::default();
        let at_work = AtWork::default();
        let (keys, texts) = (Keys::default(), Texts::default());
        Self { options, keys, seats, unauthenticated, reading, at_work, texts }
    }
}
