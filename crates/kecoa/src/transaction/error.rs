//! Errors of a transaction's body.

use crate::error::Error;

/// What the body of a transaction may fail with: anything that an [`Error`] can be turned into, and
/// found in again. In a `Box<dyn std::error::Error + Send + Sync>` it is found when it is what the box
/// holds, not behind another error. `anyhow::Error` wants a type of the program's own around it, whose
/// `into_database_error` is `self.0.downcast().map_err(Self)`.
///
/// ```
/// use kecoa::{Error, TransactionError};
///
/// enum BankError {
///     Database(Error),
///     NotEnoughMoney,
/// }
///
/// impl From<Error> for BankError {
///     fn from(error: Error) -> Self {
///         BankError::Database(error)
///     }
/// }
///
/// impl TransactionError for BankError {
///     fn into_database_error(self) -> Result<Error, Self> {
///         match self {
///             BankError::Database(error) => Ok(error),
///             other => Err(other),
///         }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "a transaction cannot end with an error of the type `{Self}`",
    label = "`{Self}` does not implement `TransactionError`",
    note = "kecoa has to find its own error in yours: implement `TransactionError` for your type, or use \
            `Box<dyn std::error::Error + Send + Sync>`"
)]
pub trait TransactionError: From<Error> + Sized {
    /// The client's error inside this one, which says whether to try again; `Err(self)` when there
    /// is none: the transaction is rolled back and the error returned as it is.
    ///
    /// # Errors
    /// The error itself, when it is not about the database.
    fn into_database_error(self) -> Result<Error, Self>;
}

impl TransactionError for Error {
    fn into_database_error(self) -> Result<Error, Self> {
        Ok(self)
    }
}

impl TransactionError for Box<dyn std::error::Error + Send + Sync> {
    fn into_database_error(self) -> Result<Error, Self> {
        self.downcast::<Error>().map(|error| *error)
    }
}
