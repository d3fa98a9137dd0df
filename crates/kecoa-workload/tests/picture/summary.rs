//! The document, and the text at a run's end.

use std::time::Duration;

use kecoa_workload::{End, Event, Outcome, Recorder, Summary};

use crate::golden::assert_golden;
use crate::scripted::{about, failed, failure, small, succeeded, summary_of, transaction};

#[test]
fn the_json_of_a_small_run_is_exactly_this() {
    assert_golden("small.json", &summary_of(&small(), End::Violated).to_json());
}

#[test]
fn the_text_of_a_small_run_is_exactly_this() {
    assert_golden("small.txt", &summary_of(&small(), End::Violated).to_text(false));
}

#[test]
fn colours_are_all_that_colour_changes() {
    let summary = summary_of(&small(), End::Violated);
    let colored = summary.to_text(true);
    assert!(colored.contains("\u{1b}[31m"));
    let mut plain = String::new();
    for piece in colored.split('\u{1b}') {
        plain.push_str(
            piece.split_once('m').filter(|_| piece.starts_with('[')).map_or(piece, |p| p.1),
        );
    }
    assert_eq!(plain, summary.to_text(false));
}

#[test]
fn a_run_without_events_has_a_summary() {
    let summary = summary_of(&[], End::Interrupted);
    assert_golden("empty.txt", &summary.to_text(false));
    assert_eq!(summary.transactions.committed_per_second, 0.0);
    assert_eq!(serde_json::from_str::<Summary>(&summary.to_json()).unwrap(), summary);
}

#[test]
fn rates_are_of_the_time_in_which_transactions_were_begun() {
    let done = |worker, started, took| {
        let attempts = vec![succeeded(took)];
        transaction("transfer", worker, started, attempts, Outcome::Committed)
    };
    let ending = Event::Ending { at: Duration::from_secs(2) };
    // Three commits in two seconds; the fourth was under way at their end, and took long.
    let events =
        [done(0, 0, 500), done(0, 500, 500), done(1, 0, 1_900), ending, done(1, 1_900, 8_000)];
    let summary = summary_of(&events, End::Completed);
    assert_eq!((summary.begun_us, summary.duration_us), (2_000_000, 9_900_000));
    assert_eq!(summary.transactions.committed, 4);
    assert_eq!(summary.transactions.committed_per_second, 1.5);
    // While it runs, time is what has passed.
    let running = summary_of(&events[..3], End::Running);
    assert_eq!(running.begun_us, running.duration_us);
}

#[test]
fn json_can_be_read_again() {
    let summary = summary_of(&small(), End::Completed);
    assert_eq!(serde_json::from_str::<Summary>(&summary.to_json()).unwrap(), summary);
}

#[test]
fn no_secret_of_the_url_is_in_it() {
    let summary = summary_of(&small(), End::Completed);
    assert_eq!(summary.run.database, "maria@db.example:26257/bank");
    for shown in [summary.to_json(), summary.to_text(true)] {
        assert!(!shown.contains("s3cret"));
    }
}

#[test]
fn text_of_others_controls_no_terminal() {
    let hostile = "\u{1b}]0;x\u{7}\u{1b}[2J\r\n\u{9b}31m\u{202e}oops";
    let attempts = vec![failed(1, failure(Some(hostile), hostile, hostile), None)];
    let outcome = Outcome::Failed(hostile.to_owned());
    let mut recorder = Recorder::new();
    recorder.record(&transaction("transfer", 0, 0, attempts, outcome));
    recorder.record(&Event::Fault { at: std::time::Duration::ZERO, what: hostile.to_owned() });
    let hostile_about = kecoa_workload::About {
        server: hostile.to_owned(),
        workload: hostile.to_owned(),
        chosen: vec![("x", hostile.to_owned())],
        ..about()
    };
    let summary = Summary::new(&recorder, &hostile_about, std::time::UNIX_EPOCH, End::Completed);
    for shown in [summary.to_json(), summary.to_text(false)] {
        assert!(shown.contains("oops"));
        assert!(shown.chars().all(|c| c == '\n' || !c.is_control() && c != '\u{202e}'), "{shown}");
    }
}

#[test]
fn no_line_is_wider_than_80_columns() {
    let long = "a reason that goes on and on ".repeat(20);
    let attempts = vec![failed(1, failure(Some("40001"), &long, &long), None)];
    let outcome = Outcome::Ambiguous(kecoa_workload::Resolution::Unknown);
    let check = Event::Checked {
        at: std::time::Duration::ZERO,
        check: "sum",
        result: Err(format!("{long}indeed")),
    };
    let events = [transaction("transfer", 0, 0, attempts, outcome), check];
    let text = summary_of(&events, End::Violated).to_text(false);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}
