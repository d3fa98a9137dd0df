//! PEM as OpenSSL reads it, for a parser that is stricter.

use std::borrow::Cow;
use std::path::Path;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject};

use crate::error::Error;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The same lines without byte order marks in front of them and blanks behind them. A mark hides a
/// section's first line from the parser, and with it the whole section: a revocation list, perhaps.
/// Editors write it at a file's beginning, which is in the middle where files were joined.
pub(super) fn normalized(text: &[u8]) -> Vec<u8> {
    let mut found = Vec::with_capacity(text.len());
    for line in text.split(|byte| *byte == b'\n') {
        let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
        found.extend_from_slice(line.trim_ascii_end());
        found.push(b'\n');
    }
    found
}

/// All certificates of a PEM file; at least one.
pub(super) fn certificates(
    bytes: &[u8],
    path: &Path,
    what: &str,
) -> Result<Vec<CertificateDer<'static>>, Error> {
    let shown = path.display();
    // OpenSSL's name for them until 1999, which files still have.
    let bytes = normalized(bytes);
    let bytes = replaced(&bytes, b" X509 CERTIFICATE-----", b" CERTIFICATE-----");
    let found: Result<Vec<_>, pem::Error> = CertificateDer::pem_slice_iter(&bytes).collect();
    let hint = "HINT: it must have lines \"-----BEGIN CERTIFICATE-----\" and \
                \"-----END CERTIFICATE-----\" and base64 between; \"openssl x509 -inform DER -in … \
                -out …\" makes such a file of a binary one";
    match found {
        Ok(found) if found.is_empty() => Err(Error::tls(format!(
            "expected certificates in PEM form in {what} \"{shown}\", found none\n{hint}"
        ))),
        Ok(found) => Ok(found),
        Err(_) => Err(Error::tls(format!("{what} \"{shown}\" is not valid PEM\n{hint}"))),
    }
}

/// `text` with each `old` in it replaced.
fn replaced<'a>(text: &'a [u8], old: &[u8], new: &[u8]) -> Cow<'a, [u8]> {
    let starts = |at: &usize| text.get(*at..).is_some_and(|rest| rest.starts_with(old));
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = (from..text.len()).find(starts) {
        found.extend_from_slice(text.get(from..at).unwrap_or_default());
        found.extend_from_slice(new);
        from = at + old.len();
    }
    if from == 0 {
        return Cow::Borrowed(text);
    }
    found.extend_from_slice(text.get(from..).unwrap_or_default());
    Cow::Owned(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_away_what_hides_a_section() {
        let text =
            b"\xef\xbb\xbf-----BEGIN X-----\r\nAAAA \t\n-----END X-----\n\xef\xbb\xbf-----BEGIN";
        assert_eq!(normalized(text), b"-----BEGIN X-----\nAAAA\n-----END X-----\n-----BEGIN\n");
        assert_eq!(normalized(b""), b"\n");
    }
}
