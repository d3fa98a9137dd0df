//! What a failure means for the client is decided here, and nowhere else.

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use kecoa::{Error, ErrorKind};
use serde_json::json;

use crate::bank::BankError;

/// Why a request has no result.
pub enum Failure {
    Bank(BankError),
    /// The request can be read, and asks for what is not done.
    Refused(&'static str),
    /// The request's body cannot be read.
    Unreadable {
        status: StatusCode,
        why: String,
    },
}

impl From<BankError> for Failure {
    fn from(error: BankError) -> Self {
        Failure::Bank(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (status, message) = match self {
            Failure::Refused(why) => (StatusCode::UNPROCESSABLE_ENTITY, why.to_owned()),
            Failure::Unreadable { status: StatusCode::UNPROCESSABLE_ENTITY, why } => {
                (StatusCode::BAD_REQUEST, why)
            }
            Failure::Unreadable { status, why } => (status, why),
            Failure::Bank(BankError::NoAccount(id)) => {
                (StatusCode::NOT_FOUND, format!("no account {id}"))
            }
            Failure::Bank(BankError::NotEnoughMoney { balance }) => {
                (StatusCode::CONFLICT, format!("insufficient funds: {balance}"))
            }
            Failure::Bank(BankError::TooMuchMoney) => {
                (StatusCode::BAD_REQUEST, "the target cannot hold so much".to_owned())
            }
            Failure::Bank(BankError::IdTaken) => {
                (StatusCode::CONFLICT, "the id belongs to another request".to_owned())
            }
            Failure::Bank(BankError::Database(error)) => {
                // The log has the error; the client learns whether to ask again.
                eprintln!("{error}");
                let (status, message) = meaning(&error);
                (status, message.to_owned())
            }
        };
        let body = Json(json!({ "error": message }));
        match status {
            StatusCode::SERVICE_UNAVAILABLE => (status, [(RETRY_AFTER, "1")], body).into_response(),
            _ => (status, body).into_response(),
        }
    }
}

/// The status of an error of the database, and what the client is told.
fn meaning(error: &Error) -> (StatusCode, &'static str) {
    if error.is_ambiguous() {
        // COMMIT was sent and its outcome is unknown. With the same id, nothing happens twice.
        let message = "the outcome is unknown: send the same request again, with the same id";
        (StatusCode::SERVICE_UNAVAILABLE, message)
    } else if is_passing(error) {
        (StatusCode::SERVICE_UNAVAILABLE, "the database is busy: try again later")
    } else {
        (StatusCode::INTERNAL_SERVER_ERROR, "internal error")
    }
}

/// Whether the same request may succeed a little later.
fn is_passing(error: &Error) -> bool {
    let kind = matches!(
        error.kind(),
        // No connection in time, none at all, or too many conflicts.
        ErrorKind::Connect
            | ErrorKind::ConnectionLost
            | ErrorKind::Timeout
            | ErrorKind::RetriesExhausted { .. }
    );
    // A FATAL error ended the connection; out of memory, disk or connections (53), stopped by an operator or
    // a time limit (57), a lock that was not to be had.
    let code = error.sqlstate().unwrap_or_default();
    kind || error.is_connection_lost()
        || error.is_retryable()
        || code.starts_with("53")
        || code.starts_with("57")
        || code == "55P03"
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use kecoa::proto::{ServerError, SqlState};

    use super::*;

    fn server(severity: &str, code: &str) -> Box<ServerError> {
        let code = SqlState::from_bytes(code.as_bytes()).expect("a SQLSTATE");
        Box::new(ServerError::builder(severity, code, "it failed").build().expect("a report"))
    }

    fn status(error: Error) -> u16 {
        Failure::Bank(BankError::Database(error)).into_response().status().as_u16()
    }

    #[test]
    fn what_may_pass_is_503() {
        for code in ["40001", "53300", "55P03", "57014", "57P01"] {
            assert_eq!(status(Error::from_server(server("ERROR", code))), 503, "{code}");
        }
        assert_eq!(status(Error::refused("refused", server("FATAL", "53300"))), 503);
        assert_eq!(status(Error::connection_lost("lost")), 503);
        assert_eq!(status(Error::timeout("no connection within 3 s")), 503);
        let last = Error::from_server(server("ERROR", "40001"));
        assert_eq!(status(Error::retries_exhausted(10, Duration::from_secs(1), last)), 503);
        let lost = Error::ambiguous_commit("unknown", Error::connection_lost("lost"));
        assert!(meaning(&lost).1.contains("same id"));
        assert_eq!(status(lost), 503);
    }

    #[test]
    fn a_mistake_of_ours_is_500() {
        for code in ["42601", "42P01", "22003", "28P01"] {
            assert_eq!(status(Error::from_server(server("ERROR", code))), 500, "{code}");
        }
        assert_eq!(status(Error::usage("two rows")), 500);
    }

    #[test]
    fn a_request_that_cannot_be_done_is_the_clients() {
        let status = |failure: Failure| failure.into_response().status().as_u16();
        assert_eq!(status(Failure::Bank(BankError::IdTaken)), 409);
        assert_eq!(status(Failure::Bank(BankError::TooMuchMoney)), 400);
        let unreadable = |status| Failure::Unreadable { status, why: String::new() };
        assert_eq!(status(unreadable(StatusCode::UNPROCESSABLE_ENTITY)), 400);
        assert_eq!(status(unreadable(StatusCode::UNSUPPORTED_MEDIA_TYPE)), 415);
    }
}
