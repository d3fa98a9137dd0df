//! The labels that errors carry: the one place that decides.

use crate::error::{Code, Error, Label};

/// In what an error was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Situation {
    /// A command of no session's number.
    Plain,
    /// A write with a number, outside a transaction.
    RetryableWrite,
    /// A statement of a transaction.
    Statement,
    /// The commit or abort of a transaction.
    End,
    /// getMore of a change stream.
    ChangeStream,
}

/// Adds to an error the labels that its code has in this situation. One that has labels already keeps them.
#[must_use]
pub fn label(error: Error, situation: Situation) -> Error {
    let number = error.code().number();
    let mut error = error;
    match situation {
        Situation::Plain => {}
        Situation::RetryableWrite => {
            if is_retryable(number) {
                error = error.with_label(Label::RetryableWriteError);
            }
        }
        Situation::Statement => {
            let is_overload = error.code() == Code::INGRESS_REQUEST_RATE_LIMIT_EXCEEDED;
            if is_transient(number) || is_retryable(number) || is_overload {
                error = error.with_label(Label::TransientTransactionError);
            }
        }
        Situation::End => {
            if is_transient(number) {
                error = error.with_label(Label::TransientTransactionError);
            }
            if is_retryable(number) {
                error = error.with_label(Label::RetryableWriteError);
            }
        }
        Situation::ChangeStream => {
            if is_resumable(number) {
                error = error.with_label(Label::ResumableChangeStreamError);
            }
        }
    }
    if error.code() == Code::INGRESS_REQUEST_RATE_LIMIT_EXCEEDED {
        error = error.with_label(Label::SystemOverloadedError).with_label(Label::RetryableError);
    }
    error
}

/// Whether a write that failed with this number may be sent once more: the node has gone, or is going.
#[must_use]
pub fn is_retryable(number: i32) -> bool {
    matches!(number, 6 | 7 | 89 | 91 | 189 | 262 | 9001 | 10107 | 11600 | 11602 | 13435 | 13436)
}

fn is_transient(number: i32) -> bool {
    matches!(number, 112 | 24 | 246 | 239 | 267 | 251)
}

fn is_resumable(number: i32) -> bool {
    is_retryable(number) || matches!(number, 63 | 133 | 150 | 234 | 13388)
}
