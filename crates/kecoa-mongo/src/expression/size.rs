//! How large a value may be that an expression makes.

use crate::error::Error;

/// How many bytes a value may have that an expression makes on the way.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// A value of so many bytes may be made.
pub(super) fn check_size(bytes: usize) -> Result<(), Error> {
    if bytes <= MOST_BYTES {
        return Ok(());
    }
    let text = format!("expected a value of at most {MOST_BYTES} bytes, found one of {bytes}");
    Err(Error::location(13548, text))
}
