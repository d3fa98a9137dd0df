//! The crate `uuid`.

use super::through;
use crate::Uuid;

through! {
    ::uuid::Uuid, Uuid:
        read |ours| Ok(ours.into()),
        send |theirs| Ok((*theirs).into());
}

impl From<::uuid::Uuid> for Uuid {
    fn from(theirs: ::uuid::Uuid) -> Self {
        Self::from_bytes(theirs.into_bytes())
    }
}

impl From<Uuid> for ::uuid::Uuid {
    fn from(ours: Uuid) -> Self {
        Self::from_bytes(*ours.as_bytes())
    }
}
