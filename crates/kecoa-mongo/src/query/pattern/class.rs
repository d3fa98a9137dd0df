//! Sets of characters in brackets.

use super::escape;
use super::reader::Reader;

/// What follows the opening bracket.
pub(super) fn translate(reader: &mut Reader<'_>, output: &mut String) {
    output.push('[');
    if reader.peek().is_some_and(|(_, next)| *next == '^') {
        reader.next();
        output.push('^');
    }
    let mut first = true;
    while let Some((_, character)) = reader.next() {
        match character {
            // At the front it stands for itself.
            ']' if first => output.push_str("\\]"),
            ']' => return output.push(']'),
            '[' => named_or_bracket(reader, output),
            '\\' => escaped(reader, output),
            // A range is left as it is.
            '-' => output.push('-'),
            '^' | '&' | '~' => {
                output.push('\\');
                output.push(character);
            }
            _ if character.is_ascii_whitespace() || character == '#' => {
                output.push_str(&format!("\\x{{{:x}}}", u32::from(character)));
            }
            _ => output.push(character),
        }
        first = false;
    }
}

/// `[:alpha:]`, or a bracket that stands for itself.
fn named_or_bracket(reader: &mut Reader<'_>, output: &mut String) {
    let mut ahead = reader.clone();
    if ahead.next().is_none_or(|(_, next)| next != ':') {
        return output.push_str("\\[");
    }
    let name: String =
        ahead.clone().map(|(_, next)| next).take_while(|next| *next != ':').take(12).collect();
    let end: String = ahead.skip(name.chars().count()).map(|(_, next)| next).take(2).collect();
    if end != ":]" {
        return output.push_str("\\[");
    }
    output.push_str(&format!("[:{name}:]"));
    for _ in 0..name.chars().count() + 3 {
        reader.next();
    }
}

fn escaped(reader: &mut Reader<'_>, output: &mut String) {
    let Some((_, letter)) = reader.next() else { return output.push('\\') };
    if let Some((set, negated)) = escape::set(letter) {
        if negated {
            output.push_str(&format!("[^{set}]"));
        } else {
            output.push_str(set);
        }
        return;
    }
    match letter {
        'Q' => escape::quoted(reader, |character| escape::literal(character, output)),
        'E' => {}
        'b' => output.push_str("\\x08"),
        'e' => output.push_str("\\x1b"),
        'c' => escape::control(reader, output),
        '0'..='7' => octal(letter, reader, output),
        _ if letter.is_ascii_alphanumeric() => {
            output.push('\\');
            output.push(letter);
        }
        _ => escape::literal(letter, output),
    }
}

/// Up to three digits.
fn octal(first: char, reader: &mut Reader<'_>, output: &mut String) {
    let mut code = first.to_digit(8).unwrap_or_default();
    for _ in 0..2 {
        let Some(digit) = reader.peek().and_then(|(_, next)| next.to_digit(8)) else { break };
        code = code * 8 + digit;
        reader.next();
    }
    output.push_str(&format!("\\x{{{code:x}}}"));
}
