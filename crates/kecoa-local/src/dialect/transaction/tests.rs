//! The rules of transactions, without a server.

use kecoa_sql::Statement;

use super::*;
use crate::dialect::catalog::{Catalog, Context};

fn plan(transaction: &mut Transaction, sql: &str) -> Vec<String> {
    let statement = Statement::whole(sql.as_bytes(), false).unwrap();
    let catalog = Catalog::default();
    let context = Context {
        database: "d",
        catalog: &catalog,
        backslash_escapes: false,
        settings: &super::super::settings::Settings::default(),
        parameters: None,
    };
    let analysis = crate::dialect::analyse(&statement, &context).unwrap();
    let planned = transaction.plan(&analysis);
    planned.pieces.iter().map(|p| String::from_utf8(p.sql.text.clone()).unwrap()).collect()
}

#[test]
fn a_restart_is_a_new_transaction_with_the_same_options() {
    let mut t = Transaction::default();
    let priority = "SET LOCAL kecoa.transaction_priority TO 'low'";
    assert_eq!(plan(&mut t, "BEGIN READ ONLY, PRIORITY LOW"), ["BEGIN READ ONLY", priority]);
    assert_eq!(plan(&mut t, "SAVEPOINT cockroach_restart"), ["SAVEPOINT \"cockroach_restart\""]);
    plan(&mut t, "SELECT * FROM t");
    t.failed("40001", OnError::Fail, 7);
    t.ready(b'E');
    assert_eq!(
        plan(&mut t, "ROLLBACK TO SAVEPOINT COCKROACH_RESTART"),
        [
            "ROLLBACK",
            "BEGIN READ ONLY",
            "SET LOCAL kecoa.first_failure TO '7'",
            priority,
            "SAVEPOINT \"cockroach_restart\"",
        ]
    );
    assert_eq!(t.phase, Phase::Open);
    assert_eq!(plan(&mut t, "RELEASE cockroach_restart"), ["COMMIT", "BEGIN"]);
    assert_eq!(t.ready(b'T'), b'T');
    assert!(plan(&mut t, "SELECT 1")[0].contains("25000"));
    assert_eq!(t.ready(b'E'), b'T', "the client's transaction is committed, not failed");
    assert_eq!(plan(&mut t, "ROLLBACK"), ["ROLLBACK"]);
    assert_eq!(t.phase, Phase::Idle);
}

#[test]
fn any_savepoint_before_the_first_work_can_be_restarted_from() {
    let mut t = Transaction::default();
    plan(&mut t, "BEGIN");
    plan(&mut t, "SAVEPOINT a");
    plan(&mut t, "SAVEPOINT b");
    plan(&mut t, "SELECT * FROM t");
    plan(&mut t, "SAVEPOINT c");
    t.failed("40001", OnError::Fail, 7);
    t.ready(b'E');
    assert!(plan(&mut t, "ROLLBACK TO c")[1].contains("40001"));
    let restarted = plan(&mut t, "ROLLBACK TO b");
    assert_eq!(restarted[0], "ROLLBACK");
    assert_eq!(restarted[3..], ["SAVEPOINT \"a\"", "SAVEPOINT \"b\""]);
    assert_eq!(plan(&mut t, "RELEASE b"), ["RELEASE SAVEPOINT \"b\""]);
    assert_eq!(t.initial, ["a"]);
}

#[test]
fn a_failed_release_keeps_the_savepoint_only_after_a_retry_error() {
    for (code, statements) in [("40001", 3), ("23503", 2)] {
        let mut t = Transaction::default();
        plan(&mut t, "BEGIN");
        plan(&mut t, "SAVEPOINT cockroach_restart");
        t.failed(code, OnError::Release, 1);
        assert_eq!(t.after_failed_release().len(), statements);
        assert_eq!(t.phase, Phase::Failed);
    }
}

#[test]
fn three_attempts_fail_and_the_fourth_succeeds_again_and_again() {
    let mut t = Transaction::default();
    plan(&mut t, "SET inject_retry_errors_enabled = on");
    for _ in 0..2 {
        for attempt in 0..4 {
            plan(&mut t, "BEGIN");
            assert!(!plan(&mut t, "SHOW database")[0].contains("40001"));
            let injected = plan(&mut t, "UPDATE t SET a = 1")[0].contains("40001");
            assert_eq!(injected, attempt < 3);
            if injected {
                t.failed("40001", OnError::Injected, 1);
                t.ready(b'E');
                plan(&mut t, "ROLLBACK");
            } else {
                plan(&mut t, "COMMIT");
            }
        }
    }
    assert!(!plan(&mut t, "UPDATE t SET a = 1")[0].contains("40001"), "no transaction");
}

#[test]
fn a_rollback_undoes_the_switch() {
    let mut t = Transaction::default();
    plan(&mut t, "BEGIN");
    plan(&mut t, "SET inject_retry_errors_enabled = on");
    assert!(t.watches(Class::Work));
    plan(&mut t, "ROLLBACK");
    assert!(!t.watches(Class::Work));
}
