//! Quoting within ranges and composite values, which is the same in both.

/// A value up to one of `ends` outside of quotes, and what follows from that byte on; no value where
/// there are no characters at all, not even quotes. `None` if no end comes.
pub(crate) fn take_quoted<'a>(bytes: &'a [u8], ends: &[u8]) -> Option<(Option<Vec<u8>>, &'a [u8])> {
    let mut text = Vec::new();
    let mut rest = bytes;
    let mut inside = false;
    loop {
        match rest {
            [b'\\', escaped, after @ ..] => {
                text.push(*escaped);
                rest = after;
            }
            [b'"', b'"', after @ ..] if inside => {
                text.push(b'"');
                rest = after;
            }
            [b'"', after @ ..] => {
                inside = !inside;
                rest = after;
            }
            [byte, ..] if !inside && ends.contains(byte) => {
                let none = rest.len() == bytes.len();
                return Some(((!none).then_some(text), rest));
            }
            [b'\\'] | [] => return None,
            [byte, after @ ..] => {
                text.push(*byte);
                rest = after;
            }
        }
    }
}

/// Appends a value, in quotes if it is empty or has a byte that is `special`: quotes and backslashes
/// are doubled.
pub(crate) fn push_quoted_if(value: &[u8], special: fn(&u8) -> bool, out: &mut Vec<u8>) {
    if !value.is_empty() && !value.iter().any(special) {
        return out.extend_from_slice(value);
    }
    out.push(b'"');
    for byte in value {
        if matches!(byte, b'"' | b'\\') {
            out.push(*byte);
        }
        out.push(*byte);
    }
    out.push(b'"');
}
