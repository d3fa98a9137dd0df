//! What the database failed with, as MongoDB's errors.

use crate::error::{Code, Error};

pub(super) fn not_yet() -> Error {
    Error::new(Code::NOT_IMPLEMENTED, "the store cannot do this yet")
}
