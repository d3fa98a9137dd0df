//! What all sessions of an endpoint share.

use kecoa_server::unauthenticated::Unauthenticated;

use super::cancel::Keys;
use super::look::AtWork;
use super::options::EndpointOptions;
use super::texts::Texts;

/// As many as real clients come at once. With two files for each of PostgreSQL's 200 sessions
/// that stays far below what a process may usually have open.
const UNAUTHENTICATED: usize = 100;

/// What all sessions share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) options: EndpointOptions,
    pub(super) keys: Keys,
    pub(super) unauthenticated: Unauthenticated,
    /// One password is read at a time: those who ask have not shown who they are.
    pub(super) reading: tokio::sync::Mutex<()>,
    pub(super) at_work: AtWork,
    /// What they said last.
    pub(super) texts: Texts,
}

impl Shared {
    pub(super) fn new(options: EndpointOptions) -> Self {
        let unauthenticated = Unauthenticated::new(UNAUTHENTICATED);
        let reading = tokio::sync::Mutex::default();
        let at_work = AtWork::default();
        let (keys, texts) = (Keys::default(), Texts::default());
        Self { options, keys, unauthenticated, reading, at_work, texts }
    }
}
