//! The labels of every code that has one, in every situation.

use kecoa_mongo::error::{Code, Error, Label};
use kecoa_mongo::session::labels::{Situation, label};

fn labels(code: i32, situation: Situation) -> String {
    let error = label(Error::location(code, "x"), situation);
    let mut letters: Vec<_> = error
        .labels()
        .iter()
        .map(|label| match label {
            Label::TransientTransactionError => 'T',
            Label::RetryableWriteError => 'W',
            Label::NoWritesPerformed => 'N',
            Label::ResumableChangeStreamError => 'C',
            Label::NonResumableChangeStreamError => 'F',
            Label::SystemOverloadedError => 'O',
            Label::RetryableError => 'R',
        })
        .collect();
    letters.sort_unstable();
    letters.into_iter().collect()
}

#[test]
fn a_code_has_its_labels() {
    use Situation::{ChangeStream, End, Plain, RetryableWrite, Statement};
    let situations = [Plain, RetryableWrite, Statement, End, ChangeStream];
    let gone = ["", "W", "T", "W", "C"];
    let transient = ["", "", "T", "T", ""];
    let none = ["", "", "", "", ""];
    let stream = ["", "", "", "", "C"];
    let mut table = Vec::new();
    table.extend(
        [6, 7, 89, 91, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436].map(|code| (code, gone)),
    );
    table.extend([112, 24, 246, 239, 267, 251].map(|code| (code, transient)));
    table.extend([63, 133, 150, 234, 13388].map(|code| (code, stream)));
    table.extend(
        [1, 2, 9, 11, 13, 14, 20, 26, 43, 50, 64, 72, 79, 100, 134, 225, 256, 263, 11000, 11601]
            .map(|code| (code, none)),
    );
    table.push((462, ["OR", "OR", "ORT", "OR", "OR"]));
    for (code, expected) in table {
        for (situation, expected) in situations.into_iter().zip(expected) {
            assert_eq!(labels(code, situation), expected, "{code} in {situation:?}");
        }
    }
}

#[test]
fn a_label_stands_once() {
    let error =
        Error::new(Code::NO_SUCH_TRANSACTION, "x").with_label(Label::TransientTransactionError);
    assert_eq!(label(error, Situation::Statement).labels(), [Label::TransientTransactionError]);
}
