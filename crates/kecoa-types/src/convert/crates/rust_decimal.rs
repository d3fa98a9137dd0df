//! The crate `rust_decimal`.

use ::rust_decimal::Decimal;

use super::through;
use crate::{DecodeError, EncodeError, Numeric, text};

through! {
    /// Nothing is rounded: a `numeric` of more digits than the 96 bits of a `Decimal` hold, a NaN and an infinity
    /// are errors.
    Decimal, Numeric: read read, send send;
}

fn read(ours: Numeric) -> Result<Decimal, DecodeError> {
    let mut digits = Vec::new();
    text::numeric::encode(&ours, &mut digits);
    std::str::from_utf8(&digits)
        .ok()
        .and_then(|digits| Decimal::from_str_exact(digits).ok())
        .ok_or_else(|| {
            DecodeError::text(
                "a number of at most 28 digits (read the column as Numeric for any other)",
                &digits,
            )
        })
}

fn send(theirs: &Decimal) -> Result<Numeric, EncodeError> {
    text::numeric::decode(theirs.to_string().as_bytes())
        .map_err(|error| EncodeError::Other(error.to_string()))
}
