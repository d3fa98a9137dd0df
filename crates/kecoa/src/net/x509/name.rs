//! Names of subjects and issuers, and when two are the same.
//!
//! Source: RFC 5280, section 7.1, as OpenSSL does it: upper and lower case and runs of spaces make
//! no difference, nor does the type of string.

use x509_cert::der::Encode;
use x509_cert::ext::pkix::name::{GeneralName, GeneralNames};

use super::{Elements, OID, SEQUENCE};
use crate::der::element;

const UTF8_STRING: u8 = 0x0c;
const PRINTABLE_STRING: u8 = 0x13;
const TELETEX_STRING: u8 = 0x14;
const IA5_STRING: u8 = 0x16;
const VISIBLE_STRING: u8 = 0x1a;
const BMP_STRING: u8 = 0x1e;

const COMMON_NAME: &[u8] = &[0x55, 4, 3];
const ORGANIZATION: &[u8] = &[0x55, 4, 10];
const UNIT: &[u8] = &[0x55, 4, 11];
const EMAIL_ADDRESS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1];

/// As long as a host's name can be.
const LONGEST_SHOWN: usize = 253;

/// The contents of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Name<'a>(pub(super) &'a [u8]);

/// A value of an attribute: text in a form that can be compared, or what it is byte by byte.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    Text(String),
    Other(u8, Vec<u8>),
}

type Attributes = Vec<(Vec<u8>, Value)>;

impl<'a> Name<'a> {
    /// The name of which these are all bytes, with its header.
    pub(crate) fn parse(der: &'a [u8]) -> Option<Name<'a>> {
        match element(der)? {
            (SEQUENCE, contents, []) => Some(Name(contents)),
            _ => None,
        }
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The values of all attributes of that sort.
    fn values(self, wanted: &'static [u8]) -> impl Iterator<Item = &'a [u8]> {
        Elements(self.0).flat_map(|(_, set)| Elements(set)).filter_map(move |(_, attribute)| {
            let mut parts = Elements(attribute);
            (parts.expect(OID)? == wanted).then(|| parts.next())?.map(|(_, text)| text)
        })
    }

    /// All common names.
    pub(crate) fn common_names(self) -> impl Iterator<Item = &'a [u8]> {
        self.values(COMMON_NAME)
    }

    pub(crate) fn email_addresses(self) -> impl Iterator<Item = &'a [u8]> {
        self.values(EMAIL_ADDRESS)
    }

    /// What to call its owner in a message.
    pub(crate) fn shown(self) -> String {
        let kinds = [COMMON_NAME, UNIT, ORGANIZATION];
        let named = kinds.into_iter().find_map(|kind| self.values(kind).next());
        named.map_or_else(
            || "without a name".to_owned(),
            |name| readable(&String::from_utf8_lossy(name)),
        )
    }

    /// Whether it begins as `base` does: whether it is in that subtree.
    pub(crate) fn is_within(self, base: Name<'_>) -> bool {
        match (self.canonical(), base.canonical()) {
            (Some(name), Some(base)) => name.starts_with(&base),
            _ => false,
        }
    }

    fn canonical(self) -> Option<Vec<Attributes>> {
        let attribute = |(_, attribute)| {
            let mut parts = Elements(attribute);
            let kind = parts.expect(OID)?.to_vec();
            let (tag, value) = parts.next()?;
            Some((kind, canonical_value(tag, value)))
        };
        let mut sets = Elements(self.0);
        let found: Option<Vec<Attributes>> =
            sets.by_ref().map(|(_, set)| Elements(set).map(attribute).collect()).collect();
        found.filter(|_| sets.0.is_empty())
    }
}

/// Text that somebody else wrote, for a message: of some length, and without what moves the cursor.
pub(crate) fn readable(text: &str) -> String {
    let mut shown: String = text
        .chars()
        .take(LONGEST_SHOWN)
        .map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c })
        .collect();
    if text.chars().nth(LONGEST_SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

/// Whether two names are of one owner.
pub(crate) fn same_name(one: Name<'_>, other: Name<'_>) -> bool {
    one == other
        || matches!((one.canonical(), other.canonical()), (Some(one), Some(other)) if one == other)
}

fn canonical_value(tag: u8, value: &[u8]) -> Value {
    let text = match tag {
        UTF8_STRING | PRINTABLE_STRING | IA5_STRING | VISIBLE_STRING => {
            std::str::from_utf8(value).ok().map(str::to_owned)
        }
        TELETEX_STRING => Some(value.iter().copied().map(char::from).collect()),
        BMP_STRING => {
            let units = value.chunks(2).map(|pair| match pair {
                [high, low] => u16::from_be_bytes([*high, *low]),
                // Half a character, which is none.
                _ => 0xdc00,
            });
            char::decode_utf16(units).collect::<Result<String, _>>().ok()
        }
        _ => None,
    };
    let Some(text) = text else { return Value::Other(tag, value.to_vec()) };
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    Value::Text(words.join(" ").to_ascii_lowercase())
}

/// A directory name that `x509-cert` has read.
pub(crate) struct DirectoryName(Vec<u8>);

impl DirectoryName {
    pub(crate) fn of(name: &x509_cert::name::Name) -> Option<DirectoryName> {
        name.to_der().ok().map(DirectoryName)
    }

    pub(crate) fn name(&self) -> Name<'_> {
        Name::parse(&self.0).unwrap_or(Name(&[]))
    }

    pub(super) fn is(&self, other: Name<'_>) -> bool {
        same_name(self.name(), other)
    }
}

pub(super) fn directory_names(names: &GeneralNames) -> impl Iterator<Item = DirectoryName> {
    names.iter().filter_map(|name| match name {
        GeneralName::DirectoryName(name) => DirectoryName::of(name),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(parts: &[(u8, &[u8])]) -> Vec<u8> {
        let wrapped = |tag: u8, contents: &[u8]| {
            [&[tag, u8::try_from(contents.len()).unwrap()], contents].concat()
        };
        let attribute = |(tag, value): &(u8, &[u8])| {
            let inside = [wrapped(OID, COMMON_NAME), wrapped(*tag, value)].concat();
            wrapped(0x31, &wrapped(SEQUENCE, &inside))
        };
        parts.iter().flat_map(attribute).collect()
    }

    #[test]
    fn tells_names_apart() {
        let one = name(&[(UTF8_STRING, b"Root  CA ")]);
        for (other, same) in [
            (name(&[(UTF8_STRING, b"Root  CA ")]), true),
            (name(&[(PRINTABLE_STRING, b"root ca")]), true),
            (name(&[(BMP_STRING, b"\0r\0o\0o\0t\0 \0c\0a")]), true),
            (name(&[(BMP_STRING, b"\0r\0o\0o\0t\0 \0c\0a\0")]), false),
            (name(&[(TELETEX_STRING, b" ROOT CA")]), true),
            (name(&[(UTF8_STRING, b"Root CA 2")]), false),
            (name(&[(UTF8_STRING, b"RootCA")]), false),
            (name(&[(0x03, b"root ca")]), false),
            (name(&[(UTF8_STRING, b"root ca"), (UTF8_STRING, b"x")]), false),
            (name(&[(UTF8_STRING, b"root\xff")]), false),
            (Vec::new(), false),
        ] {
            assert_eq!(same_name(Name(&one), Name(&other)), same, "{other:?}");
        }
        let longer = name(&[(UTF8_STRING, b"root ca"), (UTF8_STRING, b"x")]);
        assert!(Name(&longer).is_within(Name(&one)) && !Name(&one).is_within(Name(&longer)));
        assert!(Name(&one).is_within(Name(&[])));
        // What is cut is no name.
        assert!(!Name(&one).is_within(Name(&one[..one.len() - 1])));
    }

    #[test]
    fn shows_nothing_that_moves_the_cursor() {
        let evil = name(&[(UTF8_STRING, b"a\x1b[2J\0b\xff")]);
        assert_eq!(Name(&evil).shown(), "a\u{fffd}[2J\u{fffd}b\u{fffd}");
        assert_eq!(Name(&[]).shown(), "without a name");
        assert_eq!(readable(&"é".repeat(253)), "é".repeat(253));
        assert_eq!(readable(&"é".repeat(60_000)), format!("{}…", "é".repeat(253)));
    }
}
