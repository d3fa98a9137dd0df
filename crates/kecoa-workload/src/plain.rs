//! Text of others (servers, users), made fit for terminals, XML and JSON: one line, no control characters.

/// At most this many characters of a message are held.
pub(crate) const MESSAGE_LENGTH: usize = 400;
/// At most this many characters of a short text: a reason, a name, a kind of fault.
pub(crate) const NAME_LENGTH: usize = 80;

/// `text` on one line, at most `length` characters long.
///
/// Control characters, which could steer a terminal and which XML does not allow, become blanks, and
/// so do the marks that change the direction of text, which could make a message look like another.
pub(crate) fn plain(text: &str, length: usize) -> String {
    let mut out = String::new();
    let mut blank = true;
    let mut characters = 0;
    for c in text.chars() {
        let c = if is_unsafe(c) || c.is_whitespace() { ' ' } else { c };
        if c == ' ' && blank {
            continue;
        }
        if characters == length {
            out.pop();
            out.push('…');
            return out;
        }
        blank = c == ' ';
        out.push(c);
        characters += 1;
    }
    out.truncate(out.trim_end().len());
    out
}

fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{feff}' | '\u{fff9}'..='\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn control_characters_become_single_blanks() {
        assert_eq!(plain("a\u{1b}[31m\n\n b\u{202e}c\u{9b}", 80), "a [31m b c");
    }

    #[test]
    fn long_text_ends_with_an_ellipsis() {
        assert_eq!(plain("aäöü", 4), "aäöü");
        assert_eq!(plain("aäöüß", 4), "aäö…");
        assert_eq!(plain("   ", 4), "");
    }
}
