//! Sessions that come, are used and go, in invented time.

use std::time::{Duration, Instant};

use kecoa_mongo::session::registry::{SESSION_TIMEOUT, TRANSACTION_LIFETIME};
use kecoa_mongo::session::{Phase, SessionId, Sessions};

const SECOND: Duration = Duration::from_secs(1);

fn id(number: u8) -> SessionId {
    SessionId::new([number; 16], None)
}

#[test]
fn a_session_ends_half_an_hour_after_its_last_use() {
    let sessions = Sessions::<&str>::default();
    let start = Instant::now();
    sessions.touch(id(1), start).unwrap();
    sessions.touch(id(2), start).unwrap();
    sessions.touch(id(2), start + SESSION_TIMEOUT).unwrap();
    assert!(sessions.expire(start + SESSION_TIMEOUT).is_empty());
    let gone = sessions.expire(start + SESSION_TIMEOUT + SECOND);
    assert_eq!(gone.iter().map(|session| session.id).collect::<Vec<_>>(), [id(1)]);
    assert_eq!(sessions.count(), 1);
}

#[test]
fn users_do_not_share_a_session() {
    assert_ne!(SessionId::new([1; 16], Some("a@admin")), SessionId::new([1; 16], Some("b@admin")));
    assert_ne!(SessionId::new([1; 16], Some("a@admin")), SessionId::new([1; 16], None));
    let known = SessionId::new([1; 16], None).to_bytes();
    assert_eq!(known[16..20], [0xe3, 0xb0, 0xc4, 0x42], "SHA-256 of nothing");
}

#[test]
fn an_open_transaction_is_taken_when_its_time_is_over() {
    let sessions = Sessions::default();
    let start = Instant::now();
    let session = sessions.touch(id(1), start).unwrap();
    {
        let mut state = session.try_lock().unwrap();
        state.numbers.begin(1).unwrap();
        state.open = Some("open");
        state.since = Some(start);
    }
    assert!(
        sessions.overdue(start + TRANSACTION_LIFETIME - SECOND, TRANSACTION_LIFETIME).is_empty()
    );
    {
        let _running = session.try_lock().unwrap();
        assert!(
            sessions.overdue(start + TRANSACTION_LIFETIME, TRANSACTION_LIFETIME).is_empty(),
            "a statement runs"
        );
    }
    assert_eq!(sessions.overdue(start + TRANSACTION_LIFETIME, TRANSACTION_LIFETIME), ["open"]);
    let state = session.try_lock().unwrap();
    assert_eq!(state.numbers.phase(), Phase::Aborted);
    assert_eq!(state.numbers.proceed(1).unwrap_err().code().number(), 251);
}

#[tokio::test]
async fn a_statement_that_is_cut_off_aborts_its_transaction() {
    let sessions = Sessions::default();
    let session = sessions.touch(id(1), Instant::now()).unwrap();
    {
        let mut held = session.hold(false).await;
        held.numbers.begin(1).unwrap();
        held.open = Some("open");
        held.settle();
    }
    assert_eq!(session.lock().await.numbers.phase(), Phase::InProgress);
    drop(session.hold(false).await);
    let state = session.lock().await;
    assert_eq!(state.numbers.phase(), Phase::Aborted);
    assert!(state.open.is_none());
}

#[tokio::test]
async fn a_commit_that_is_cut_off_is_of_unknown_end() {
    let sessions = Sessions::<&str>::default();
    let session = sessions.touch(id(1), Instant::now()).unwrap();
    session.lock().await.numbers.begin(1).unwrap();
    drop(session.hold(true).await);
    assert_eq!(session.lock().await.numbers.phase(), Phase::None);
}
