//! The command tag: what a statement did, as the server reports it.

use std::fmt;

use memchr::memchr;

use crate::error::ProtocolError;
use crate::message::tags::backend as tags;

/// The text of a CommandComplete: `SELECT 5`, `INSERT 0 1`, `CREATE TABLE`. In the length it
/// usually has it needs no allocation.
#[derive(Clone)]
pub struct CommandTag(Repr);

const INLINE: usize = 31;

#[derive(Clone)]
enum Repr {
    Inline { length: u8, bytes: [u8; INLINE] },
    Heap(Box<[u8]>),
}

impl CommandTag {
    /// A tag with this text.
    #[must_use]
    pub fn new(tag: &[u8]) -> CommandTag {
        let mut bytes = [0; INLINE];
        match (u8::try_from(tag.len()), bytes.get_mut(..tag.len())) {
            (Ok(length), Some(slot)) => {
                slot.copy_from_slice(tag);
                CommandTag(Repr::Inline { length, bytes })
            }
            _ => CommandTag(Repr::Heap(tag.into())),
        }
    }

    /// Reads the body of a CommandComplete, without an allocation for what is short.
    pub(crate) fn decode(body: &[u8]) -> Result<CommandTag, ProtocolError> {
        match memchr(0, body) {
            Some(end) if end + 1 == body.len() => {
                Ok(CommandTag::new(body.get(..end).unwrap_or_default()))
            }
            _ => Err(ProtocolError::malformed(
                tags::name(tags::COMMAND_COMPLETE),
                "a command tag that ends with NUL",
                format!("{} bytes with none, or more behind it", body.len()),
            )),
        }
    }

    /// The text.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Repr::Inline { length, bytes } => bytes.get(..usize::from(*length)).unwrap_or_default(),
            Repr::Heap(bytes) => bytes,
        }
    }

    /// How many rows the statement returned or touched; `None` where the tag does not say. Only the
    /// commands for which libpq's `PQcmdTuples` answers count: INSERT, DELETE, UPDATE, SELECT,
    /// FETCH, MOVE, COPY, MERGE.
    #[must_use]
    pub fn rows(&self) -> Option<u64> {
        let mut words = self.as_bytes().split(|byte| *byte == b' ');
        let number = match words.next()? {
            b"INSERT" => {
                words.next()?; // the oid, always 0 since PostgreSQL 12
                words.next()?
            }
            b"DELETE" | b"UPDATE" | b"SELECT" | b"FETCH" | b"MOVE" | b"COPY" | b"MERGE" => {
                words.next()?
            }
            _ => return None,
        };
        if number.is_empty() || !number.iter().all(u8::is_ascii_digit) || words.next().is_some() {
            return None;
        }
        std::str::from_utf8(number).ok()?.parse().ok()
    }
}

impl Default for CommandTag {
    /// No text.
    fn default() -> CommandTag {
        CommandTag::new(b"")
    }
}

impl PartialEq for CommandTag {
    fn eq(&self, other: &CommandTag) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for CommandTag {}

impl fmt::Debug for CommandTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CommandTag({self})")
    }
}

impl fmt::Display for CommandTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", String::from_utf8_lossy(self.as_bytes()))
    }
}
