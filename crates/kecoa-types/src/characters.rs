//! How bytes of a client encoding group into characters.
//!
//! In some encodings that only clients use, the second byte of a character may be one of ASCII's: a
//! backslash, a brace, a bar. The server turns text into its own encoding before it parses it, so
//! what quotes or reads SQL and arrays must go by characters there, as libpq does.

use std::borrow::Cow;

/// The rule by which bytes group into characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Characters {
    /// Each byte that looks like ASCII is: UTF-8, and every encoding of one byte a character.
    #[default]
    Plain,
    /// `SJIS`.
    ShiftJis,
    /// `SHIFT_JIS_2004`: the same, but the server has two spellings of a backslash, one of two bytes.
    ShiftJis2004,
    /// `BIG5`, `GBK`, `UHC`: two bytes.
    TwoBytes,
    /// `GB18030`: two bytes or four.
    Gb18030,
    /// `JOHAB`, as the server reads it.
    Johab,
    /// `EUC_JP` and `EUC_JIS_2004`.
    EucJp,
    /// `EUC_KR` and `EUC_CN`.
    EucKr,
}

/// A backslash to a server that reads `SHIFT_JIS_2004`, as `\\` is.
const WIDE_BACKSLASH: &[u8] = b"\x81\x5f";

/// What libpq puts in place of a byte that begins no character: two bytes that no server takes for
/// text, so that the quote behind them stays a quote and the statement is refused.
const INVALID: &[u8] = b"\x8d ";

fn is_euc(byte: Option<&u8>) -> bool {
    matches!(byte, Some(0xa1..=0xfe))
}

impl Characters {
    /// The rule of an encoding by PostgreSQL's name of it, or by Python's; letters and digits count,
    /// case does not.
    #[must_use]
    pub fn of(name: &str) -> Characters {
        let name: String = name
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_ascii_lowercase();
        match name.as_str() {
            "sjis" | "shiftjis" | "mskanji" | "windows932" | "win932" | "cp932" | "932"
            | "ms932" | "mskanji932" | "csshiftjis" => Characters::ShiftJis,
            "shiftjis2004" | "sjis2004" | "shiftjisx0213" | "sjisx0213" => Characters::ShiftJis2004,
            "big5" | "big5tw" | "csbig5" | "big5hkscs" | "hkscs" | "windows950" | "win950"
            | "cp950" | "950" | "ms950" | "gbk" | "cp936" | "936" | "ms936" | "windows936"
            | "win936" | "uhc" | "cp949" | "949" | "ms949" | "windows949" | "win949" => {
                Characters::TwoBytes
            }
            "gb18030" | "gb180302000" => Characters::Gb18030,
            "johab" | "cp1361" | "ms1361" => Characters::Johab,
            "eucjp" | "ujis" | "ujis2004" | "eucjis2004" | "jisx0213" | "eucjisx0213" => {
                Characters::EucJp
            }
            "euckr" | "euccn" | "gb2312" | "eucgb2312cn" | "korean" | "ksc5601" => {
                Characters::EucKr
            }
            _ => Characters::Plain,
        }
    }

    /// Whether a byte below 0x80 may be part of a character of several bytes.
    #[must_use]
    pub fn hide_ascii(self) -> bool {
        matches!(
            self,
            Characters::ShiftJis
                | Characters::ShiftJis2004
                | Characters::TwoBytes
                | Characters::Gb18030
                | Characters::Johab
        )
    }

    /// How many bytes the character at the start of `bytes` has; nothing where none begins there.
    #[inline]
    fn first(self, bytes: &[u8]) -> Option<usize> {
        let lead = *bytes.first()?;
        if lead < 0x80 || self == Characters::Plain {
            return Some(1);
        }
        let second = bytes.get(1);
        let (length, whole) = match self {
            Characters::Plain => (1, true),
            Characters::ShiftJis | Characters::ShiftJis2004 => match lead {
                0xa1..=0xdf => (1, true),
                0x81..=0x9f | 0xe0..=0xfc => (2, matches!(second, Some(0x40..=0x7e | 0x80..=0xfc))),
                _ => (2, false),
            },
            // libpq takes any second byte, a quote as well, and leaves the refusal to the server.
            Characters::TwoBytes => (2, second.is_some_and(|byte| *byte >= 0x40)),
            Characters::Gb18030 => match (lead, second) {
                (0x81..=0xfe, Some(b'0'..=b'9')) => (
                    4,
                    matches!(bytes.get(2), Some(0x81..=0xfe))
                        && matches!(bytes.get(3), Some(b'0'..=b'9')),
                ),
                (0x81..=0xfe, Some(0x40..=0x7e | 0x80..=0xfe)) => (2, true),
                _ => (2, false),
            },
            Characters::Johab => match lead {
                0x8f => (3, is_euc(second) && is_euc(bytes.get(2))),
                _ => (2, is_euc(second)),
            },
            Characters::EucJp => match lead {
                0x8e => (2, matches!(second, Some(0xa1..=0xdf))),
                0x8f => (3, is_euc(second) && is_euc(bytes.get(2))),
                _ => (2, is_euc(Some(&lead)) && is_euc(second)),
            },
            Characters::EucKr => (2, is_euc(Some(&lead)) && is_euc(second)),
        };
        whole.then_some(length)
    }

    /// Calls `each` with every character, and with `None` where a byte begins none; that byte is
    /// passed over.
    pub fn walk<'a>(self, mut bytes: &'a [u8], mut each: impl FnMut(Option<&'a [u8]>)) {
        while !bytes.is_empty() {
            let found = self.first(bytes);
            let (character, rest) =
                bytes.split_at_checked(found.unwrap_or(1)).unwrap_or((bytes, &[]));
            each(found.map(|_| character));
            bytes = rest;
        }
    }

    /// The bytes with whatever is no character replaced by what no server takes for text, and each
    /// backslash in one byte.
    #[must_use]
    pub fn checked(self, bytes: &[u8]) -> Cow<'_, [u8]> {
        if self == Characters::Plain || bytes.is_ascii() {
            return Cow::Borrowed(bytes);
        }
        let mut out = Vec::with_capacity(bytes.len());
        self.walk(bytes, |character| {
            out.extend_from_slice(match character {
                Some(WIDE_BACKSLASH) if self == Characters::ShiftJis2004 => b"\\",
                character => character.unwrap_or(INVALID),
            });
        });
        Cow::Owned(out)
    }

    /// Bytes of the same number and order in which those of longer characters are 0x80: where this
    /// shows a quote, a brace or a backslash, there is one.
    #[must_use]
    pub fn outline(self, bytes: &[u8]) -> Cow<'_, [u8]> {
        if !self.hide_ascii() || bytes.is_ascii() {
            return Cow::Borrowed(bytes);
        }
        let mut out = Vec::with_capacity(bytes.len());
        self.walk(bytes, |character| match character {
            Some([byte]) => out.push(*byte),
            Some(character) => out.resize(out.len() + character.len(), 0x80),
            None => out.push(0x80),
        });
        Cow::Owned(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(rule: Characters, bytes: &[u8]) -> Vec<Option<Vec<u8>>> {
        let mut parts = Vec::new();
        rule.walk(bytes, |part| parts.push(part.map(<[u8]>::to_vec)));
        parts
    }

    #[test]
    fn names_of_either_side_are_known() {
        for (name, rule) in [
            ("SJIS", Characters::ShiftJis),
            ("cp932", Characters::ShiftJis),
            ("SHIFT_JIS_2004", Characters::ShiftJis2004),
            ("BIG5", Characters::TwoBytes),
            ("cp949", Characters::TwoBytes),
            ("GB18030", Characters::Gb18030),
            ("JOHAB", Characters::Johab),
            ("EUCJIS2004", Characters::EucJp),
            ("euccn", Characters::EucKr),
            ("UTF8", Characters::Plain),
            ("koi8_r", Characters::Plain),
        ] {
            assert_eq!(Characters::of(name), rule, "{name}");
        }
    }

    #[test]
    fn characters_are_whole_or_none() {
        assert_eq!(
            parts(Characters::ShiftJis, b"\x95\\\\"),
            [Some(b"\x95\\".to_vec()), Some(b"\\".to_vec())]
        );
        assert_eq!(
            parts(Characters::ShiftJis, b"\xb1'"),
            [Some(b"\xb1".to_vec()), Some(b"'".to_vec())]
        );
        assert_eq!(parts(Characters::ShiftJis, b"\x95'"), [None, Some(b"'".to_vec())]);
        assert_eq!(parts(Characters::ShiftJis, b"\x95"), [None]);
        assert_eq!(parts(Characters::Gb18030, b"\x81\x30\x81\x30").len(), 1);
        assert_eq!(parts(Characters::Gb18030, b"\x81\x30'")[0], None);
        assert_eq!(parts(Characters::TwoBytes, b"\x8d ")[0], None);
        assert_eq!(parts(Characters::EucJp, b"\x8f\xa1\xa1").len(), 1);
        assert_eq!(parts(Characters::Plain, b"\x95\\").len(), 2);
    }

    #[test]
    fn what_is_no_character_is_replaced() {
        // As libpq 17 replaces it.
        for (rule, bytes, expected) in [
            (Characters::ShiftJis, &b"a\x95'"[..], &b"a\x8d '"[..]),
            (Characters::Gb18030, b"\x81\x30'", b"\x8d 0'"),
            (Characters::Johab, b"\x8f\xa1", b"\x8d \x8d "),
            (Characters::EucKr, b"\xff'\\", b"\x8d '\\"),
            (Characters::TwoBytes, b"\x95", b"\x8d "),
            (Characters::Plain, b"\x95", b"\x95"),
            (Characters::ShiftJis, b"\x81\x5f", b"\x81\x5f"),
            (Characters::ShiftJis2004, b"\x81\x5f\x95\\", b"\\\x95\\"),
        ] {
            assert_eq!(*rule.checked(bytes), *expected, "{rule:?} {bytes:?}");
        }
    }

    #[test]
    fn outlines_hide_what_looks_like_ascii() {
        assert_eq!(*Characters::ShiftJis.outline(b"{\x95\\,\"\\\"\"}"), *b"{\x80\x80,\"\\\"\"}");
        assert_eq!(*Characters::Plain.outline(b"\x95\\"), *b"\x95\\");
    }
}
