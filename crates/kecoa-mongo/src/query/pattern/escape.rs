//! What follows a backslash.

use super::reader::Reader;

pub(super) const DIGIT: &str = "0-9";
pub(super) const WORD: &str = "a-zA-Z0-9_";
pub(super) const SPACE: &str = r" \t\n\x0b\x0c\r";
pub(super) const HORIZONTAL: &str =
    r" \t\x{a0}\x{1680}\x{180e}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}";
pub(super) const VERTICAL: &str = r"\n\x0b\x0c\r\x{85}\x{2028}\x{2029}";

/// A set of characters that a letter stands for, and whether it is the rest.
pub(super) fn set(letter: char) -> Option<(&'static str, bool)> {
    let set = match letter.to_ascii_lowercase() {
        'd' => DIGIT,
        'w' => WORD,
        's' => SPACE,
        'h' => HORIZONTAL,
        'v' => VERTICAL,
        _ => return None,
    };
    Some((set, letter.is_ascii_uppercase()))
}

/// Outside of a set of characters.
pub(super) fn outside(reader: &mut Reader<'_>, output: &mut String) {
    let Some((_, letter)) = reader.next() else { return output.push('\\') };
    if let Some((set, negated)) = set(letter) {
        let negation = if negated { "^" } else { "" };
        output.push_str(&format!("[{negation}{set}]"));
        return;
    }
    match letter {
        'Q' => quoted(reader, |character| literal(character, output)),
        'E' => {}
        'b' => output.push_str(&format!("(?:(?<=[{WORD}])(?![{WORD}])|(?<![{WORD}])(?=[{WORD}]))")),
        'B' => output.push_str(&format!("(?:(?<=[{WORD}])(?=[{WORD}])|(?<![{WORD}])(?![{WORD}]))")),
        'N' => output.push_str("[^\\n]"),
        'R' => output.push_str(&format!("(?>\\r\\n|[{VERTICAL}])")),
        'e' => output.push_str("\\x1b"),
        '0' => octal(reader, output),
        'c' => control(reader, output),
        '1'..='7' => number(letter, reader, output),
        _ if letter.is_ascii_alphabetic()
            && reader.peek().is_some_and(|(_, next)| *next == '{') =>
        {
            output.push('\\');
            output.push(letter);
            braces(reader, output);
        }
        _ if letter.is_ascii_alphanumeric() => {
            output.push('\\');
            output.push(letter);
        }
        _ => literal(letter, output),
    }
}

/// What stands between `\Q` and `\E`.
pub(super) fn quoted(reader: &mut Reader<'_>, mut take: impl FnMut(char)) {
    while let Some((_, character)) = reader.next() {
        if character == '\\' && reader.peek().is_some_and(|(_, next)| *next == 'E') {
            reader.next();
            return;
        }
        take(character);
    }
}

/// `\cA` and so on.
pub(super) fn control(reader: &mut Reader<'_>, output: &mut String) {
    let Some((_, letter)) = reader.next() else { return output.push_str("\\c") };
    let code = u32::from(letter.to_ascii_uppercase()) ^ 64;
    output.push_str(&format!("\\x{{{code:x}}}"));
}

/// What stands in braces, as it is.
fn braces(reader: &mut Reader<'_>, output: &mut String) {
    for (_, character) in reader.by_ref() {
        output.push(character);
        if character == '}' {
            return;
        }
    }
}

/// The number of a group, or a character by three octal digits.
fn number(first: char, reader: &mut Reader<'_>, output: &mut String) {
    let mut ahead = reader.clone().map(|(_, next)| next.to_digit(8));
    if let (Some(Some(second)), Some(Some(third))) = (ahead.next(), ahead.next()) {
        let code = first.to_digit(8).unwrap_or_default() * 64 + second * 8 + third;
        output.push_str(&format!("\\x{{{code:x}}}"));
        reader.next();
        reader.next();
        return;
    }
    output.push('\\');
    output.push(first);
}

/// Up to two digits after a zero.
pub(super) fn octal(reader: &mut Reader<'_>, output: &mut String) {
    let mut code = 0;
    for _ in 0..2 {
        let Some(digit) = reader.peek().and_then(|(_, next)| next.to_digit(8)) else { break };
        code = code * 8 + digit;
        reader.next();
    }
    output.push_str(&format!("\\x{{{code:x}}}"));
}

/// A character that stands for itself, also where blanks are ignored.
pub(super) fn literal(character: char, output: &mut String) {
    if character.is_ascii_whitespace() {
        output.push_str(&format!("\\x{{{:x}}}", u32::from(character)));
        return;
    }
    if r"\.+*?()|[]{}^$#&-~".contains(character) {
        output.push('\\');
    }
    output.push(character);
}
