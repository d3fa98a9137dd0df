//! Patterns that are plain text: found without a machine for regular expressions, which takes tens of kilobytes each.

/// A text to be found.
#[derive(Clone, Debug)]
pub(super) struct Literal {
    text: Box<str>,
    starts: bool,
    ends: bool,
    ignore_case: bool,
}

impl Literal {
    /// Read a pattern without options but `i`; none if it is more than plain text, with `^` before and `$` behind.
    pub(super) fn read(pattern: &str, ignore_case: bool) -> Option<Self> {
        let (starts, rest) = match pattern.strip_prefix('^') {
            Some(rest) => (true, rest),
            None => (false, pattern),
        };
        let mut text = String::new();
        let mut ends = false;
        let mut characters = rest.chars();
        while let Some(character) = characters.next() {
            match character {
                '\\' => match characters.next() {
                    Some(escaped) if escaped.is_ascii_punctuation() => text.push(escaped),
                    _ => return None,
                },
                '$' if characters.as_str().is_empty() => ends = true,
                '.' | '^' | '$' | '|' | '?' | '*' | '+' | '(' | ')' | '[' | ']' | '{' | '}' => {
                    return None;
                }
                other => text.push(other),
            }
        }
        // Elsewhere than at the start, a search without case would try each place anew.
        let is_simple = !ignore_case || (starts && text.is_ascii());
        is_simple.then(|| Self { text: text.into(), starts, ends, ignore_case })
    }

    /// Whether it is found in a text; `$` stands before a line break that ends the text, too.
    pub(super) fn is_in(&self, whole: &str) -> bool {
        if self.starts {
            let Some(rest) = self.rest_of(whole) else { return false };
            return !self.ends || matches!(rest, "" | "\n");
        }
        if !self.ends {
            return whole.contains(&*self.text);
        }
        let before = whole.strip_suffix('\n').unwrap_or(whole);
        whole.ends_with(&*self.text) || before.ends_with(&*self.text)
    }

    /// What follows it at the start of a text.
    fn rest_of<'a>(&self, whole: &'a str) -> Option<&'a str> {
        if !self.ignore_case {
            return whole.strip_prefix(&*self.text);
        }
        let mut characters = whole.chars();
        for wanted in self.text.chars() {
            let found = folded(characters.next()?);
            if !found.eq_ignore_ascii_case(&wanted) {
                return None;
            }
        }
        Some(characters.as_str())
    }
}

/// The two letters beyond ASCII that are letters of ASCII where case is ignored.
fn folded(character: char) -> char {
    match character {
        '\u{212a}' => 'k',
        '\u{17f}' => 's',
        other => other,
    }
}
