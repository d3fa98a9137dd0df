//! `AS OF SYSTEM TIME`: reads that may be a little stale read the present.
//!
//! PostgreSQL keeps no past. `follower_read_timestamp()`, `with_max_staleness` and
//! `with_min_timestamp` ask for rows that are fresh enough, and so does an interval of up to a
//! minute: the present answers them, with a notice. A point in time asks for what was,
//! which is refused.

use kecoa_sql::Statement;
use kecoa_sql::TokenKind;

use super::edit::Edits;
use super::plan::Refusal;

/// The notice for the client.
pub(super) const PRESENT: &str = "the local endpoint keeps no past: AS OF SYSTEM TIME reads the \
                                  present";

/// Intervals up to so many seconds are taken for staleness that does not matter.
const STALENESS: f64 = 60.0;

fn refusal() -> Refusal {
    Refusal {
        detail: String::new(),
        hint: "follower_read_timestamp(), with_max_staleness() and intervals of up to a minute \
               read the present here; for the past point DATABASE_URL at a CockroachDB cluster"
            .to_owned(),
        ..Refusal::cluster_only("read the past (AS OF SYSTEM TIME)")
    }
}

/// One past the time that starts at `at`, behind the word TIME.
///
/// # Errors
/// When it asks for the past.
pub(super) fn end(statement: &Statement<'_>, at: usize) -> Result<usize, Refusal> {
    const STALE: [&str; 3] =
        ["follower_read_timestamp", "with_max_staleness", "with_min_timestamp"];
    match statement.kind(at) {
        Some(TokenKind::String) => {
            let wanted = statement.value(at).as_deref().and_then(interval);
            if !wanted.is_some_and(|seconds| (0.0..=STALENESS).contains(&seconds)) {
                return Err(refusal());
            }
            let cast = statement.is_mark(at + 1, "::") && statement.is(at + 2, "interval");
            Ok(at + if cast { 3 } else { 1 })
        }
        // INTERVAL '-10s'
        _ if statement.is(at, "INTERVAL") && statement.kind(at + 1) == Some(TokenKind::String) => {
            end(statement, at + 1)
        }
        _ if statement.is_any(at, &STALE) && statement.is_mark(at + 1, "(") => {
            statement.partner(at + 1).map(|closing| closing + 1).ok_or_else(refusal)
        }
        _ => Err(refusal()),
    }
}

/// Drops the `AS OF SYSTEM TIME …` at `at`; returns the index of what follows it.
pub(super) fn rewrite(
    statement: &Statement<'_>,
    at: usize,
    edits: &mut Edits,
) -> Result<usize, Refusal> {
    let end = end(statement, at + 4)?;
    edits.replace(statement.start(at), statement.end(end - 1), "");
    edits.add_notice(PRESENT);
    Ok(end)
}

/// How many seconds ago `-10s`, `-1m30s`, `-500ms` or `-00:00:10` is.
fn interval(text: &str) -> Option<f64> {
    let text = text.trim().strip_prefix('-')?.trim();
    if text.contains(':') {
        let mut seconds = 0.0;
        for part in text.split(':') {
            seconds = seconds * 60.0 + number(part)?;
        }
        return Some(seconds);
    }
    let mut seconds = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (amount, after) = rest.split_at_checked(digits)?;
        let after = after.trim_start();
        let letters = after.find(|c: char| !c.is_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(letters)?;
        let unit = match unit.to_lowercase().as_str() {
            "ns" => 1e-9,
            "us" | "µs" | "μs" => 1e-6,
            "ms" => 1e-3,
            "s" | "sec" | "second" | "seconds" => 1.0,
            "m" | "min" | "minute" | "minutes" => 60.0,
            "h" | "hr" | "hour" | "hours" => 3600.0,
            _ => return None,
        };
        seconds += number(amount)? * unit;
        rest = after.trim_start();
    }
    (!text.is_empty()).then_some(seconds)
}

fn number(text: &str) -> Option<f64> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    text.parse().ok().filter(|_| plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals() {
        let close = |text: &str, wanted: f64| (interval(text).unwrap() - wanted).abs() < 1e-9;
        assert!(close("-10s", 10.0) && close("-1m30s", 90.0) && close("-500ms", 0.5));
        assert!(close("-00:01:10", 70.0) && close(" -2 seconds", 2.0) && close("-1.5h", 5400.0));
        for text in ["", "-", "10s", "-s", "-10", "-1d", "-1x", "2020-01-01", "-1:x", "-NaNs"] {
            assert_eq!(interval(text), None, "{text}");
        }
    }
}
