//! Who may read a cursor, and how long.

use std::time::{Duration, Instant};

use kecoa_mongo::session::cursors::{CURSOR_TIMEOUT, CursorUser, Killed};
use kecoa_mongo::session::{CursorOwner, Cursors, SessionId};

const SECOND: Duration = Duration::from_secs(1);

fn owner() -> CursorOwner {
    CursorOwner {
        watches: false,
        namespace: "db.c".to_owned(),
        user: Some("u@admin".to_owned()),
        session: Some(SessionId::new([1; 16], None)),
        transaction: Some(3),
        no_timeout: false,
    }
}

fn user() -> CursorUser<'static> {
    CursorUser {
        namespace: "db.c",
        user: Some("u@admin"),
        session: Some(SessionId::new([1; 16], None)),
        transaction: Some(3),
    }
}

#[test]
fn only_its_owner_reads_a_cursor() {
    let cursors = Cursors::new(1);
    let id = cursors.open("rows", owner(), Instant::now());
    let other = Some(SessionId::new([2; 16], None));
    let table = [
        (CursorUser { user: None, ..user() }, 13),
        (CursorUser { user: Some("v@admin"), ..user() }, 13),
        (CursorUser { namespace: "db.d", ..user() }, 13),
        (CursorUser { session: None, ..user() }, 50738),
        (CursorUser { session: other, ..user() }, 50738),
        (CursorUser { transaction: None, ..user() }, 50741),
        (CursorUser { transaction: Some(4), ..user() }, 50741),
    ];
    for (by, code) in table {
        assert_eq!(cursors.check_out(id, by).unwrap_err().code().number(), code, "{by:?}");
    }
    assert_eq!(cursors.check_out(id + 1, user()).unwrap_err().code().number(), 43);
    let error = cursors.check_out(77, user()).unwrap_err();
    assert_eq!(error.message(), "cursor id 77 not found");
    let (rows, _) = cursors.check_out(id, user()).unwrap();
    assert_eq!(rows, "rows");
    assert_eq!(cursors.check_out(id, user()).unwrap_err().code().number(), 12051);
    assert_eq!(cursors.check_in(id, rows, Instant::now()), None);
    assert!(cursors.check_out(id, user()).is_ok());
    cursors.close(id);
    assert_eq!(cursors.count(), 0);
}

#[test]
fn a_cursor_without_a_session_is_not_for_one() {
    let cursors = Cursors::new(1);
    let id = cursors.open(
        (),
        CursorOwner { session: None, transaction: None, ..owner() },
        Instant::now(),
    );
    let by = CursorUser { transaction: None, ..user() };
    assert_eq!(cursors.check_out(id, by).unwrap_err().code().number(), 50738);
    assert!(cursors.check_out(id, CursorUser { session: None, ..by }).is_ok());
}

#[test]
fn ids_are_positive_and_carry_the_gateway() {
    for gateway in [0, 1, 0x7fff, 0xffff] {
        let cursors = Cursors::new(gateway);
        for _ in 0..100 {
            let id = cursors.open((), owner(), Instant::now());
            assert!(id > 0);
            assert_eq!(id >> 48, i64::from(gateway & 0x7fff));
        }
        assert_eq!(cursors.count(), 100);
    }
}

#[test]
fn kill_says_what_became_of_it() {
    let cursors = Cursors::new(1);
    let now = Instant::now();
    let id = cursors.open("rows", owner(), now);
    assert_eq!(cursors.kill(id + 1, "db.c", Some("u@admin")), (Killed::NotFound, None));
    assert_eq!(cursors.kill(id, "db.c", None), (Killed::Alive, None));
    assert_eq!(cursors.kill(id, "db.d", Some("u@admin")), (Killed::Alive, None));
    assert_eq!(cursors.kill(id, "db.c", Some("u@admin")), (Killed::Killed, Some("rows")));
    let id = cursors.open("rows", owner(), now);
    let (rows, _) = cursors.check_out(id, user()).unwrap();
    assert_eq!(
        cursors.kill(id, "db.c", Some("u@admin")),
        (Killed::Killed, None),
        "it is being read"
    );
    assert_eq!(cursors.check_out(id, user()).unwrap_err().code().number(), 43);
    assert_eq!(cursors.check_in(id, rows, now), Some("rows"), "it is not kept");
    assert_eq!(cursors.count(), 0);
}

#[test]
fn idle_cursors_end_but_not_all() {
    let cursors = Cursors::new(1);
    let start = Instant::now();
    let plain = CursorOwner { transaction: None, ..owner() };
    cursors.open("idle", plain.clone(), start);
    cursors.open("lasting", CursorOwner { no_timeout: true, ..plain.clone() }, start);
    cursors.open("in a transaction", owner(), start);
    let read = cursors.open("read", plain, start);
    let by = CursorUser { transaction: None, ..user() };
    let (rows, _) = cursors.check_out(read, by).unwrap();
    assert!(cursors.expire(start + CURSOR_TIMEOUT, CURSOR_TIMEOUT).is_empty());
    assert_eq!(cursors.expire(start + CURSOR_TIMEOUT + SECOND, CURSOR_TIMEOUT), ["idle"]);
    assert_eq!(cursors.check_in(read, rows, start + CURSOR_TIMEOUT + SECOND), None);
    assert_eq!(cursors.expire(start + CURSOR_TIMEOUT + 2 * SECOND, CURSOR_TIMEOUT), [""; 0]);
    let session = owner().session;
    assert_eq!(cursors.kill_where(|owner| owner.session == session).len(), 3);
}
