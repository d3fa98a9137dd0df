//! Which way a COPY statement goes.

/// What a COPY statement asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::dbapi::cursor) enum Direction {
    In,
    Out,
}

impl Direction {
    /// What psycopg2 says when `execute` meets a COPY.
    pub(in crate::dbapi::cursor) fn refusal(self) -> &'static str {
        match self {
            Direction::In => "can't execute COPY FROM: use the copy_from() method instead",
            Direction::Out => "can't execute COPY TO: use the copy_to() method instead",
        }
    }
}

/// Finds `FROM STDIN` or `TO STDOUT` outside of parentheses, quotes and comments.
pub(in crate::dbapi::cursor) fn direction(sql: &str) -> Option<Direction> {
    let bytes = sql.as_bytes();
    let (mut at, mut depth) = (0usize, 0u32);
    let mut previous = String::new();
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\'' | b'"' => {
                let rest = bytes.get(at + 1..).unwrap_or_default();
                at += rest.iter().position(|other| other == byte)? + 2;
                previous.clear();
            }
            b'-' if bytes.get(at + 1) == Some(&b'-') => {
                let rest = bytes.get(at..).unwrap_or_default();
                at += rest.iter().position(|other| *other == b'\n')? + 1;
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                at += sql.get(at..)?.find("*/")? + 2;
            }
            b'(' => {
                depth += 1;
                at += 1;
            }
            b')' => {
                depth = depth.saturating_sub(1);
                at += 1;
            }
            _ if byte.is_ascii_alphabetic() || *byte == b'_' => {
                let rest = bytes.get(at..).unwrap_or_default();
                let end = rest
                    .iter()
                    .position(|other| !(other.is_ascii_alphanumeric() || *other == b'_'))
                    .unwrap_or(rest.len());
                let word = sql.get(at..at + end)?.to_ascii_uppercase();
                if depth == 0 {
                    match (previous.as_str(), word.as_str()) {
                        ("FROM", "STDIN") => return Some(Direction::In),
                        ("TO", "STDOUT") => return Some(Direction::Out),
                        _ => {}
                    }
                    previous = word;
                }
                at += end;
            }
            _ => {
                if !byte.is_ascii_whitespace() {
                    previous.clear();
                }
                at += 1;
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_direction() {
        assert_eq!(direction("copy t from stdin"), Some(Direction::In));
        assert_eq!(direction("COPY t (a, b) TO STDOUT WITH CSV"), Some(Direction::Out));
        assert_eq!(
            direction("copy (select 1 from stdin) /* from stdin */ to\n stdout"),
            Some(Direction::Out)
        );
        assert_eq!(direction("copy \"from stdin\" to stdout"), Some(Direction::Out));
        assert_eq!(direction("copy t from '/tmp/x' -- from stdin"), None);
        assert_eq!(direction("select 1"), None);
        assert_eq!(direction("copy 'x"), None);
    }
}
