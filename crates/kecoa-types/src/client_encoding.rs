//! How bytes of a client encoding group into characters.
//!
//! In some encodings that only clients use, the second byte of a character may be one of ASCII's: a
//! backslash, a brace, a bar. The server turns text into its own encoding before it parses it, so
//! what quotes or reads SQL and arrays must go by characters there, as libpq does.

use std::borrow::Cow;

/// A client encoding, as far as it says which bytes are one character.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientEncoding {
    /// Each byte that looks like ASCII is: UTF-8, and every encoding of one byte a character.
    #[default]
    Plain,
    /// `SJIS`.
    ShiftJis,
    /// `SHIFT_JIS_2004`: the same, but the server has two forms of a backslash, one of two bytes.
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
/// text, so that the quote after them stays a quote and the statement is refused.
const INVALID: &[u8] = b"\x8d ";

fn is_euc(byte: Option<&u8>) -> bool {
    matches!(byte, Some(0xa1..=0xfe))
}

impl ClientEncoding {
    /// An encoding by PostgreSQL's name of it, or by Python's; letters and digits count,
    /// case does not.
    #[must_use]
    pub fn from_name(name: &str) -> ClientEncoding {
        let name: String = name
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_ascii_lowercase();
        match name.as_str() {
            "sjis" | "shiftjis" | "mskanji" | "windows932" | "win932" | "cp932" | "932"
            | "ms932" | "mskanji932" | "csshiftjis" => ClientEncoding::ShiftJis,
            "shiftjis2004" | "sjis2004" | "shiftjisx0213" | "sjisx0213" => {
                ClientEncoding::ShiftJis2004
            }
            "big5" | "big5tw" | "csbig5" | "big5hkscs" | "hkscs" | "windows950" | "win950"
            | "cp950" | "950" | "ms950" | "gbk" | "cp936" | "936" | "ms936" | "windows936"
            | "win936" | "uhc" | "cp949" | "949" | "ms949" | "windows949" | "win949" => {
                ClientEncoding::TwoBytes
            }
            "gb18030" | "gb180302000" => ClientEncoding::Gb18030,
            "johab" | "cp1361" | "ms1361" => ClientEncoding::Johab,
            "eucjp" | "ujis" | "ujis2004" | "eucjis2004" | "jisx0213" | "eucjisx0213" => {
                ClientEncoding::EucJp
            }
            "euckr" | "euccn" | "gb2312" | "eucgb2312cn" | "korean" | "ksc5601" => {
                ClientEncoding::EucKr
            }
            _ => ClientEncoding::Plain,
        }
    }

    /// Whether a byte below 0x80 may be part of a character of several bytes.
    #[must_use]
    pub fn embeds_ascii(self) -> bool {
        matches!(
            self,
            ClientEncoding::ShiftJis
                | ClientEncoding::ShiftJis2004
                | ClientEncoding::TwoBytes
                | ClientEncoding::Gb18030
                | ClientEncoding::Johab
        )
    }

    /// How many bytes the character at the start of `bytes` has; nothing where none begins there.
    #[inline]
    fn first_length(self, bytes: &[u8]) -> Option<usize> {
        let lead = *bytes.first()?;
        if lead < 0x80 || self == ClientEncoding::Plain {
            return Some(1);
        }
        let second = bytes.get(1);
        let (length, whole) = match self {
            ClientEncoding::Plain => (1, true),
            ClientEncoding::ShiftJis | ClientEncoding::ShiftJis2004 => match lead {
                0xa1..=0xdf => (1, true),
                0x81..=0x9f | 0xe0..=0xfc => (2, matches!(second, Some(0x40..=0x7e | 0x80..=0xfc))),
                _ => (2, false),
            },
            // libpq takes any second byte, a quote as well, and leaves the refusal to the server.
            ClientEncoding::TwoBytes => (2, second.is_some_and(|byte| *byte >= 0x40)),
            ClientEncoding::Gb18030 => match (lead, second) {
                (0x81..=0xfe, Some(b'0'..=b'9')) => (
                    4,
                    matches!(bytes.get(2), Some(0x81..=0xfe))
                        && matches!(bytes.get(3), Some(b'0'..=b'9')),
                ),
                (0x81..=0xfe, Some(0x40..=0x7e | 0x80..=0xfe)) => (2, true),
                _ => (2, false),
            },
            ClientEncoding::Johab => match lead {
                0x8f => (3, is_euc(second) && is_euc(bytes.get(2))),
                _ => (2, is_euc(second)),
            },
            ClientEncoding::EucJp => match lead {
                0x8e => (2, matches!(second, Some(0xa1..=0xdf))),
                0x8f => (3, is_euc(second) && is_euc(bytes.get(2))),
                _ => (2, is_euc(Some(&lead)) && is_euc(second)),
            },
            ClientEncoding::EucKr => (2, is_euc(Some(&lead)) && is_euc(second)),
        };
        whole.then_some(length)
    }

    /// Calls `each` with every character, and with `None` where a byte begins none; that byte is
    /// passed over.
    pub fn for_each_character<'a>(
        self,
        mut bytes: &'a [u8],
        mut each: impl FnMut(Option<&'a [u8]>),
    ) {
        while !bytes.is_empty() {
            let found = self.first_length(bytes);
            let (character, rest) =
                bytes.split_at_checked(found.unwrap_or(1)).unwrap_or((bytes, &[]));
            each(found.map(|_| character));
            bytes = rest;
        }
    }

    /// The bytes with whatever is no character replaced by what no server takes for text, and each
    /// backslash in one byte.
    #[must_use]
    pub fn replace_invalid(self, bytes: &[u8]) -> Cow<'_, [u8]> {
        if self == ClientEncoding::Plain || bytes.is_ascii() {
            return Cow::Borrowed(bytes);
        }
        let mut out = Vec::with_capacity(bytes.len());
        self.for_each_character(bytes, |character| {
            out.extend_from_slice(match character {
                Some(WIDE_BACKSLASH) if self == ClientEncoding::ShiftJis2004 => b"\\",
                character => character.unwrap_or(INVALID),
            });
        });
        Cow::Owned(out)
    }

    /// Bytes of the same number and order in which those of longer characters are 0x80: where this
    /// shows a quote, a brace or a backslash, there is one.
    #[must_use]
    pub fn mask_multibyte(self, bytes: &[u8]) -> Cow<'_, [u8]> {
        if !self.embeds_ascii() || bytes.is_ascii() {
            return Cow::Borrowed(bytes);
        }
        let mut out = Vec::with_capacity(bytes.len());
        self.for_each_character(bytes, |character| match character {
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

    fn parts(rule: ClientEncoding, bytes: &[u8]) -> Vec<Option<Vec<u8>>> {
        let mut parts = Vec::new();
        rule.for_each_character(bytes, |part| parts.push(part.map(<[u8]>::to_vec)));
        parts
    }

    #[test]
    fn names_of_either_side_are_known() {
        for (name, rule) in [
            ("SJIS", ClientEncoding::ShiftJis),
            ("cp932", ClientEncoding::ShiftJis),
            ("SHIFT_JIS_2004", ClientEncoding::ShiftJis2004),
            ("BIG5", ClientEncoding::TwoBytes),
            ("cp949", ClientEncoding::TwoBytes),
            ("GB18030", ClientEncoding::Gb18030),
            ("JOHAB", ClientEncoding::Johab),
            ("EUCJIS2004", ClientEncoding::EucJp),
            ("euccn", ClientEncoding::EucKr),
            ("UTF8", ClientEncoding::Plain),
            ("koi8_r", ClientEncoding::Plain),
        ] {
            assert_eq!(ClientEncoding::from_name(name), rule, "{name}");
        }
    }

    #[test]
    fn characters_are_whole_or_none() {
        assert_eq!(
            parts(ClientEncoding::ShiftJis, b"\x95\\\\"),
            [Some(b"\x95\\".to_vec()), Some(b"\\".to_vec())]
        );
        assert_eq!(
            parts(ClientEncoding::ShiftJis, b"\xb1'"),
            [Some(b"\xb1".to_vec()), Some(b"'".to_vec())]
        );
        assert_eq!(parts(ClientEncoding::ShiftJis, b"\x95'"), [None, Some(b"'".to_vec())]);
        assert_eq!(parts(ClientEncoding::ShiftJis, b"\x95"), [None]);
        assert_eq!(parts(ClientEncoding::Gb18030, b"\x81\x30\x81\x30").len(), 1);
        assert_eq!(parts(ClientEncoding::Gb18030, b"\x81\x30'")[0], None);
        assert_eq!(parts(ClientEncoding::TwoBytes, b"\x8d ")[0], None);
        assert_eq!(parts(ClientEncoding::EucJp, b"\x8f\xa1\xa1").len(), 1);
        assert_eq!(parts(ClientEncoding::Plain, b"\x95\\").len(), 2);
    }

    #[test]
    fn what_is_no_character_is_replaced() {
        // As libpq 17 replaces it.
        for (rule, bytes, expected) in [
            (ClientEncoding::ShiftJis, &b"a\x95'"[..], &b"a\x8d '"[..]),
            (ClientEncoding::Gb18030, b"\x81\x30'", b"\x8d 0'"),
            (ClientEncoding::Johab, b"\x8f\xa1", b"\x8d \x8d "),
            (ClientEncoding::EucKr, b"\xff'\\", b"\x8d '\\"),
            (ClientEncoding::TwoBytes, b"\x95", b"\x8d "),
            (ClientEncoding::Plain, b"\x95", b"\x95"),
            (ClientEncoding::ShiftJis, b"\x81\x5f", b"\x81\x5f"),
            (ClientEncoding::ShiftJis2004, b"\x81\x5f\x95\\", b"\\\x95\\"),
        ] {
            assert_eq!(*rule.replace_invalid(bytes), *expected, "{rule:?} {bytes:?}");
        }
    }

    #[test]
    fn masks_hide_what_looks_like_ascii() {
        assert_eq!(
            *ClientEncoding::ShiftJis.mask_multibyte(b"{\x95\\,\"\\\"\"}"),
            *b"{\x80\x80,\"\\\"\"}"
        );
        assert_eq!(*ClientEncoding::Plain.mask_multibyte(b"\x95\\"), *b"\x95\\");
    }
}
