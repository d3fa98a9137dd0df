//! What is said about an error: SQLSTATE, place, detail, hint, and what to do.

use kecoa::Error;
use kecoa::proto::{ServerError, TransactionStatus};

use crate::escape;
use crate::style::{Role, Style};

/// A server's error or notice, with the line of the statement that it points at.
pub(crate) fn server(error: &ServerError, sql: &str, style: Style) -> String {
    let severity = error.localized_severity();
    let role = match severity.as_ref() {
        "ERROR" | "FATAL" | "PANIC" => Role::Error,
        _ => Role::Warning,
    };
    let state = error.sqlstate();
    let mut text = style.paint(role, &escape::line(severity.as_bytes()));
    if state.as_str() != "00000" {
        text.push_str(&format!(" {}", state.as_str()));
    }
    text.push_str(&format!(": {}", escape::lines(error.message().as_bytes())));
    let caret = error.position().and_then(|position| pointed_at(sql, position));
    let is_shown = caret.is_some();
    if let Some(caret) = caret {
        text.push('\n');
        text.push_str(&caret);
    }
    // CockroachDB's way to point at the place: once is enough.
    let detail = error.detail().filter(|detail| !(is_shown && detail.starts_with("source SQL:\n")));
    for (label, value) in [("DETAIL", detail), ("HINT", error.hint())] {
        if let Some(value) = value {
            let label = style.paint(Role::Heading, label);
            text.push_str(&format!("\n{label}: {}", escape::lines(value.as_bytes())));
        }
    }
    // Where in a function it happened; a remark of one is rarely worth it.
    if role == Role::Error
        && let Some(context) = error.context()
    {
        let label = style.paint(Role::Heading, "CONTEXT");
        text.push_str(&format!("\n{label}: {}", escape::lines(context.as_bytes())));
    }
    text
}

/// The line of the statement with this character, counted from 1, and a caret beneath it.
fn pointed_at(sql: &str, position: u32) -> Option<String> {
    let index = usize::try_from(position).ok()?.checked_sub(1)?;
    let at = sql
        .char_indices()
        .nth(index)
        .map(|(at, _)| at)
        .or_else(|| (sql.chars().count() == index).then_some(sql.len()))?;
    let before = sql.get(..at)?;
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let end = sql.get(at..)?.find('\n').map_or(sql.len(), |end| at + end);
    let number = before.matches('\n').count() + 1;
    let label = format!("LINE {number}: ");
    // A long line is shown around the place.
    let (line, place) = (sql.get(start..end)?, at - start);
    let from = line
        .char_indices()
        .map(|(index, _)| index)
        .take_while(|index| *index <= place)
        .find(|index| place - index <= 60)
        .unwrap_or(0);
    let to = line
        .char_indices()
        .map(|(index, _)| index)
        .find(|index| *index >= place + 60)
        .unwrap_or(line.len());
    let (left, right) = (if from > 0 { "…" } else { "" }, if to < line.len() { "…" } else { "" });
    let shown = escape::line(line.get(from..to)?.as_bytes()).into_owned();
    let ahead = escape::line(line.get(from..place)?.as_bytes()).into_owned();
    let blanks = escape::width(&label) + escape::width(left) + escape::width(&ahead);
    Some(format!("{label}{left}{shown}{right}\n{}^", " ".repeat(blanks)))
}

/// Everything there is to say about an error. `before` is the transaction's state when the statement
/// was sent, `interrupted` whether Ctrl-C was pressed.
pub(crate) fn error(
    error: &Error,
    sql: &str,
    before: TransactionStatus,
    interrupted: bool,
    style: Style,
) -> String {
    let mut text = match error.server() {
        Some(report) => server(report, sql, style),
        None => {
            let label = style.paint(Role::Error, "ERROR");
            format!("{label}: {}", escape::lines(error.to_string().as_bytes()))
        }
    };
    if let Some(advice) = advice(error, before, interrupted) {
        for line in advice.lines() {
            text.push_str(&format!("\n{} {line}", style.paint(Role::Heading, "->")));
        }
    }
    text
}

/// What it means, and what to do, where that is not plain from the error.
fn advice(error: &Error, before: TransactionStatus, interrupted: bool) -> Option<&'static str> {
    let open = before != TransactionStatus::Idle;
    if error.is_ambiguous() {
        return Some(
            "the statement may or may not have been committed: nobody can tell from here\n\
             look whether its effect is there before you run it again",
        );
    }
    if error.is_connection_lost() {
        return Some(if open {
            "the connection was lost within a transaction, which is rolled back: nothing of it is kept\n\
             run it again from its BEGIN"
        } else {
            "the connection was lost; nothing was committed by this statement"
        });
    }
    match error.sqlstate() {
        Some("40001") if open => Some(
            "another transaction got in the way: the server rolled this one back, nothing of it is kept\n\
             type ROLLBACK, and run the whole transaction again from its BEGIN",
        ),
        Some("40001") => Some(
            "another transaction got in the way; no transaction was open, so nothing was changed\n\
             run the statement again",
        ),
        Some("25P02") => Some("the transaction has failed: type ROLLBACK to end it"),
        Some("57014") if interrupted && open => {
            Some("cancelled by Ctrl-C; the transaction has failed: type ROLLBACK to end it")
        }
        Some("57014") if interrupted => Some("cancelled by Ctrl-C"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use kecoa::proto::SqlState;

    use super::*;

    const PLAIN: Style = Style { on: false };

    fn built(state: &str, message: &str, position: Option<u32>) -> Box<ServerError> {
        let state = SqlState::from_bytes(state.as_bytes()).expect("a SQLSTATE");
        let mut builder = ServerError::builder("ERROR", state, message);
        if let Some(position) = position {
            builder = builder.position(position);
        }
        Box::new(builder.detail("more").hint("do this").build().expect("no NUL"))
    }

    #[test]
    fn a_caret_stands_under_the_place() {
        let text = server(&built("42601", "syntax error", Some(12)), "SELECT 1\nFRM x", PLAIN);
        assert_eq!(
            text,
            "ERROR 42601: syntax error\nLINE 2: FRM x\n          ^\nDETAIL: more\nHINT: do this"
        );
        // Wide characters count as two columns; the end of the text is a place, too.
        assert!(
            pointed_at("SELECT '日本' x", 14)
                .expect("a place")
                .ends_with("日本' x\n                       ^")
        );
        assert!(pointed_at("SELECT", 7).expect("the end").ends_with("\n              ^"));
        assert_eq!(pointed_at("SELECT", 9), None);
        let long = format!("SELECT {}, x FRM t", "1, ".repeat(100));
        let shown = pointed_at(&long, 315).expect("a place");
        assert!(shown.lines().all(|line| escape::width(line) < 140), "{shown}");
        let caret = shown.lines().nth(1).and_then(|line| line.find('^')).expect("a caret");
        assert_eq!(
            shown.lines().next().and_then(|line| line.chars().nth(caret)),
            long.chars().nth(314)
        );
    }

    #[test]
    fn errors_that_need_it_are_explained() {
        let idle = TransactionStatus::Idle;
        let open = TransactionStatus::InTransaction;
        let of = |state| Error::from_server(built(state, "x", None));
        for (state, before, interrupted, piece) in [
            ("40001", open, false, "run the whole transaction again from its BEGIN"),
            ("40001", idle, false, "no transaction was open"),
            ("40003", idle, false, "may or may not have been committed"),
            ("25P02", open, false, "type ROLLBACK"),
            ("57014", idle, true, "cancelled by Ctrl-C"),
        ] {
            let text = error(&of(state), "", before, interrupted, PLAIN);
            assert!(text.contains(piece), "{state}: {text}");
        }
        assert!(!error(&of("57014"), "", idle, false, PLAIN).contains("Ctrl-C"));
        let lost = Error::connection_lost("the connection was lost");
        assert!(error(&lost, "", open, false, PLAIN).contains("rolled back"));
        let unknown = Error::ambiguous_commit("x", lost);
        assert!(error(&unknown, "", idle, false, PLAIN).contains("may or may not"));
    }

    #[test]
    fn errors_say_where_in_a_function_they_happened_and_notices_do_not() {
        for (severity, said) in [("ERROR", true), ("FATAL", true), ("NOTICE", false)] {
            let report = ServerError::builder(
                severity,
                SqlState::from_bytes(b"P0001").expect("a SQLSTATE"),
                "no",
            );
            let report = report.field(b'W', b"PL/pgSQL function f() line 3 at RAISE");
            let text = server(&report.build().expect("an error"), "", PLAIN);
            assert_eq!(
                text.ends_with("\nCONTEXT: PL/pgSQL function f() line 3 at RAISE"),
                said,
                "{text}"
            );
        }
    }

    #[test]
    fn the_place_of_a_syntax_error_is_shown_once() {
        let built = |position: Option<u32>| {
            let state = SqlState::from_bytes(b"42601").expect("a SQLSTATE");
            let report = ServerError::builder("ERROR", state, "syntax error");
            let report = report.detail("source SQL:\nSELEC 1\n^");
            let report = position.into_iter().fold(report, |report, at| report.position(at));
            server(&report.build().expect("an error"), "SELEC 1", PLAIN)
        };
        assert_eq!(built(Some(1)), "ERROR 42601: syntax error\nLINE 1: SELEC 1\n        ^");
        assert_eq!(built(None), "ERROR 42601: syntax error\nDETAIL: source SQL:\nSELEC 1\n^");
    }

    #[test]
    fn text_of_the_server_is_escaped() {
        let text = server(&built("42601", "a\x1b[2Jb", None), "", PLAIN);
        assert!(text.contains("a\\x1b[2Jb"), "{text}");
    }
}
