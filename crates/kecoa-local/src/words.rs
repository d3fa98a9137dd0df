//! The words of the startup parameter `options`, as PostgreSQL parts them: at blanks, where a backslash
//! keeps the next character.

/// The words as they stand, their backslashes included.
pub(crate) fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if is_blank(c) && !escaped {
            words.extend(start.take().and_then(|start| text.get(start..at)));
        } else if start.is_none() {
            start = Some(at);
        }
        escaped = c == '\\' && !escaped;
    }
    words.extend(start.and_then(|start| text.get(start..)));
    words
}

/// What a word says.
pub(crate) fn unescaped(word: &str) -> String {
    let mut said = String::with_capacity(word.len());
    let mut characters = word.chars();
    while let Some(c) = characters.next() {
        said.extend(if c == '\\' { characters.next() } else { Some(c) });
    }
    said
}

/// C's `isspace`.
fn is_blank(c: char) -> bool {
    c.is_ascii_whitespace() || c == '\u{b}'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backslash_keeps_the_next_character() {
        assert_eq!(
            words("  -c a=b\\ \\ c\t-d\u{b}e\\\\ f "),
            ["-c", "a=b\\ \\ c", "-d", "e\\\\", "f"]
        );
        assert_eq!(words("a\\"), ["a\\"]);
        assert!(words(" \n").is_empty());
        for (word, said) in [("b\\ c", "b c"), ("e\\\\", "e\\"), ("a\\", "a"), ("\\x", "x")] {
            assert_eq!(unescaped(word), said);
        }
    }
}
