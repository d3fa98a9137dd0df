//! The number of a session's transaction, and what became of that.

use crate::error::{Code, Error, Label};

/// What a session's number has come to. No clock, no database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbers {
    number: i64,
    phase: Phase,
}

/// What the number stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nothing yet.
    None,
    /// Retryable writes.
    Writes,
    /// A transaction that takes statements.
    InProgress,
    /// A transaction that was committed.
    Committed,
    /// A transaction that was aborted.
    Aborted,
}

/// What commit has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commit {
    /// The transaction is open: commit it.
    Open,
    /// It was committed before: say so again.
    Again,
    /// This gateway knows nothing of the number: the record of commits says what became of it.
    Unknown,
}

impl Default for Numbers {
    fn default() -> Self {
        Self { number: -1, phase: Phase::None }
    }
}

impl Numbers {
    /// The latest number; -1 before the first.
    #[must_use]
    pub fn number(&self) -> i64 {
        self.number
    }

    /// What it stands for.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Begins a transaction. The answer says whether one with a lower number is still open and must be aborted.
    ///
    /// # Errors
    /// 225 for a lower number, 117 for the same one.
    pub fn begin(&mut self, number: i64) -> Result<bool, Error> {
        self.not_older(number, "start transaction")?;
        if number == self.number {
            return Err(Error::new(
                Code::CONFLICTING_OPERATION_IN_PROGRESS,
                format!(
                    "Cannot start transaction {number}: a transaction or retryable write with that number has already begun"
                ),
            ));
        }
        Ok(self.replace(number, Phase::InProgress))
    }

    /// A statement of a transaction that has begun before.
    ///
    /// # Errors
    /// 225 for a lower number, 256 after commit, 251 when it is not open.
    pub fn proceed(&self, number: i64) -> Result<(), Error> {
        self.not_older(number, "continue transaction")?;
        match self.phase {
            Phase::InProgress if number == self.number => Ok(()),
            Phase::Committed if number == self.number => Err(committed(number)),
            _ => Err(self.not_open(number)),
        }
    }

    /// A commit.
    ///
    /// # Errors
    /// 225 for a lower number, 251 when it was aborted.
    pub fn commit(&self, number: i64) -> Result<Commit, Error> {
        self.not_older(number, "commit transaction")?;
        match self.phase {
            Phase::InProgress if number == self.number => Ok(Commit::Open),
            Phase::Committed if number == self.number => Ok(Commit::Again),
            Phase::Aborted | Phase::Writes if number == self.number => Err(self.not_open(number)),
            _ => Ok(Commit::Unknown),
        }
    }

    /// An abort.
    ///
    /// # Errors
    /// 225 for a lower number, 256 after commit, 251 when it is not open.
    pub fn abort(&self, number: i64) -> Result<(), Error> {
        self.proceed(number)
    }

    /// A retryable write. The answer says whether a transaction with a lower number is still open and must be
    /// aborted.
    ///
    /// # Errors
    /// 225 for a lower number, 117 for the number of a transaction.
    pub fn write(&mut self, number: i64) -> Result<bool, Error> {
        self.not_older(number, "run retryable write")?;
        if number > self.number {
            return Ok(self.replace(number, Phase::Writes));
        }
        match self.phase {
            Phase::Writes => Ok(false),
            _ => Err(Error::new(
                Code::CONFLICTING_OPERATION_IN_PROGRESS,
                format!(
                    "Cannot run a retryable write with number {number}: it is the number of a transaction"
                ),
            )),
        }
    }

    /// The transaction with this number was committed.
    pub fn committed(&mut self, number: i64) {
        self.replace(number, Phase::Committed);
    }

    /// The transaction with this number was aborted.
    pub fn aborted(&mut self, number: i64) {
        self.replace(number, Phase::Aborted);
    }

    /// The transaction was refused before anything of it was done: it may begin again with the same number.
    pub fn refused(&mut self, number: i64) {
        *self = Self { number: number.saturating_sub(1), phase: Phase::None };
    }

    /// It is not known what became of the transaction: the record of commits says.
    pub fn lost(&mut self) {
        self.phase = Phase::None;
    }

    fn replace(&mut self, number: i64, phase: Phase) -> bool {
        let open = self.phase == Phase::InProgress && number > self.number;
        *self = Self { number, phase };
        open
    }

    fn not_older(&self, number: i64, what: &str) -> Result<(), Error> {
        if number >= self.number {
            return Ok(());
        }
        Err(Error::new(
            Code::TRANSACTION_TOO_OLD,
            format!(
                "Cannot {what} {number} on this session because a newer transaction {} has already started on it",
                self.number
            ),
        ))
    }

    fn not_open(&self, number: i64) -> Error {
        let message = if number == self.number && self.phase == Phase::Aborted {
            format!("Transaction {number} has been aborted.")
        } else {
            let latest = self.number;
            format!(
                "Given transaction number {number} does not match any in-progress transactions. The active transaction number is {latest}"
            )
        };
        no_such_transaction(message)
    }
}

/// 251 with the label that lets the client try the whole transaction again.
#[must_use]
pub fn no_such_transaction(message: impl Into<String>) -> Error {
    Error::new(Code::NO_SUCH_TRANSACTION, message).with_label(Label::TransientTransactionError)
}

fn committed(number: i64) -> Error {
    Error::new(Code::TRANSACTION_COMMITTED, format!("Transaction {number} has been committed."))
}
