//! Which session: its UUID, and whose it is.

use ::bson::spec::BinarySubtype;
use ::bson::{Binary, RawDocumentBuf, rawdoc};
use sha2::{Digest as _, Sha256};

/// A session: the client's UUID and the hash of the user it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId {
    /// The client's UUID.
    pub uuid: [u8; 16],
    /// SHA-256 of `user@database`; of nothing when nobody is logged in.
    pub user: [u8; 32],
}

impl SessionId {
    /// A session of a user, `None` when nobody is logged in.
    #[must_use]
    pub fn new(uuid: [u8; 16], user: Option<&str>) -> Self {
        Self { uuid, user: hash_of_user(user) }
    }

    /// A session of a user whose hash is known.
    #[must_use]
    pub fn of_hash(uuid: [u8; 16], user: [u8; 32]) -> Self {
        Self { uuid, user }
    }

    /// Both parts in one row of bytes, as a key of a table.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 48] {
        let mut bytes = [0; 48];
        let (uuid, user) = bytes.split_at_mut(16);
        uuid.copy_from_slice(&self.uuid);
        user.copy_from_slice(&self.user);
        bytes
    }

    /// As commands show it: `{id: UUID, uid: hash}`.
    #[must_use]
    pub fn to_document(&self) -> RawDocumentBuf {
        rawdoc! {
            "id": Binary { subtype: BinarySubtype::Uuid, bytes: self.uuid.to_vec() },
            "uid": Binary { subtype: BinarySubtype::Generic, bytes: self.user.to_vec() },
        }
    }
}

/// The hash of `user@database` that is part of a session.
#[must_use]
pub fn hash_of_user(user: Option<&str>) -> [u8; 32] {
    Sha256::digest(user.unwrap_or_default().as_bytes()).into()
}
