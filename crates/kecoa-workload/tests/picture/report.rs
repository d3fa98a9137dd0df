//! The report: well-formed, whole, and with nothing from elsewhere.

use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use kecoa_workload::{About, End, Event, Outcome, Recorder, Resolution, Summary};

use crate::golden::assert_golden;
use crate::scripted::{about, busy, failed, failure, small, succeeded, summary_of, transaction};

/// Reads the markup as XML; gives its elements' names and its text, or what is wrong.
fn read(html: &str) -> Result<(Vec<String>, String), String> {
    let mut rest = html.strip_prefix("<!DOCTYPE html>").ok_or("no DOCTYPE")?;
    let (mut open, mut names, mut text) = (Vec::new(), Vec::new(), String::new());
    loop {
        let (before, tag) = match rest.split_once('<') {
            None => {
                let closed = open.is_empty() && rest.trim().is_empty();
                return if closed { Ok((names, text)) } else { Err(format!("open: {open:?}")) };
            }
            Some((before, after)) => (before, after),
        };
        text.push_str(&unescaped(before)?);
        let (tag, after) = tag.split_once('>').ok_or("a tag without an end")?;
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            let last = open.pop();
            if last.as_deref() != Some(name) {
                return Err(format!("</{name}> closes {last:?}"));
            }
            continue;
        }
        let (tag, is_empty) = match tag.strip_suffix('/') {
            Some(tag) => (tag, true),
            None => (tag, false),
        };
        let (name, mut attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        if !name.chars().all(|c| c.is_ascii_alphanumeric()) || name.is_empty() {
            return Err(format!("a tag named {name:?}"));
        }
        while !attributes.is_empty() {
            let (attribute, value) =
                attributes.split_once("=\"").ok_or(format!("attributes {attributes:?}"))?;
            if !attribute.trim().chars().all(|c| c.is_ascii_alphabetic() || "-123".contains(c)) {
                return Err(format!("an attribute named {attribute:?}"));
            }
            let (value, after) = value.split_once('"').ok_or("a value without an end")?;
            unescaped(value)?;
            attributes = after;
        }
        names.push(name.to_owned());
        if !is_empty {
            open.push(name.to_owned());
        }
    }
}

fn unescaped(text: &str) -> Result<String, String> {
    let mut out = text.to_owned();
    for (entity, character) in
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "\u{0}")]
    {
        out = out.replace(entity, character);
    }
    if out.contains('&') {
        return Err(format!("a bare & in {text:?}"));
    }
    Ok(out.replace('\u{0}', "&"))
}

#[test]
fn the_reader_of_these_tests_finds_what_is_wrong() {
    assert!(read("<!DOCTYPE html><p>x</p>").is_ok());
    for wrong in
        ["<p>x", "<p><b>x</p></b>", "<p a=1>x</p>", "<p>a & b</p>", "<p>a < b</p>", "x</p>"]
    {
        assert!(read(&format!("<!DOCTYPE html>{wrong}")).is_err(), "{wrong}");
    }
}

#[test]
fn the_report_of_a_small_run_is_exactly_this() {
    let style = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report/style.css");
    let html = summary_of(&small(), End::Violated).to_html();
    // The style has a file of its own already.
    let style = std::fs::read_to_string(style).unwrap();
    assert!(html.contains(&style));
    assert_golden("small.html", &html.replace(&style, ""));
}

#[test]
fn every_report_is_well_formed_and_whole() {
    let runs = [(vec![], End::Running), (small(), End::Violated), (busy(), End::Completed)];
    for (events, end) in runs {
        let html = summary_of(&events, end).to_html();
        let (names, text) = read(&html).unwrap();
        let of = |name: &str| names.iter().filter(|found| *found == name).count();
        assert_eq!(of("svg"), of("desc"), "a chart without a description");
        assert!(of("title") > of("svg"));
        assert!(text.contains("maria@db.example:26257/bank"));
        assert_eq!((of("script"), of("link"), of("img"), of("iframe")), (0, 0, 0, 0));
        let without_namespace = html.replace("http://www.w3.org/2000/svg", "");
        assert!(
            !without_namespace.contains("//") && !html.contains("url("),
            "something from elsewhere"
        );
        assert!(!html.contains("NaN") && !html.contains("inf"), "{html}");
        assert!(!html.contains("s3cret"));
    }
}

#[test]
fn every_part_is_there_when_it_has_something_to_say() {
    let (_, text) = read(&summary_of(&busy(), End::Completed).to_html()).unwrap();
    for part in [
        "Every check passed.",
        "Throughput over time",
        "Latency over time",
        "Latency histogram",
        "Transactions by their attempts",
        "40001 WriteTooOld",
        "The slowest transactions",
        "A sample of transactions",
        "error:40001@commit:0.2",
        "killed at 0:14, down for 1.15 s",
        "server down",
        "Ambiguous commits",
        "server closed the connection unexpectedly <while it answered>",
        "every acknowledged transfer is there",
        "hot share",
    ] {
        assert!(text.contains(part), "{part}");
    }
    let (_, text) = read(&summary_of(&[], End::Interrupted).to_html()).unwrap();
    for part in ["Latency over time", "Faults", "Ambiguous", "Checks", "Why attempts failed"] {
        assert!(!text.contains(part), "{part}");
    }
    assert!(text.contains("Not one transaction committed."), "{text}");
    let (_, text) = read(&summary_of(&small(), End::Completed).to_html()).unwrap();
    assert!(text.contains("An invariant is violated."), "whatever the end is called");
}

#[test]
fn text_of_others_is_only_text() {
    let hostile = "</title></style><script>alert(1)</script>\"'&lt;\u{1b}[31m";
    let attempts = vec![failed(1, failure(Some(hostile), hostile, hostile), Some(2)), succeeded(1)];
    let events = [
        transaction("transfer", 0, 0, attempts.clone(), Outcome::Committed),
        transaction("transfer", 1, 0, attempts, Outcome::Ambiguous(Resolution::Unknown)),
        Event::Fault { at: Duration::ZERO, what: hostile.to_owned() },
        Event::Checked { at: Duration::ZERO, check: "sum", result: Err(hostile.to_owned()) },
    ];
    let mut recorder = Recorder::new();
    events.iter().for_each(|event| recorder.record(event));
    let about = About {
        workload: hostile.to_owned(),
        server: hostile.to_owned(),
        url: format!("postgresql://x@localhost/{}", "%3Cscript%3E"),
        chosen: vec![("x", hostile.to_owned())],
        ..about()
    };
    let html = Summary::new(&recorder, &about, UNIX_EPOCH, End::Completed).to_html();
    let (names, text) = read(&html).unwrap();
    assert!(!names.contains(&"script".to_owned()));
    assert!(text.contains("<script>alert(1)</script>\"'&lt; [31m"), "{text}");
}
