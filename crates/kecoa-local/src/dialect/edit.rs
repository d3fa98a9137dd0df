//! Edits to a statement's text, and the way back from a position in the result.

use std::collections::BTreeSet;
use std::ops::Range;

use super::settings::Settings;

/// SQL for PostgreSQL, and where each of its parts came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sql {
    /// The text that is sent.
    pub text: Vec<u8>,
    /// The parts copied from the client's text, in order.
    copies: Vec<Copied>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Copied {
    /// Where the part lies in `text`, in bytes.
    target: usize,
    /// Where it lay in the client's text, in bytes.
    source: usize,
    length: usize,
}

impl Sql {
    /// Text of our own: no position in it means anything to the client.
    pub fn made(text: impl Into<Vec<u8>>) -> Self {
        Self { text: text.into(), copies: Vec::new() }
    }

    /// The client's text from byte `offset` on, as it is.
    pub fn copied(text: &[u8], offset: usize) -> Self {
        let copies = vec![Copied { target: 0, source: offset, length: text.len() }];
        Self { text: text.to_vec(), copies }
    }

    /// Appends another text.
    pub fn append(&mut self, other: &Self) {
        let base = self.text.len();
        self.text.extend_from_slice(&other.text);
        self.copies.extend(other.copies.iter().map(|c| Copied { target: c.target + base, ..*c }));
    }

    /// Appends text of our own.
    pub fn push(&mut self, text: &str) {
        self.text.extend_from_slice(text.as_bytes());
    }

    /// Moves a byte position of this text back to the client's text; `None` when the byte is ours.
    pub fn source_of(&self, position: usize) -> Option<usize> {
        let copy = self
            .copies
            .iter()
            .find(|copy| position >= copy.target && position - copy.target < copy.length.max(1))
            .or_else(|| {
                // PostgreSQL reports "at end of input" one past the last byte.
                self.copies.last().filter(|last| {
                    position == self.text.len() && position == last.target + last.length
                })
            })?;
        Some(copy.source + (position - copy.target))
    }

    /// The first byte of the client's text that went into these bytes.
    pub fn source_within(&self, part: Range<usize>) -> Option<usize> {
        let copy = self.copies.iter().find(|copy| copy.target + copy.length > part.start)?;
        (copy.target < part.end).then(|| copy.source + part.start.saturating_sub(copy.target))
    }

    /// Moves a character position as an ErrorResponse counts it (from 1) back to a character
    /// position in `client`, the text the client sent; `None` when there is no such place.
    pub fn client_position(&self, position: usize, client: &[u8]) -> Option<usize> {
        let before = client.get(..self.client_byte(position)?)?;
        Some(before.iter().filter(|byte| !is_continuation(**byte)).count() + 1)
    }

    /// The same, as a byte of the client's text.
    pub fn client_byte(&self, position: usize) -> Option<usize> {
        self.source_of(byte_of_character(&self.text, position.checked_sub(1)?)?)
    }
}

fn is_continuation(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

fn byte_of_character(text: &[u8], character: usize) -> Option<usize> {
    let mut starts = text.iter().enumerate().filter(|(_, byte)| !is_continuation(**byte));
    match starts.nth(character) {
        Some((byte, _)) => Some(byte),
        None => {
            let count = text.iter().filter(|byte| !is_continuation(**byte)).count();
            (character == count).then_some(text.len())
        }
    }
}

/// Replacements, collected in any order and applied at once.
#[derive(Debug, Default)]
pub struct Edits {
    edits: Vec<Edit>,
    notices: Vec<String>,
    /// The ends of the brackets in which a statement was found.
    bodies: BTreeSet<usize>,
    /// What some of them depend on.
    pub(super) settings: Settings,
    /// The statement has a tree: its operands have brackets where PostgreSQL needs them.
    pub(super) has_tree: bool,
}

/// A statement has so many notices at most.
const NOTICES: usize = 8;

#[derive(Debug)]
struct Edit {
    start: usize,
    end: usize,
    text: String,
    moved: Option<Moved>,
}

/// Text that an edit brings from elsewhere.
#[derive(Debug)]
struct Moved {
    start: usize,
    end: usize,
    /// What stands behind it.
    after: String,
}

impl Edits {
    /// None yet, under these settings.
    pub(super) fn under(settings: &Settings) -> Self {
        Self { settings: *settings, ..Self::default() }
    }

    /// Replaces the bytes `start..end`. What lies inside a longer replacement is dropped with it.
    pub fn replace(&mut self, start: usize, end: usize, text: impl Into<String>) {
        self.edits.push(Edit { start, end, text: text.into(), moved: None });
    }

    /// Inserts before byte `at`.
    pub fn insert(&mut self, at: usize, text: impl Into<String>) {
        self.replace(at, at, text);
    }

    /// Brings the bytes `from..to`, with the edits made within them, to byte `at`, between `before` and
    /// `after`. They stay where they are, too, until a
    /// replacement takes them out there.
    pub fn relocate(
        &mut self,
        (start, end): (usize, usize),
        at: usize,
        before: impl Into<String>,
        after: impl Into<String>,
    ) {
        let moved = Some(Moved { start, end, after: after.into() });
        self.edits.push(Edit { start: at, end: at, text: before.into(), moved });
    }

    /// Adds a notice for the client, once.
    pub fn add_notice(&mut self, message: impl Into<String>) {
        let message = message.into();
        if self.notices.len() < NOTICES && !self.notices.contains(&message) {
            self.notices.push(message);
        }
    }

    /// Whether this is the first statement found in the bracket that `end` closes. There can be one
    /// only, and looking for more would take time that grows with the square of the text.
    pub fn first_in(&mut self, end: usize) -> bool {
        self.bodies.insert(end)
    }

    /// The notice for the client, if there is one.
    pub fn notice(&self) -> Option<String> {
        (!self.notices.is_empty()).then(|| self.notices.join("; "))
    }

    /// Whether nothing is to be changed.
    pub fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }

    /// The text of `sql` with the edits made; `offset` is where `sql` starts in the client's text.
    pub fn apply(mut self, sql: &[u8], offset: usize) -> Sql {
        // Insertions come before a replacement that starts at the same byte.
        self.edits.sort_by_key(|edit| (edit.start, edit.end > edit.start, usize::MAX - edit.end));
        let mut result = Sql::default();
        self.render((0, sql.len()), sql, offset, &mut result);
        result.copies.retain(|copy| copy.length > 0);
        result
    }

    /// Appends the bytes `from..to` with the edits that lie within them.
    fn render(&self, (from, to): (usize, usize), sql: &[u8], offset: usize, result: &mut Sql) {
        let first = self.edits.partition_point(|edit| edit.start < from);
        let mut at = from;
        for edit in self.edits.get(first..).unwrap_or_default() {
            if edit.start > to {
                break;
            }
            if edit.start < at || edit.end > to {
                continue;
            }
            if let Some(kept) = sql.get(at..edit.start) {
                result.append(&Sql::copied(kept, offset + at));
            }
            result.push(&edit.text);
            if let Some(moved) = &edit.moved {
                self.render((moved.start, moved.end), sql, offset, result);
                result.push(&moved.after);
            }
            at = edit.end;
        }
        if let Some(kept) = sql.get(at..to) {
            result.append(&Sql::copied(kept, offset + at));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_go_back_to_the_clients_text() {
        let client = "SELECT 1; SELECT é::STRING, x";
        let sql = client.as_bytes();
        let offset = 10;
        let statement = &sql[offset..];
        let at = statement.windows(6).position(|w| w == b"STRING").unwrap();
        let mut edits = Edits::default();
        edits.replace(at, at + 6, "TEXT");
        let result = edits.apply(statement, offset);
        assert_eq!(result.text, "SELECT é::TEXT, x".as_bytes());
        // "x" is character 17 of the rewritten text and 29 of the client's.
        assert_eq!(result.client_position(17, sql), Some(29));
        assert_eq!(result.client_position(11, sql), None, "TEXT is not the client's text");
        assert_eq!(result.client_position(18, sql), Some(30), "at end of input");
        assert_eq!(result.client_position(99, sql), None);
    }

    #[test]
    fn a_longer_replacement_swallows_what_lies_inside() {
        let mut edits = Edits::default();
        edits.replace(3, 4, "X");
        edits.replace(2, 6, "");
        edits.insert(2, "+");
        assert_eq!(edits.apply(b"abcdefgh", 0).text, b"ab+gh");
    }

    #[test]
    fn moved_text_keeps_its_edits_and_positions() {
        let mut edits = Edits::default();
        edits.relocate((4, 7), 0, "<", ">");
        edits.replace(3, 8, "_");
        edits.replace(5, 6, "XY");
        let result = edits.apply(b"abc[efg]ij", 20);
        assert_eq!(result.text, b"<eXYg>abc_ij");
        assert_eq!(result.source_of(1), Some(24));
        assert_eq!(result.source_of(4), Some(26));
        assert_eq!(result.source_of(6), Some(20));
    }
}
