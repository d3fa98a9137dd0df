//! The document, and the text at a run's end.

use kecoa_workload::{End, Event, Recorder, Summary};

use crate::golden::assert_golden;
use crate::scripted::{about, failed, failure, small, summary_of, transaction};

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
    let outcome = kecoa_workload::Outcome::Failed(hostile.to_owned());
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
    let outcome = kecoa_workload::Outcome::Ambiguous(kecoa_workload::Resolution::Unknown);
    let check = Event::Checked {
        at: std::time::Duration::ZERO,
        check: "sum",
        result: Err(format!("{long}indeed")),
    };
    let events = [transaction("transfer", 0, 0, attempts, outcome), check];
    let text = summary_of(&events, End::Violated).to_text(false);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}
