//! A statement without the values that are written in it, for those who watch.

/// How much of a statement is shown, in bytes.
const LIMIT: usize = 4096;

/// What stands for a value, as OpenTelemetry's conventions have it.
const VALUE: &str = "?";

/// A statement with `?` in the place of each string and number, without its comments, and cut after
/// 4 KiB. What the server might read in two ways (a backslash before a quote) or has no end ends it.
///
/// ```
/// let sql = "INSERT INTO t VALUES ('hunter2', 12, $1, %s) -- or $$x$$";
/// assert_eq!(kecoa::observability::without_values(sql), "INSERT INTO t VALUES (?, ?, $1, %s) ");
/// ```
#[must_use]
pub fn without_values(sql: &str) -> String {
    let mut shown = String::with_capacity(sql.len().min(LIMIT));
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        if shown.len() >= LIMIT {
            shown.push('…');
            break;
        }
        let Some(after) = piece(rest, first, &mut shown) else {
            shown.push('…');
            break;
        };
        rest = after;
    }
    shown
}

/// Writes one piece of a statement and returns what follows it; nothing where the rest is not shown.
fn piece<'a>(rest: &'a str, first: char, shown: &mut String) -> Option<&'a str> {
    let next = rest.get(first.len_utf8()..)?;
    match first {
        '\'' => {
            shown.push_str(VALUE);
            string(next, false)
        }
        '"' => {
            let (name, after) = next.split_once('"')?;
            shown.extend(["\"", name, "\""]);
            Some(after)
        }
        '-' if next.starts_with('-') => line_comment(next),
        '/' if next.starts_with('*') => comment(next.get(1..)?),
        '$' => Some(dollar(next, shown)?),
        '%' if next.starts_with('(') => {
            let (name, after) = next.get(1..)?.split_once(')')?;
            // A placeholder; or a remainder, and a value behind it. Where it may be either, a quote in it
            // may begin a string or not.
            let is_plain = name.chars().all(|c| is_name(c) || "-. ".contains(c));
            if is_plain && name.starts_with(is_letter) && after.starts_with(['s', 'b', 't']) {
                shown.extend(["%(", name, ")"]);
                return Some(after);
            }
            shown.push('%');
            let is_open =
                name.contains(['\'', '"', '$']) || name.contains("--") || name.contains("/*");
            (!is_open).then_some(next)
        }
        '.' if next.starts_with(|c: char| c.is_ascii_digit()) => {
            shown.push_str(VALUE);
            Some(number(next))
        }
        c if c.is_ascii_digit() => {
            shown.push_str(VALUE);
            Some(number(rest))
        }
        c if is_letter(c) => {
            let end = rest.find(|c: char| !is_name(c)).unwrap_or(rest.len());
            let (word, after) = rest.split_at_checked(end)?;
            word_or_string(word, after, shown)
        }
        c => {
            shown.push(c);
            Some(next)
        }
    }
}

/// What a name begins with: to the server everything that is no ASCII is a letter, signs and spaces too.
fn is_letter(c: char) -> bool {
    c == '_' || c.is_ascii_alphabetic() || !c.is_ascii()
}

fn is_name(c: char) -> bool {
    c == '$' || is_letter(c) || c.is_ascii_digit()
}

/// A word, or a string with a letter before it.
fn word_or_string<'a>(word: &str, after: &'a str, shown: &mut String) -> Option<&'a str> {
    let is_prefix = |letters: &[&str]| letters.iter().any(|l| word.eq_ignore_ascii_case(l));
    let unicode = after.strip_prefix("&'").filter(|_| is_prefix(&["u"]));
    let quoted = after.strip_prefix('\'').filter(|_| is_prefix(&["e", "b", "x", "n"]));
    match unicode.or(quoted) {
        Some(inside) => {
            shown.push_str(VALUE);
            string(inside, is_prefix(&["e"]))
        }
        None => {
            shown.push_str(word);
            Some(after)
        }
    }
}

/// What follows a string that has begun.
fn string(mut rest: &str, escapes: bool) -> Option<&str> {
    loop {
        let at = rest.find(['\'', '\\'])?;
        let after = rest.get(at + 1..)?;
        if rest.get(at..)?.starts_with('\\') {
            // Whether it escapes is a setting of the session's, where it is not written.
            let escaped = after.chars().next()?;
            rest = match escaped {
                '\'' if !escapes => return None,
                c if escapes || c == '\\' => after.get(c.len_utf8()..)?,
                _ => after,
            };
            continue;
        }
        match after.strip_prefix('\'') {
            Some(after) => rest = after,
            None => return Some(after),
        }
    }
}

/// A parameter, or a string between dollars.
fn dollar<'a>(next: &'a str, shown: &mut String) -> Option<&'a str> {
    let is_tag = |c: char| is_letter(c) || c.is_ascii_digit();
    let end = next.find(|c: char| !is_tag(c)).unwrap_or(next.len());
    let (tag, after) = next.split_at_checked(end)?;
    let is_parameter = tag.starts_with(|c: char| c.is_ascii_digit());
    match after.strip_prefix('$').filter(|_| !is_parameter) {
        Some(inside) => {
            shown.push_str(VALUE);
            inside.split_once(&format!("${tag}$")).map(|(_, after)| after)
        }
        None => {
            shown.extend(["$", tag]);
            Some(after)
        }
    }
}

/// What follows a number.
fn number(rest: &str) -> &str {
    let mut signed = false;
    let is_part = |c: char| {
        let part = c == '.' || is_name(c) || signed && matches!(c, '+' | '-');
        signed = matches!(c, 'e' | 'E');
        part
    };
    rest.trim_start_matches(is_part)
}

/// What follows a comment up to the end of the line, which to PostgreSQL a carriage return is as well, and to
/// CockroachDB is not.
fn line_comment(rest: &str) -> Option<&str> {
    let Some(end) = rest.find(['\n', '\r']) else { return Some("") };
    let after = rest.get(end..)?;
    (!after.starts_with('\r') || after.starts_with("\r\n")).then_some(after)
}

/// What follows a comment that has begun; they nest.
fn comment(mut rest: &str) -> Option<&str> {
    let mut depth = 1_u32;
    while depth > 0 {
        let end = rest.find("*/")?;
        let at = rest.find("/*").map_or(end, |begin| begin.min(end));
        depth = if at == end { depth - 1 } else { depth + 1 };
        rest = rest.get(at + 2..)?;
    }
    Some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_left_out() {
        for (sql, shown) in [
            ("SELECT 1", "SELECT ?"),
            ("SELECT a1, t2.b FROM t2 LIMIT 10", "SELECT a1, t2.b FROM t2 LIMIT ?"),
            ("SELECT -1.5e-3+2, .5, 0x1F, 1_000", "SELECT -?+?, ?, ?, ?"),
            ("SELECT 'it''s', E'a\\'b', U&'x', b'1', N'x'", "SELECT ?, ?, ?, ?, ?"),
            ("SELECT name'x'", "SELECT name?"),
            ("SELECT $1, $$a'b$$, $t$ $$ $t$, x$1", "SELECT $1, ?, ?, x$1"),
            ("SELECT \"a 1 'b'\" FROM \"x\"\"y\"", "SELECT \"a 1 'b'\" FROM \"x\"\"y\""),
            ("SELECT /* 'a /* b */ 1 */ 2 -- 'c\n, 3", "SELECT  ? \n, ?"),
            ("VALUES (%s, %(a1)s), 10 %% 3", "VALUES (%s, %(a1)s), ? %% ?"),
            ("SELECT 'c:\\\\' || 'x'", "SELECT ? || ?"),
            ("SELECT '\u{e9}', \u{e9}1", "SELECT ?, \u{e9}1"),
            ("SELECT \u{20ac}1, $\u{20ac}$my hunter2$\u{20ac}$", "SELECT \u{20ac}1, ?"),
            ("SELECT \u{20ac}$a$ || ' $a$ hunter2'", "SELECT \u{20ac}$a$ || ?"),
            ("SELECT 5 %(12), 5 %(-3), 5 %(n - 4)", "SELECT ? %(?), ? %(-?), ? %(n - ?)"),
            ("SELECT %(the name)s, %(a.b)s", "SELECT %(the name)s, %(a.b)s"),
            ("SELECT 1 -- it's\r\n, 'x'", "SELECT ? \r\n, ?"),
        ] {
            assert_eq!(without_values(sql), shown, "{sql}");
        }
    }

    #[test]
    fn what_is_not_understood_is_not_shown() {
        for sql in [
            "SELECT 'hunter2",
            "SELECT 'a\\' || 'hunter2'",
            "SELECT $x$hunter2",
            "SELECT /* hunter2",
            "SELECT \"hunter2",
            "SELECT E'\\' hunter2",
            "SELECT %(hunter2",
            "SELECT 5 %('hunter2')",
            "SELECT %(a')s, 'hunter2'",
            "SELECT 1 -- it's \r 'a \n hunter2'",
        ] {
            let shown = without_values(sql);
            assert!(shown.starts_with("SELECT ") && shown.ends_with('…'), "{shown}");
            assert!(!shown.contains("hunter2"), "{shown}");
        }
        let long = format!("INSERT INTO t VALUES {}", "('hunter2'), ".repeat(100_000));
        let shown = without_values(&long);
        assert!(shown.len() < 5000 && shown.starts_with("INSERT INTO t VALUES (?), (?), "));
    }
}
