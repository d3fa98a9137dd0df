//! Requests and responses.

use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Path, Request, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use kecoa::Pool;
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::bank::{self, Account, Opening, Transfer};
use crate::failure::Failure;

/// The service, on connections of the pool.
pub fn routes(pool: Pool) -> Router {
    Router::new()
        .route("/accounts", post(open))
        .route("/accounts/{id}", get(account))
        .route("/transfers", post(transfer))
        .with_state(pool)
}

#[derive(Serialize)]
struct Made {
    left: i64,
}

async fn open(
    State(pool): State<Pool>,
    Body(opening): Body<Opening>,
) -> Result<(StatusCode, Json<Account>), Failure> {
    if opening.balance < 0 {
        return Err(Failure::Refused("balance is less than 0"));
    }
    let account = bank::open(&pool, opening).await?;
    Ok((StatusCode::CREATED, Json(account)))
}

async fn account(State(pool): State<Pool>, Path(id): Path<Uuid>) -> Result<Json<Account>, Failure> {
    Ok(Json(bank::account(&pool, id).await?))
}

async fn transfer(
    State(pool): State<Pool>,
    Body(transfer): Body<Transfer>,
) -> Result<Json<Made>, Failure> {
    if transfer.amount <= 0 {
        return Err(Failure::Refused("amount is not more than 0"));
    }
    if transfer.source == transfer.target {
        return Err(Failure::Refused("source and target are one account"));
    }
    Ok(Json(Made { left: bank::transfer(&pool, transfer).await? }))
}

/// JSON as axum reads it. What it cannot read, an amount of more than 64 bits too, is a failure of ours, with a
/// body of the same form as the others.
struct Body<T>(T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let Json(body) = Json::from_request(request, state).await?;
        Ok(Body(body))
    }
}

impl From<JsonRejection> for Failure {
    fn from(rejection: JsonRejection) -> Self {
        Failure::Unreadable { status: rejection.status(), why: rejection.body_text() }
    }
}
