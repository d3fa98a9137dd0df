//! Names of subjects and issuers, and when two are the same.
//!
//! Source: RFC 5280, section 7.1, as OpenSSL does it: upper and lower case and runs of spaces make
//! no difference, nor does the type of string.

use std::char::DecodeUtf16Error;

use x509_cert::der::Encode;
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::der::oid::db::{rfc3280, rfc4519};
use x509_cert::ext::pkix::name::{GeneralName, GeneralNames};

use super::reading::{Element, Elements, OBJECT_IDENTIFIER, Result, SEQUENCE, only};

const UTF8_STRING: u8 = 0x0c;
const PRINTABLE_STRING: u8 = 0x13;
const TELETEX_STRING: u8 = 0x14;
const IA5_STRING: u8 = 0x16;
const VISIBLE_STRING: u8 = 0x1a;
const BMP_STRING: u8 = 0x1e;

/// As long as a host's name can be.
const LONGEST_SHOWN: usize = 253;

/// The contents of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Name<'a>(pub(super) &'a [u8]);

/// One attribute of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Attribute<'a> {
    kind: &'a [u8],
    /// The first byte of the value, which tells the type of string.
    tag: u8,
    pub(crate) value: &'a [u8],
}

/// A value of an attribute: text in a form that can be compared, or what it is byte by byte.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    Text(String),
    Other(u8, Vec<u8>),
}

impl<'a> Attribute<'a> {
    fn read(element: Element<'a>) -> Result<Attribute<'a>> {
        let mut parts = Elements(element.contents);
        let kind = parts.expect(OBJECT_IDENTIFIER)?;
        let Element { tag, contents: value, .. } = parts.element()?;
        Ok(Attribute { kind, tag, value })
    }

    pub(crate) fn is(&self, kind: &ObjectIdentifier) -> bool {
        self.kind == kind.as_bytes()
    }

    /// The value as text, if it is of a type that is known; what of it is none is replaced.
    pub(crate) fn text(&self) -> String {
        match self.tag {
            BMP_STRING => {
                utf16(self.value).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
            }
            _ => String::from_utf8_lossy(self.value).into_owned(),
        }
    }

    /// Whether both say the same.
    fn means(&self, other: &Attribute<'_>) -> bool {
        self.kind == other.kind && (self == other || self.canonical() == other.canonical())
    }

    /// What two values that mean the same have in common.
    fn canonical(&self) -> Value {
        let text = match self.tag {
            UTF8_STRING | PRINTABLE_STRING | IA5_STRING | VISIBLE_STRING => {
                std::str::from_utf8(self.value).ok().map(str::to_owned)
            }
            TELETEX_STRING => Some(self.value.iter().copied().map(char::from).collect()),
            BMP_STRING => utf16(self.value).collect::<Result<String, _>>().ok(),
            _ => None,
        };
        let Some(text) = text else { return Value::Other(self.tag, self.value.to_vec()) };
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        Value::Text(words.join(" ").to_ascii_lowercase())
    }
}

impl<'a> Name<'a> {
    /// The name of which these are all bytes, with its header.
    pub(crate) fn parse(der: &'a [u8]) -> Result<Name<'a>> {
        only(der, SEQUENCE).map(Name)
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The sets of attributes that it is made of, from the most general to the most particular.
    pub(crate) fn sets(self) -> impl Iterator<Item = Result<Vec<Attribute<'a>>>> {
        Elements(self.0).map(|set| {
            Elements(set?.contents).map(|attribute| Attribute::read(attribute?)).collect()
        })
    }

    /// The values of all attributes of that sort.
    fn values(self, wanted: &ObjectIdentifier) -> impl Iterator<Item = &'a [u8]> {
        let attributes = self.sets().filter_map(Result::ok).flatten();
        attributes.filter(move |attribute| attribute.is(wanted)).map(|attribute| attribute.value)
    }

    /// All common names.
    pub(crate) fn common_names(self) -> impl Iterator<Item = &'a [u8]> {
        self.values(&rfc4519::COMMON_NAME)
    }

    pub(crate) fn email_addresses(self) -> impl Iterator<Item = &'a [u8]> {
        self.values(&rfc3280::EMAIL_ADDRESS)
    }

    /// What to call its owner in a message.
    pub(crate) fn shown(self) -> String {
        let kinds =
            [rfc4519::COMMON_NAME, rfc4519::ORGANIZATIONAL_UNIT_NAME, rfc4519::ORGANIZATION_NAME];
        let named = kinds.iter().find_map(|kind| self.values(kind).next());
        named.map_or_else(
            || "without a name".to_owned(),
            |name| readable(&String::from_utf8_lossy(name)),
        )
    }

    /// Whether it begins as `base` does: whether it is in that subtree.
    pub(crate) fn is_within(self, base: Name<'_>) -> bool {
        let (mut sets, mut base) = (self.sets(), base.sets());
        base.by_ref().all(|set| is_same_set(&sets.next(), &Some(set)))
            && sets.all(|set| set.is_ok())
    }
}

/// Whether both sets can be read and mean the same.
fn is_same_set(
    one: &Option<Result<Vec<Attribute<'_>>>>,
    other: &Option<Result<Vec<Attribute<'_>>>>,
) -> bool {
    let (Some(Ok(one)), Some(Ok(other))) = (one, other) else { return false };
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.means(other))
}

/// The characters of a BMPString.
fn utf16(bytes: &[u8]) -> impl Iterator<Item = Result<char, DecodeUtf16Error>> {
    char::decode_utf16(bytes.chunks(2).map(|pair| match pair {
        [high, low] => u16::from_be_bytes([*high, *low]),
        // Half a character, which is none.
        _ => 0xdc00,
    }))
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
    if one == other {
        return true;
    }
    // Most differ early: nothing is made ready for comparing that is not compared.
    let (mut ones, mut others) = (one.sets(), other.sets());
    loop {
        match (ones.next(), others.next()) {
            (None, None) => return true,
            (one, other) if !is_same_set(&one, &other) => return false,
            _ => {}
        }
    }
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
            let kind = wrapped(6, rfc4519::COMMON_NAME.as_bytes());
            let inside = [kind, wrapped(*tag, value)].concat();
            wrapped(0x31, &wrapped(0x30, &inside))
        };
        parts.iter().flat_map(attribute).collect()
    }

    #[test]
    fn distinguishes_names() {
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
