//! The password, which no output shows.

use std::fmt;

use memchr::memchr;
use postgres_protocol::authentication::md5_hash;

/// A password. Debug output does not show it.
#[derive(Clone)]
pub(super) struct Secret(Vec<u8>);

impl Secret {
    pub(super) fn new(password: Vec<u8>) -> Secret {
        Secret(password)
    }

    /// Where a NUL is: no message could carry it.
    pub(super) fn nul(&self) -> Option<usize> {
        memchr(0, &self.0)
    }

    pub(super) fn expose(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn md5(&self, user: &[u8], salt: [u8; 4]) -> String {
        md5_hash(user, &self.0, salt)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
