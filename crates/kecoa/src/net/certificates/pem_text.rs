//! PEM as OpenSSL reads it, for a parser that is stricter.

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The same lines without byte order marks in front of them and blanks behind them. A mark hides a
/// section's first line from the parser, and with it the whole section: a revocation list, perhaps.
/// Editors write it at a file's beginning, which is in the middle where files were joined.
pub(super) fn tidy(text: &[u8]) -> Vec<u8> {
    let mut found = Vec::with_capacity(text.len());
    for line in text.split(|byte| *byte == b'\n') {
        let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
        found.extend_from_slice(line.trim_ascii_end());
        found.push(b'\n');
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_away_what_hides_a_section() {
        let text =
            b"\xef\xbb\xbf-----BEGIN X-----\r\nAAAA \t\n-----END X-----\n\xef\xbb\xbf-----BEGIN";
        assert_eq!(tidy(text), b"-----BEGIN X-----\nAAAA\n-----END X-----\n-----BEGIN\n");
        assert_eq!(tidy(b""), b"\n");
    }
}
