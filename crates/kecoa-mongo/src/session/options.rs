//! The fields of a command that speak of its session and transaction.

use ::bson::RawDocument;
use ::bson::spec::BinarySubtype;

use crate::error::{Code, Error};

use super::concern::{ReadConcern, ReadLevel};

/// What a command says of its transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransactionOptions {
    /// `txnNumber`.
    pub number: Option<i64>,
    /// `autocommit`.
    pub autocommit: Option<bool>,
    /// `startTransaction`.
    pub start: Option<bool>,
    /// Whether there is an `lsid`.
    pub has_session: bool,
}

/// What a command is to its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statement {
    /// Of no number.
    Plain,
    /// A write that may be sent twice.
    RetryableWrite(i64),
    /// The first of a transaction.
    Begin(i64),
    /// One more of a transaction, commit and abort included.
    Proceed(i64),
}

/// What a command may be.
#[derive(Clone, Copy, Debug)]
pub struct Abilities<'a> {
    /// The command's name.
    pub name: &'a str,
    /// Whether a transaction may have it.
    pub transaction: bool,
    /// Whether it is a write with retry records.
    pub retryable: bool,
    /// Whether it commits or aborts.
    pub ends: bool,
}

impl TransactionOptions {
    /// What the fields make of the command.
    ///
    /// # Errors
    /// 72 for fields that do not go together, 263 for a command that no transaction may have, 50768 for a number on
    /// a command that is no retryable write.
    pub fn statement(&self, command: Abilities<'_>) -> Result<Statement, Error> {
        let refuse = |message: &str| Err(Error::new(Code::INVALID_OPTIONS, message));
        let Some(number) = self.number else {
            return match (self.autocommit, self.start) {
                (None, None) if command.ends => {
                    let message = format!("{} must be run within a transaction", command.name);
                    Err(Error::new(Code::location(125), message))
                }
                (None, None) => Ok(Statement::Plain),
                (Some(_), _) => {
                    refuse("'autocommit' field requires a transaction number to also be specified")
                }
                (None, Some(_)) => refuse(
                    "'startTransaction' field requires 'autocommit' field to also be specified",
                ),
            };
        };
        if !self.has_session {
            return refuse("Transaction number requires a session ID to also be specified");
        }
        if number < 0 {
            return refuse("Transaction number cannot be negative");
        }
        match (self.autocommit, self.start) {
            (None, Some(_)) => {
                refuse("'startTransaction' field requires 'autocommit' field to also be specified")
            }
            (Some(true), _) => refuse("Specifying autocommit=true is not allowed."),
            (Some(false), Some(false)) => {
                refuse("Specifying startTransaction=false is not allowed.")
            }
            (Some(false), _) if !command.transaction => Err(Error::new(
                Code::OPERATION_NOT_SUPPORTED_IN_TRANSACTION,
                format!("Cannot run '{}' in a multi-document transaction.", command.name),
            )),
            (Some(false), Some(true)) if command.ends => Err(Error::new(
                Code::OPERATION_NOT_SUPPORTED_IN_TRANSACTION,
                format!("Cannot begin a transaction with '{}'", command.name),
            )),
            (Some(false), Some(true)) => Ok(Statement::Begin(number)),
            (Some(false), None) => Ok(Statement::Proceed(number)),
            (None, None) if command.ends => {
                refuse("'autocommit' field must be false to commit or abort")
            }
            (None, None) if command.retryable => Ok(Statement::RetryableWrite(number)),
            (None, None) => Err(Error::location(
                50768,
                format!(
                    "txnNumber may only be provided for multi-document transactions and retryable write commands. autocommit:false was not provided, and {} is not a retryable write command.",
                    command.name
                ),
            )),
        }
    }
}

impl Statement {
    /// The transaction's number, `None` outside of one.
    #[must_use]
    pub fn transaction(self) -> Option<i64> {
        match self {
            Self::Begin(number) | Self::Proceed(number) => Some(number),
            Self::Plain | Self::RetryableWrite(_) => None,
        }
    }

    /// Whether the concerns are allowed where they stand.
    ///
    /// # Errors
    /// 72.
    pub fn check_concerns(
        self,
        read: Option<&ReadConcern>,
        write: bool,
        ends: bool,
    ) -> Result<(), Error> {
        let refuse = |message: &str| Err(Error::new(Code::INVALID_OPTIONS, message));
        if self.transaction().is_none() {
            return Ok(());
        }
        if write && !ends {
            return refuse("writeConcern is not allowed within a multi-statement transaction");
        }
        match (self, read) {
            (Self::Proceed(_), Some(read)) if !read.is_default() => {
                refuse("Only the first command in a transaction may specify a readConcern")
            }
            (Self::Begin(_), Some(read))
                if matches!(read.level, Some(ReadLevel::Available | ReadLevel::Linearizable)) =>
            {
                refuse(
                    "The readConcern level must be either 'local' (default), 'majority' or 'snapshot' in order to run in a transaction",
                )
            }
            _ => Ok(()),
        }
    }
}

/// The UUID of an `lsid`.
///
/// # Errors
/// 40414 without `id`, 14 for a wrong type, 207 for a wrong length, 40415 for an unknown field.
pub fn session_uuid(document: &RawDocument) -> Result<[u8; 16], Error> {
    const PLACE: &str = "OperationSessionInfo.lsid";
    let mut uuid = None;
    for field in document {
        let (name, value) =
            field.map_err(|error| Error::new(Code::INVALID_BSON, error.to_string()))?;
        match name.as_str() {
            "id" => {
                let binary = value.as_binary().filter(|binary| binary.subtype == BinarySubtype::Uuid).ok_or_else(|| {
                    Error::new(
                        Code::TYPE_MISMATCH,
                        format!("BSON field '{PLACE}.id' is the wrong type, expected type 'binData' of subtype UUID"),
                    )
                })?;
                uuid = Some(binary.bytes.try_into().map_err(|_| {
                    let message = "uuid must be a 16-byte binary field with UUID (4) subtype";
                    Error::new(Code::INVALID_UUID, message)
                })?);
            }
            "uid" if value.as_binary().is_some() => {}
            "uid" => {
                let message =
                    format!("BSON field '{PLACE}.uid' is the wrong type, expected type 'binData'");
                return Err(Error::new(Code::TYPE_MISMATCH, message));
            }
            "txnNumber" | "txnUUID" => {
                let message = "Internal sessions are not supported outside of transactions";
                return Err(Error::new(Code::INVALID_OPTIONS, message));
            }
            other => {
                return Err(Error::location(
                    40415,
                    format!("BSON field '{PLACE}.{other}' is an unknown field."),
                ));
            }
        }
    }
    uuid.ok_or_else(|| {
        Error::location(40414, format!("BSON field '{PLACE}.id' is missing but a required field"))
    })
}
