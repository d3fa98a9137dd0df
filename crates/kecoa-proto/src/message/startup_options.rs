//! The arguments in the startup parameter `options`, as PostgreSQL splits them: at blanks, unless a
//! backslash escapes them.

/// The arguments as they stand, their backslashes included.
pub fn split(text: &str) -> Vec<&str> {
    let mut arguments = Vec::new();
    let mut start = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if is_blank(c) && !escaped {
            arguments.extend(start.take().and_then(|start| text.get(start..at)));
        } else if start.is_none() {
            start = Some(at);
        }
        escaped = c == '\\' && !escaped;
    }
    arguments.extend(start.and_then(|start| text.get(start..)));
    arguments
}

/// An argument without its backslashes.
pub fn unescape(argument: &str) -> String {
    let mut plain = String::with_capacity(argument.len());
    let mut characters = argument.chars();
    while let Some(c) = characters.next() {
        plain.extend(if c == '\\' { characters.next() } else { Some(c) });
    }
    plain
}

/// C's `isspace`.
fn is_blank(c: char) -> bool {
    c.is_ascii_whitespace() || c == '\u{b}'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backslash_escapes_the_next_character() {
        assert_eq!(
            split("  -c a=b\\ \\ c\t-d\u{b}e\\\\ f "),
            ["-c", "a=b\\ \\ c", "-d", "e\\\\", "f"]
        );
        assert_eq!(split("a\\"), ["a\\"]);
        assert!(split(" \n").is_empty());
        for (argument, plain) in [("b\\ c", "b c"), ("e\\\\", "e\\"), ("a\\", "a"), ("\\x", "x")] {
            assert_eq!(unescape(argument), plain);
        }
    }
}
