//! The programs in `examples` run to their end, against the server of `KECOA_TEST_DSN`.
#![cfg(all(feature = "derive", feature = "tokio"))]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

#[path = "../examples/accounts.rs"]
mod accounts;
#[path = "../examples/accounts_tokio.rs"]
mod accounts_tokio;
mod live_support;
#[path = "../examples/tutorial.rs"]
mod tutorial;

#[test]
fn the_tour_of_the_blocking_client() {
    let Some(dsn) = live_support::dsn() else { return };
    accounts::run(&dsn).unwrap();
}

#[tokio::test]
async fn the_tour_of_the_client_for_tokio() {
    let Some(dsn) = live_support::dsn() else { return };
    accounts_tokio::run(&dsn).await.unwrap();
}

#[test]
fn the_program_of_the_tutorial() {
    let Some(dsn) = live_support::dsn() else { return };
    tutorial::run(&dsn).unwrap();
}
