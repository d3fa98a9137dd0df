//! Why a text is refused.

use thiserror::Error;

/// Why a text is no Decimal128.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ParseDecimalError {
    /// It is no number.
    #[error("expected a decimal number as 1.5, -2E+10, Infinity or NaN, found other text")]
    Syntax,
    /// It would have to be rounded.
    #[error("expected a number that 34 digits hold exactly, found one that must be rounded")]
    Inexact,
}
