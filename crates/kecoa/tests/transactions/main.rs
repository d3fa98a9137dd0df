//! Transactions that the program begins and ends, runs in a loop of its own, or leaves half-way, against
//! scripted servers: one table of scenarios, played on both clients.
#![allow(clippy::panic, clippy::unwrap_used, reason = "tests")]

mod blocking;
mod scenarios;
#[cfg(feature = "tokio")]
mod tokio;

/// A test of each client for each scenario.
macro_rules! on_both_clients {
    ($($scenario:ident)*) => {
        mod on_the_blocking_client {
            $(
                #[test]
                fn $scenario() {
                    super::blocking::play(super::scenarios::$scenario(super::scenarios::TOGETHER));
                }
            )*
        }

        #[cfg(feature = "tokio")]
        mod on_the_client_for_tokio {
            $(
                #[::tokio::test]
                async fn $scenario() {
                    super::tokio::play(super::scenarios::$scenario(super::scenarios::APART)).await;
                }
            )*
        }
    };
}

on_both_clients! {
    a_transaction_is_begun_and_ended_by_the_program
    a_commit_by_the_program_says_what_became_of_it
    attempts_are_made_until_one_commits
    a_session_that_is_ended_between_two_statements_is_replaced
    attempts_run_out
    attempts_go_on_behind_cockroachs_savepoint
    what_was_committed_is_not_begun_again
    a_body_that_panics_is_rolled_back
    an_observer_that_panics_leaves_no_transaction_open
    a_body_that_committed_by_itself_is_not_run_again
    attempts_at_what_was_committed_are_not_made_again
    the_doubt_of_a_commit_that_the_body_hides_is_told
    the_doubt_is_told_also_when_the_body_goes_on
}
