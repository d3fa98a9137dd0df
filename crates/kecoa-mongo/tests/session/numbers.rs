//! Every phase of a session's number against every request.

use kecoa_mongo::error::Label;
use kecoa_mongo::session::numbers::{Commit, Numbers, Phase};

fn in_phase(phase: Phase) -> Numbers {
    let mut numbers = Numbers::default();
    match phase {
        Phase::None => {}
        Phase::Writes => assert!(!numbers.write(5).unwrap()),
        Phase::InProgress => assert!(!numbers.begin(5).unwrap()),
        Phase::Committed => numbers.committed(5),
        Phase::Aborted => numbers.aborted(5),
    }
    numbers
}

/// What is asked, for which number.
#[derive(Clone, Copy, Debug)]
enum Ask {
    Begin(i64),
    Proceed(i64),
    Commit(i64),
    Abort(i64),
    Write(i64),
}

/// `ok`, `left` (an older transaction is left open), `again`, `unknown`, or a code.
fn ask(numbers: &mut Numbers, ask: Ask) -> String {
    let left = |left: bool| if left { "left" } else { "ok" }.to_owned();
    let result = match ask {
        Ask::Begin(number) => numbers.begin(number).map(left),
        Ask::Write(number) => numbers.write(number).map(left),
        Ask::Proceed(number) => numbers.proceed(number).map(|()| "ok".to_owned()),
        Ask::Abort(number) => numbers.abort(number).map(|()| "ok".to_owned()),
        Ask::Commit(number) => numbers.commit(number).map(|commit| {
            match commit {
                Commit::Open => "ok",
                Commit::Again => "again",
                Commit::Unknown => "unknown",
            }
            .to_owned()
        }),
    };
    result.unwrap_or_else(|error| error.code().number().to_string())
}

#[test]
fn every_phase_answers_every_request() {
    use Ask::{Abort, Begin, Commit, Proceed, Write};
    use Phase::{Aborted, Committed, InProgress, None, Writes};
    let table: &[(Ask, [(Phase, &str); 5])] = &[
        (
            Begin(4),
            [
                (None, "ok"),
                (Writes, "225"),
                (InProgress, "225"),
                (Committed, "225"),
                (Aborted, "225"),
            ],
        ),
        (
            Begin(5),
            [
                (None, "ok"),
                (Writes, "117"),
                (InProgress, "117"),
                (Committed, "117"),
                (Aborted, "117"),
            ],
        ),
        (
            Begin(6),
            [
                (None, "ok"),
                (Writes, "ok"),
                (InProgress, "left"),
                (Committed, "ok"),
                (Aborted, "ok"),
            ],
        ),
        (
            Proceed(4),
            [
                (None, "251"),
                (Writes, "225"),
                (InProgress, "225"),
                (Committed, "225"),
                (Aborted, "225"),
            ],
        ),
        (
            Proceed(5),
            [
                (None, "251"),
                (Writes, "251"),
                (InProgress, "ok"),
                (Committed, "256"),
                (Aborted, "251"),
            ],
        ),
        (
            Proceed(6),
            [
                (None, "251"),
                (Writes, "251"),
                (InProgress, "251"),
                (Committed, "251"),
                (Aborted, "251"),
            ],
        ),
        (
            Commit(4),
            [
                (None, "unknown"),
                (Writes, "225"),
                (InProgress, "225"),
                (Committed, "225"),
                (Aborted, "225"),
            ],
        ),
        (
            Commit(5),
            [
                (None, "unknown"),
                (Writes, "251"),
                (InProgress, "ok"),
                (Committed, "again"),
                (Aborted, "251"),
            ],
        ),
        (
            Commit(6),
            [
                (None, "unknown"),
                (Writes, "unknown"),
                (InProgress, "unknown"),
                (Committed, "unknown"),
                (Aborted, "unknown"),
            ],
        ),
        (
            Abort(4),
            [
                (None, "251"),
                (Writes, "225"),
                (InProgress, "225"),
                (Committed, "225"),
                (Aborted, "225"),
            ],
        ),
        (
            Abort(5),
            [
                (None, "251"),
                (Writes, "251"),
                (InProgress, "ok"),
                (Committed, "256"),
                (Aborted, "251"),
            ],
        ),
        (
            Abort(6),
            [
                (None, "251"),
                (Writes, "251"),
                (InProgress, "251"),
                (Committed, "251"),
                (Aborted, "251"),
            ],
        ),
        (
            Write(4),
            [
                (None, "ok"),
                (Writes, "225"),
                (InProgress, "225"),
                (Committed, "225"),
                (Aborted, "225"),
            ],
        ),
        (
            Write(5),
            [
                (None, "ok"),
                (Writes, "ok"),
                (InProgress, "117"),
                (Committed, "117"),
                (Aborted, "117"),
            ],
        ),
        (
            Write(6),
            [
                (None, "ok"),
                (Writes, "ok"),
                (InProgress, "left"),
                (Committed, "ok"),
                (Aborted, "ok"),
            ],
        ),
    ];
    for (request, row) in table {
        for (phase, expected) in row {
            assert_eq!(ask(&mut in_phase(*phase), *request), *expected, "{request:?} in {phase:?}");
        }
    }
}

#[test]
fn a_transaction_that_is_not_there_may_be_tried_again_as_a_whole() {
    let error = Numbers::default().proceed(1).unwrap_err();
    assert_eq!(error.labels(), [Label::TransientTransactionError]);
    let error = in_phase(Phase::Committed).proceed(5).unwrap_err();
    assert!(error.labels().is_empty());
}

#[test]
fn a_commit_that_nobody_saw_the_end_of_is_looked_up() {
    let mut numbers = in_phase(Phase::InProgress);
    numbers.lost();
    assert_eq!(numbers.commit(5).unwrap(), Commit::Unknown);
    assert_eq!(numbers.proceed(5).unwrap_err().code().number(), 251);
}

#[test]
fn a_transaction_that_was_refused_begins_again_with_its_number() {
    let mut numbers = in_phase(Phase::Committed);
    assert_eq!(ask(&mut numbers, Ask::Begin(6)), "ok");
    numbers.refused(6);
    assert_eq!(ask(&mut numbers, Ask::Proceed(6)), "251");
    assert_eq!(ask(&mut numbers, Ask::Begin(6)), "ok");
    assert_eq!(ask(&mut numbers, Ask::Begin(6)), "117");
    assert_eq!(ask(&mut numbers, Ask::Begin(5)), "225");
}
