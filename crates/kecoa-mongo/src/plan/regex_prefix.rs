//! The text that all matches of a regular expression begin with.

/// The literal beginning of a pattern that is bound to the beginning of the text; `None` if there is none.
pub(super) fn literal_prefix(pattern: &str, options: &str) -> Option<String> {
    // Without regard to case, with every line's beginning, or with blanks that mean nothing.
    if options.contains(['i', 'm', 'x']) || pattern.contains('|') {
        return None;
    }
    let rest = pattern.strip_prefix('^').or_else(|| pattern.strip_prefix("\\A"))?;
    let mut prefix = String::new();
    let mut characters = rest.chars().peekable();
    while let Some(next) = characters.next() {
        let literal = match next {
            '\\' => match characters.next() {
                Some(escaped) if escaped.is_ascii_punctuation() => escaped,
                _ => break,
            },
            '.' | '[' | ']' | '(' | ')' | '{' | '}' | '*' | '+' | '?' | '^' | '$' => break,
            other => other,
        };
        match characters.peek() {
            // It may be left out.
            Some('*' | '?' | '{') => break,
            _ => prefix.push(literal),
        }
    }
    (!prefix.is_empty()).then_some(prefix)
}

#[cfg(test)]
mod tests {
    use super::literal_prefix;

    #[test]
    fn the_literal_beginning_of_a_pattern_is_found() {
        for (pattern, options, expected) in [
            ("^abc", "", Some("abc")),
            ("^abc", "s", Some("abc")),
            ("^abc", "i", None),
            ("^abc", "m", None),
            ("^abc", "x", None),
            ("abc", "", None),
            ("^a|b", "", None),
            ("^ab*", "", Some("a")),
            ("^ab?c", "", Some("a")),
            ("^ab{0,2}", "", Some("a")),
            ("^ab+", "", Some("ab")),
            ("^a\\.b", "", Some("a.b")),
            ("^a\\db", "", Some("a")),
            ("^a.b", "", Some("a")),
            ("^[ab]", "", None),
            ("^(ab)", "", None),
            ("\\Aab", "", Some("ab")),
            ("^ab$", "", Some("ab")),
            ("^", "", None),
            ("", "", None),
            ("^é1", "", Some("é1")),
            ("^a*", "", None),
        ] {
            assert_eq!(
                literal_prefix(pattern, options).as_deref(),
                expected,
                "{pattern} {options}"
            );
        }
    }
}
