//! A server's report as text, laid out as libpq lays it out at its default verbosity.

use kecoa_proto::ServerError;

/// libpq shows at most so many columns of the statement.
const DISPLAY_SIZE: usize = 60;
/// And keeps at least so many to the right of the position.
const MIN_RIGHT_CUT: usize = 10;

/// How the texts of a report are decoded.
pub(crate) trait Decode {
    /// Bytes in the client's encoding as text, replacing what does not decode.
    fn decode(&self, bytes: &[u8]) -> String;
}

/// Which reports show their context: errors do, notices do not (`PQSHOW_CONTEXT_ERRORS`).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Error,
    Notice,
}

/// The report, each line ended: severity and message, the line of the statement and a caret,
/// DETAIL, HINT, QUERY and CONTEXT.
pub(crate) fn format(
    report: &ServerError,
    statement: Option<&str>,
    style: Style,
    decode: &dyn Decode,
) -> String {
    let field = |code| report.field(code).map(|bytes| decode.decode(bytes));
    let mut out = String::new();
    if let Some(severity) = field(b'S') {
        out.push_str(&severity);
        out.push_str(":  ");
    }
    out.push_str(&field(b'M').unwrap_or_default());
    let position = |code| field(code).and_then(|text| text.parse::<usize>().ok());
    let internal = field(b'q');
    let shown = match (position(b'P'), position(b'p')) {
        (Some(at), _) => Some((at, statement)),
        (None, Some(at)) => Some((at, internal.as_deref())),
        (None, None) => None,
    };
    match shown {
        Some((at, Some(text))) => {
            out.push('\n');
            push_position(&mut out, text, at);
        }
        Some((at, None)) => {
            out.push_str(&std::format!(" at character {at}\n"));
        }
        None => out.push('\n'),
    }
    let mut line = |label: &str, text: Option<String>| {
        if let Some(text) = text {
            out.push_str(label);
            out.push_str(":  ");
            out.push_str(&text);
            out.push('\n');
        }
    };
    line("DETAIL", field(b'D'));
    line("HINT", field(b'H'));
    line("QUERY", internal.clone());
    if style == Style::Error {
        line("CONTEXT", field(b'W'));
    }
    out
}

/// The message without its severity, as psycopg2 gives it to the exception.
pub(crate) fn without_severity(text: &str) -> &str {
    ["ERROR:  ", "FATAL:  ", "PANIC:  "]
        .iter()
        .find_map(|severity| text.strip_prefix(severity))
        .unwrap_or(text)
}

/// Columns that a character takes: two for wide East Asian ones, none for combining marks.
fn width(character: char) -> usize {
    match u32::from(character) {
        0x0300..=0x036f | 0x200b..=0x200f | 0xfe00..=0xfe0f | 0xfeff => 0,
        0x1100..=0x115f
        | 0x2e80..=0x303e
        | 0x3041..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1f64f
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

/// `LINE n: text`, cut to what fits, and a caret under character `position` (from 1).
fn push_position(out: &mut String, statement: &str, position: usize) {
    let characters: Vec<char> =
        statement.chars().map(|c| if c == '\t' { ' ' } else { c }).collect();
    let Some(at) = position.checked_sub(1).filter(|at| *at <= characters.len()) else { return };
    // The line that holds the position: \r\n counts once.
    let (mut line, mut begin, mut end) = (1, 0, characters.len());
    let mut previous = None;
    for (index, character) in characters.iter().enumerate() {
        if matches!(character, '\r' | '\n') {
            if index >= at {
                end = index;
                break;
            }
            if *character == '\r' || previous != Some('\r') {
                line += 1;
            }
            begin = index + 1;
        }
        previous = Some(*character);
    }
    let columns = |from: usize, to: usize| -> usize {
        characters.get(from..to).unwrap_or_default().iter().map(|c| width(*c)).sum()
    };
    let (mut cut_left, mut cut_right) = (false, false);
    // One pass over the line, however long: widths are taken off as characters are.
    let mut total = columns(begin, end);
    if total > DISPLAY_SIZE {
        let mut right = columns(at, end);
        let only_right = total - right + MIN_RIGHT_CUT <= DISPLAY_SIZE;
        while end > at && if only_right { total > DISPLAY_SIZE } else { right > MIN_RIGHT_CUT } {
            end -= 1;
            cut_right = true;
            let cut = columns(end, end + 1);
            total -= cut;
            right -= cut;
        }
        while !only_right && total > DISPLAY_SIZE && begin < end {
            total -= columns(begin, begin + 1);
            begin += 1;
            cut_left = true;
        }
    }
    let mut prefix = std::format!("LINE {line}: ");
    if cut_left {
        prefix.push_str("...");
    }
    let offset = prefix.len() + columns(begin, at);
    out.push_str(&prefix);
    out.extend(characters.get(begin..end).unwrap_or_default());
    if cut_right {
        out.push_str("...");
    }
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', offset));
    out.push_str("^\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(statement: &str, position: usize) -> String {
        let mut out = String::new();
        push_position(&mut out, statement, position);
        out
    }

    #[test]
    fn puts_a_caret_under_the_position() {
        assert_eq!(
            shown("select * from x", 15),
            "LINE 1: select * from x\n                      ^\n"
        );
        assert_eq!(shown("select\r\n\tfoo", 10), "LINE 2:  foo\n         ^\n");
        assert_eq!(shown("select", 7), "LINE 1: select\n              ^\n");
        assert_eq!(shown("select", 99), "");
        assert_eq!(shown("select", 0), "");
    }

    #[test]
    fn cuts_long_lines() {
        let right = shown(&std::format!("select x, {}", "a".repeat(100)), 8);
        assert!(right.starts_with("LINE 1: select x, aaa") && right.contains("a...\n"));
        let left = shown(&std::format!("select {} from nowhere", "a".repeat(100)), 114);
        assert!(left.starts_with("LINE 1: ...aaa"), "{left}");
        assert!(left.ends_with("^\n"));
        let caret = left.lines().nth(1).unwrap().len();
        assert_eq!(left.lines().next().unwrap().chars().nth(caret - 1), Some('n'));
    }

    #[test]
    fn strips_severity() {
        assert_eq!(without_severity("ERROR:  x"), "x");
        assert_eq!(without_severity("NOTICE:  x"), "NOTICE:  x");
    }
}
