//! Whether a program has changed what its session is like: settings, and channels that it listens to.

/// Counts statements that change the session.
#[derive(Debug, Default)]
pub(super) struct Changes {
    made: u64,
    /// How many there were when the session was as it is to be.
    accepted: u64,
}

impl Changes {
    /// Learns from a command's tag, but for those of `SET LOCAL` and the like. What a function changes
    /// has none.
    pub(super) fn apply(&mut self, tag: &[u8]) {
        if matches!(tag, b"SET" | b"RESET" | b"LISTEN" | b"UNLISTEN" | b"DISCARD ALL") {
            self.made += 1;
        }
    }

    /// How many there were, as far as the server tells.
    pub(super) fn made(&self) -> u64 {
        self.made
    }

    /// Whether there were some since the session was as it is to be.
    pub(super) fn is_pending(&self) -> bool {
        self.made != self.accepted
    }

    /// The session is as it is to be.
    pub(super) fn accept(&mut self) {
        self.accepted = self.made;
    }
}

#[cfg(test)]
mod tests {
    use super::Changes;

    #[test]
    fn tags_tell_what_changes_a_session() {
        let mut changes = Changes::default();
        for tag in [&b"SET"[..], b"RESET", b"LISTEN", b"UNLISTEN", b"DISCARD ALL"] {
            let before = changes.made;
            changes.apply(tag);
            assert_eq!(changes.made, before + 1);
        }
        for tag in [&b"SELECT 1"[..], b"SET CONSTRAINTS", b"DISCARD PLANS", b"COMMIT", b""] {
            changes.apply(tag);
        }
        assert_eq!(changes.made(), 5);
        assert!(changes.is_pending());
        changes.accept();
        assert!(!changes.is_pending());
    }
}
