//! How a large object is opened.

/// `INV_READ` and `INV_WRITE`, the modes of `lo_open`.
pub(super) const READ: i32 = 0x0004_0000;
pub(super) const WRITE: i32 = 0x0002_0000;

/// How an object was opened: `[r|w|rw|n][t|b]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mode {
    pub(super) read: bool,
    pub(super) write: bool,
    pub(super) binary: bool,
}

impl Mode {
    /// Reads a mode; empty is "rt".
    pub(super) fn parse(text: &str) -> Option<Mode> {
        let (read, write, rest) = if let Some(rest) = text.strip_prefix("rw") {
            (true, true, rest)
        } else if let Some(rest) = text.strip_prefix('r') {
            (true, false, rest)
        } else if let Some(rest) = text.strip_prefix('w') {
            (false, true, rest)
        } else if let Some(rest) = text.strip_prefix('n') {
            (false, false, rest)
        } else {
            (true, false, text)
        };
        let binary = match rest {
            "" | "t" => false,
            "b" => true,
            _ => return None,
        };
        Some(Mode { read, write, binary })
    }

    pub(super) fn name(self) -> &'static str {
        match (self.read, self.write, self.binary) {
            (true, true, false) => "rwt",
            (true, true, true) => "rwb",
            (true, false, false) => "rt",
            (true, false, true) => "rb",
            (false, true, false) => "wt",
            (false, true, true) => "wb",
            (false, false, _) => "n",
        }
    }

    pub(super) fn flags(self) -> i32 {
        (if self.read { READ } else { 0 }) | (if self.write { WRITE } else { 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::{Mode, READ, WRITE};

    #[test]
    fn reads_modes() {
        for (text, name, flags) in [
            ("", "rt", READ),
            ("r", "rt", READ),
            ("t", "rt", READ),
            ("b", "rb", READ),
            ("rb", "rb", READ),
            ("w", "wt", WRITE),
            ("wb", "wb", WRITE),
            ("rw", "rwt", READ | WRITE),
            ("rwb", "rwb", READ | WRITE),
            ("n", "n", 0),
            ("nb", "n", 0),
        ] {
            let mode = Mode::parse(text);
            assert_eq!(mode.map(Mode::name), Some(name), "{text}");
            assert_eq!(mode.map(Mode::flags), Some(flags), "{text}");
        }
        for text in ["x", "rr", "wr", "rbt", "r "] {
            assert_eq!(Mode::parse(text), None, "{text}");
        }
    }
}
