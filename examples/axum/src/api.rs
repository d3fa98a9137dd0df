//! Requests and responses. What a failure means for the client is decided here, and nowhere else.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use kecoa::{ErrorKind, Pool};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::bank::{self, Account, BankError, Transfer};

/// The service, on connections of the pool.
pub fn routes(pool: Pool) -> Router {
    Router::new()
        .route("/accounts", post(open))
        .route("/accounts/{id}", get(account))
        .route("/transfers", post(transfer))
        .with_state(pool)
}

#[derive(Deserialize)]
struct Opening {
    balance: i64,
}

#[derive(Serialize)]
struct Made {
    left: i64,
}

async fn open(
    State(pool): State<Pool>,
    Json(opening): Json<Opening>,
) -> Result<(StatusCode, Json<Account>), Failure> {
    if opening.balance < 0 {
        return Err(Failure::Refused("balance is less than 0"));
    }
    let account = bank::open(&pool, opening.balance).await?;
    Ok((StatusCode::CREATED, Json(account)))
}

async fn account(State(pool): State<Pool>, Path(id): Path<Uuid>) -> Result<Json<Account>, Failure> {
    Ok(Json(bank::account(&pool, id).await?))
}

async fn transfer(
    State(pool): State<Pool>,
    Json(transfer): Json<Transfer>,
) -> Result<Json<Made>, Failure> {
    if transfer.amount <= 0 {
        return Err(Failure::Refused("amount is not more than 0"));
    }
    if transfer.source == transfer.target {
        return Err(Failure::Refused("source and target are one account"));
    }
    Ok(Json(Made { left: bank::transfer(&pool, transfer).await? }))
}

/// Why a request has no result.
enum Failure {
    Bank(BankError),
    Refused(&'static str),
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
            Failure::Bank(BankError::NoAccount(id)) => {
                (StatusCode::NOT_FOUND, format!("no account {id}"))
            }
            Failure::Bank(BankError::NotEnoughMoney { balance }) => {
                (StatusCode::CONFLICT, format!("insufficient funds: {balance}"))
            }
            Failure::Bank(BankError::IdTaken) => {
                (StatusCode::CONFLICT, "the id belongs to another transfer".to_owned())
            }
            Failure::Bank(BankError::Database(error)) => return database_failure(&error),
        };
        (status, Json(json!({ "error": message }))).into_response()
    }
}

/// The log has the error; the client learns whether to ask again.
fn database_failure(error: &kecoa::Error) -> Response {
    eprintln!("{error}");
    let message = match error.kind() {
        // COMMIT was sent and its outcome is unknown. With the same id, nothing happens twice.
        ErrorKind::AmbiguousCommit => "the outcome is unknown: send the same transfer again",
        // No connection in time, none at all, or too many conflicts.
        ErrorKind::Connect
        | ErrorKind::ConnectionLost
        | ErrorKind::Timeout
        | ErrorKind::RetriesExhausted { .. } => "the database is busy: try again later",
        _ => {
            let body = json!({ "error": "internal error" });
            return (StatusCode::INTERNAL_SERVER_ERROR, Json(body)).into_response();
        }
    };
    let body = json!({ "error": message });
    (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "1")], Json(body)).into_response()
}
