//! As much of SQL's lexical structure as it takes to find where statements begin.

/// A piece of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A keyword or a name.
    Word(&'a [u8]),
    /// A name in quotes, without them.
    Quoted(&'a [u8]),
    Semicolon,
    /// An opening bracket.
    Open,
    /// Anything else: numbers, strings, operators.
    Other,
}

#[derive(Clone, Debug)]
pub(super) struct Lexer<'a> {
    rest: &'a [u8],
    /// Strings may end elsewhere: that hangs on settings that the text does not show.
    doubtful: bool,
    over: bool,
    /// The text has no semicolon.
    is_single: bool,
}

impl<'a> Lexer<'a> {
    /// `is_single` says that the text has no semicolon.
    pub(super) fn new(sql: &'a [u8], is_single: bool) -> Lexer<'a> {
        Lexer { rest: sql, doubtful: false, over: false, is_single }
    }

    /// What is yet to be read.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    pub(super) fn is_doubtful(&self) -> bool {
        self.doubtful
    }

    /// Whether no further statement can follow.
    pub(super) fn is_last_statement(&self) -> bool {
        self.is_single || memchr::memchr(b';', self.rest).is_none()
    }

    /// Reads no further.
    pub(super) fn end(&mut self) {
        self.rest = b"";
        self.over = true;
    }

    /// The word that the text begins with.
    pub(super) fn leading_word(&mut self) -> Option<&'a [u8]> {
        loop {
            match self.token()? {
                Token::Word(word) => return Some(word),
                Token::Open => {}
                _ => return None,
            }
        }
    }

    /// Whether the rest of a SELECT calls something or names a relation, as far as that can be told without
    /// tokens: nothing quoted and no comment stands before it. How many bytes stand before the one that shows it.
    pub(super) fn plainly_may_write(&self) -> Option<usize> {
        let mut length = 0;
        for (at, byte) in self.rest.iter().enumerate() {
            // Digits begin no word.
            if is_word_start(*byte) || length > 0 && is_word_part(*byte) {
                length += 1;
                continue;
            }
            if matches!(length, 4 | 5) {
                let word = self.rest.get(at - length..at).unwrap_or_default();
                let known: [&[u8]; 3] = [b"from", b"into", b"table"];
                if known.iter().any(|known| word.eq_ignore_ascii_case(known)) {
                    return Some(at);
                }
            }
            match byte {
                b'(' => return Some(at),
                b'\'' | b'"' | b'-' | b'/' => return None,
                // Not a parameter: perhaps a string.
                b'$' if !self.rest.get(at + 1).is_some_and(u8::is_ascii_digit) => return None,
                _ => length = 0,
            }
        }
        None
    }

    /// The next token; nothing at the end.
    pub(super) fn token(&mut self) -> Option<Token<'a>> {
        self.skip_blank();
        let Some((&byte, tail)) = self.rest.split_first() else {
            self.over = true;
            return None;
        };
        Some(match byte {
            b';' => {
                self.rest = tail;
                Token::Semicolon
            }
            b'(' => {
                self.rest = tail;
                Token::Open
            }
            b'\'' => {
                self.string(false);
                Token::Other
            }
            b'"' => Token::Quoted(self.quoted_name()),
            b'$' => {
                self.dollar();
                Token::Other
            }
            byte if is_word_start(byte) => self.word(),
            _ => {
                self.rest = tail;
                Token::Other
            }
        })
    }

    fn word(&mut self) -> Token<'a> {
        let length = self.rest.iter().take_while(|byte| is_word_part(**byte)).count();
        let (word, rest) = self.rest.split_at(length);
        self.rest = rest;
        if rest.first() == Some(&b'\'') && word.eq_ignore_ascii_case(b"e") {
            self.string(true);
            return Token::Other;
        }
        Token::Word(word)
    }

    /// A string, whose quote is next.
    fn string(&mut self, escapes: bool) {
        let mut at = 1;
        loop {
            let Some(found) =
                memchr::memchr2(b'\'', b'\\', self.rest.get(at..).unwrap_or_default())
            else {
                return self.never_ends();
            };
            at += found;
            if self.rest.get(at) == Some(&b'\'') {
                if self.rest.get(at + 1) != Some(&b'\'') {
                    self.rest = self.rest.get(at + 1..).unwrap_or_default();
                    return;
                }
                at += 2;
                continue;
            }
            // With standard_conforming_strings off it escapes; in some encodings it may be the second
            // half of a character.
            let inside_character =
                at > 0 && self.rest.get(at - 1).is_some_and(|byte| *byte >= 0x80);
            if !escapes || inside_character {
                self.doubtful = true;
            }
            at += if escapes { 2 } else { 1 };
        }
    }

    fn quoted_name(&mut self) -> &'a [u8] {
        let mut at = 1;
        loop {
            let Some(found) = memchr::memchr(b'"', self.rest.get(at..).unwrap_or_default()) else {
                self.never_ends();
                return b"";
            };
            at += found;
            if self.rest.get(at + 1) == Some(&b'"') {
                at += 2;
                continue;
            }
            let name = self.rest.get(1..at).unwrap_or_default();
            self.rest = self.rest.get(at + 1..).unwrap_or_default();
            return name;
        }
    }

    /// `$tag$…$tag$`, a parameter `$1`, or a dollar by itself.
    fn dollar(&mut self) {
        let tail = self.rest.get(1..).unwrap_or_default();
        let tag = match tail.first() {
            Some(byte) if is_word_start(*byte) => {
                tail.iter().take_while(|byte| is_word_part(**byte) && **byte != b'$').count()
            }
            _ => 0,
        };
        if tail.get(tag) != Some(&b'$') {
            self.rest = tail;
            return;
        }
        let (mark, body) = self.rest.split_at(tag + 2);
        match memchr::memmem::find(body, mark) {
            Some(at) => self.rest = body.get(at + mark.len()..).unwrap_or_default(),
            None => self.never_ends(),
        }
    }

    fn skip_blank(&mut self) {
        loop {
            let blank = self.rest.iter().take_while(|byte| is_blank(**byte)).count();
            self.rest = self.rest.get(blank..).unwrap_or_default();
            if !matches!(self.rest.first(), Some(b'-' | b'/')) {
                return;
            }
            if self.rest.starts_with(b"--") {
                let line = memchr::memchr2(b'\n', b'\r', self.rest).unwrap_or(self.rest.len());
                self.rest = self.rest.get(line..).unwrap_or_default();
            } else if self.rest.starts_with(b"/*") {
                match comment(self.rest) {
                    Some(rest) => self.rest = rest,
                    None => return self.never_ends(),
                }
            } else {
                return;
            }
        }
    }

    fn never_ends(&mut self) {
        self.doubtful = true;
        self.rest = b"";
    }
}

/// What follows a comment, which may hold others; nothing when it does not end.
fn comment(text: &[u8]) -> Option<&[u8]> {
    let mut depth = 0;
    let mut rest = text;
    loop {
        let at = memchr::memchr2(b'/', b'*', rest)?;
        rest = rest.get(at..)?;
        if rest.starts_with(b"/*") {
            depth += 1;
            rest = rest.get(2..)?;
        } else if rest.starts_with(b"*/") {
            depth -= 1;
            rest = rest.get(2..)?;
            if depth == 0 {
                return Some(rest);
            }
        } else {
            rest = rest.get(1..)?;
        }
    }
}

const BLANK: u8 = 1;
const WORD_START: u8 = 2;
const WORD_PART: u8 = 4;

/// What each byte may be. The text of every statement is looked at: by a table, not by comparisons.
#[expect(clippy::indexing_slicing, reason = "a byte is below 256, and the compiler evaluates it")]
static CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = u8::MAX;
    loop {
        classes[byte as usize] = match byte {
            b'\t' | b'\n' | 0x0b | 0x0c | b'\r' | b' ' => BLANK,
            b'A'..=b'Z' | b'a'..=b'z' | b'_' | 0x80.. => WORD_START | WORD_PART,
            b'0'..=b'9' | b'$' => WORD_PART,
            _ => 0,
        };
        if byte == 0 {
            break classes;
        }
        byte -= 1;
    }
};

#[inline]
fn is_of(byte: u8, class: u8) -> bool {
    CLASSES.get(usize::from(byte)).is_some_and(|classes| classes & class != 0)
}

#[inline]
fn is_blank(byte: u8) -> bool {
    is_of(byte, BLANK)
}

#[inline]
fn is_word_start(byte: u8) -> bool {
    is_of(byte, WORD_START)
}

#[inline]
fn is_word_part(byte: u8) -> bool {
    is_of(byte, WORD_PART)
}

/// Whether a word that commits stands anywhere in the text, be it in a string or a comment.
pub(super) fn may_hide_commit(sql: &[u8]) -> bool {
    sql.split(|byte| !is_word_part(*byte)).any(|word| {
        let words = ["commit", "end", "release", "prepare"];
        words.iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()))
    })
}
