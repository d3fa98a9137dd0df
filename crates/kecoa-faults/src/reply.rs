//! The server's answers to what was sent in a client's place.

use bytes::Bytes;

use crate::inject;

/// What a server's message becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fate {
    /// It goes on as it is, and faults may happen to it.
    Forward,
    /// The client does not see it.
    Hide,
    /// The client sees this.
    Replace(Bytes),
}

/// What is expected of the server because of what it was sent.
#[derive(Debug, Default)]
pub(super) struct Expected {
    /// Errors by the marker that the server's own error will name.
    errors: Vec<(u64, Bytes)>,
    markers: u64,
    /// The error of a COMMIT in whose place a ROLLBACK was sent.
    commit: Option<Commit>,
    /// Nothing of the request's answers is shown any more.
    skip: Option<Skip>,
}

#[derive(Debug)]
struct Commit {
    error: Bytes,
    /// The ROLLBACK was a request of its own: its ReadyForQuery is not shown.
    own_request: bool,
}

#[derive(Debug, Clone, Copy)]
struct Skip {
    hide_ready: bool,
}

/// What the client did can be ahead of what the server answered by so many errors at most; those
/// before are answered by then, or never.
const PENDING: usize = 64;

impl Expected {
    /// The marker of a statement that will fail, and the error that the client is to see for it.
    pub(super) fn error(&mut self, make: impl FnOnce() -> Bytes) -> u64 {
        self.markers += 1;
        if self.errors.len() >= PENDING {
            self.errors.remove(0);
        }
        self.errors.push((self.markers, make()));
        self.markers
    }

    /// A ROLLBACK was sent in the place of COMMIT.
    pub(super) fn rollback(&mut self, error: Bytes, own_request: bool) {
        self.commit = Some(Commit { error, own_request });
    }

    /// The rest of the answers to this request is not shown.
    pub(super) fn skip_to_ready(&mut self) {
        self.skip = Some(Skip { hide_ready: false });
    }

    /// What becomes of the server's message with this tag. `head` is its beginning, the tag and
    /// the length included.
    pub(super) fn fate(&mut self, tag: u8, head: &[u8]) -> Fate {
        if let Some(skip) = self.skip {
            return match tag {
                // What comes at any time.
                b'N' | b'S' | b'A' => Fate::Forward,
                b'Z' => {
                    self.skip = None;
                    if skip.hide_ready { Fate::Hide } else { Fate::Forward }
                }
                _ => Fate::Hide,
            };
        }
        let body = head.get(5..).unwrap_or_default();
        match tag {
            b'E' => {
                let Some(marker) = inject::marker_in(body) else { return Fate::Forward };
                let found = self.errors.iter().position(|(wanted, _)| *wanted == marker);
                found.map_or(Fate::Forward, |at| Fate::Replace(self.errors.remove(at).1))
            }
            b'C' if body == b"ROLLBACK\0" => match self.commit.take() {
                Some(Commit { error, own_request }) => {
                    self.skip = Some(Skip { hide_ready: own_request });
                    Fate::Replace(error)
                }
                None => Fate::Forward,
            },
            // It was not run: something before it in the request had failed.
            b'Z' => {
                self.commit = None;
                Fate::Forward
            }
            _ => Fate::Forward,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error() -> Bytes {
        Bytes::from_static(b"error")
    }

    #[test]
    fn a_marked_error_is_given_its_name_once() {
        let mut expected = Expected::default();
        assert_eq!(expected.error(error), 1);
        let head = b"E\0\0\0\0Mno kecoa_fault_1()\0\0";
        assert_eq!(expected.fate(b'E', b"E\0\0\0\0Mother\0\0"), Fate::Forward);
        assert_eq!(expected.fate(b'E', head), Fate::Replace(error()));
        assert_eq!(expected.fate(b'E', head), Fate::Forward);
    }

    #[test]
    fn a_rollback_in_the_place_of_commit_is_an_error() {
        let rollback = b"C\0\0\0\x0dROLLBACK\0";
        let mut expected = Expected::default();
        expected.rollback(error(), false);
        assert_eq!(expected.fate(b'C', b"C\0\0\0\x0dUPDATE 1\0"), Fate::Forward);
        assert_eq!(expected.fate(b'C', rollback), Fate::Replace(error()));
        assert_eq!(expected.fate(b'Z', b"Z\0\0\0\x05I"), Fate::Forward);
        assert_eq!(expected.fate(b'C', rollback), Fate::Forward);
        // As a request of its own inside the extended protocol.
        expected.rollback(error(), true);
        assert_eq!(expected.fate(b'C', rollback), Fate::Replace(error()));
        assert_eq!(expected.fate(b'S', b"S"), Fate::Forward);
        assert_eq!(expected.fate(b'Z', b"Z\0\0\0\x05I"), Fate::Hide);
        assert_eq!(expected.fate(b'Z', b"Z\0\0\0\x05I"), Fate::Forward);
        // The server never came to it.
        expected.rollback(error(), true);
        assert_eq!(expected.fate(b'Z', b"Z\0\0\0\x05E"), Fate::Forward);
        assert_eq!(expected.fate(b'C', rollback), Fate::Forward);
    }
}
