//! Cuts SQL into tokens: PostgreSQL's lexical rules with CockroachDB's additions.
//!
//! The lexer never fails and never loses a byte: the tokens' spans, one after the other, are the
//! input. What is not finished (a string or a comment without its end) is one token up to the end,
//! [`TokenKind::Unfinished`]; where PostgreSQL might cut otherwise, the token is
//! [`TokenKind::Unknown`]. Text with either is sent as it is, and PostgreSQL says what is wrong with
//! it. Time and memory are linear in the input.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// Blanks and line ends.
    Space,
    /// `-- …` or `/* … */`, nested ones included.
    Comment,
    /// A keyword or an identifier without quotes.
    Word,
    /// `"…"` or `U&"…"`.
    QuotedIdentifier,
    /// `'…'`, `N'…'` or `U&'…'`.
    String,
    /// `E'…'`, or what continues one on the next line.
    EscapeString,
    /// `b'…'` (bytes in CockroachDB) or `B'…'` (bits in both).
    BString,
    /// `x'…'` or `X'…'`.
    XString,
    /// `$$…$$` or `$tag$…$tag$`.
    DollarString,
    /// A number, with whatever letters stick to it.
    Number,
    /// `$1`.
    Parameter,
    /// An operator, `::`, `:::`, `:=` and `:` among them.
    Operator,
    /// One of `( ) [ ] { } , ; .`
    Punctuation,
    /// A string, a quoted identifier or a block comment without its end, up to the end of the text.
    Unfinished,
    /// A byte that no rule knows, or what different versions of PostgreSQL cut in different places.
    Unknown,
}

impl TokenKind {
    /// Whether text with such a token is understood, so that it may be changed.
    pub fn is_understood(self) -> bool {
        !matches!(self, Self::Unfinished | Self::Unknown)
    }
}

/// A token: its kind and its span in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// Cuts `sql` into tokens. `backslash_escapes` is true when the session has
/// `standard_conforming_strings` off, so that a backslash escapes in plain strings too.
pub fn lex(sql: &[u8], backslash_escapes: bool) -> Vec<Token> {
    let mut lexer = Lexer { sql, at: 0, backslash_escapes, after: Continued::Nothing };
    let mut tokens = Vec::with_capacity(sql.len() / 4);
    while lexer.at < sql.len() {
        let start = lexer.at;
        let kind = lexer.token();
        // Every rule consumes at least its first byte; this holds it even if one were wrong.
        lexer.at = lexer.at.clamp(start + 1, sql.len());
        let end = lexer.at;
        lexer.after = lexer.after.behind(kind, sql.get(start..end).unwrap_or_default());
        tokens.push(Token { kind, start, end });
    }
    tokens
}

struct Lexer<'a> {
    sql: &'a [u8],
    at: usize,
    backslash_escapes: bool,
    after: Continued,
}

/// Whether a plain quote here would continue a string: SQL lets one go on behind a line end.
#[derive(Clone, Copy)]
enum Continued {
    /// There is none before.
    Nothing,
    /// A string is before, but no line has ended since.
    OnLine(TokenKind),
    /// A string is before and a line has ended since; nothing but blanks and `--` comments.
    NextLine(TokenKind),
    /// A block comment stands between, which continues nothing: two strings in a row are an error.
    Apart,
}

impl Continued {
    fn behind(self, kind: TokenKind, text: &[u8]) -> Self {
        match (kind, self) {
            (
                TokenKind::String
                | TokenKind::EscapeString
                | TokenKind::BString
                | TokenKind::XString,
                _,
            ) => Self::OnLine(kind),
            (TokenKind::Space | TokenKind::Comment, Self::Nothing | Self::Apart) => self,
            (TokenKind::Comment, _) if text.starts_with(b"/*") => Self::Apart,
            (TokenKind::Space, Self::OnLine(string))
                if memchr::memchr2(b'\n', b'\r', text).is_some() =>
            {
                Self::NextLine(string)
            }
            (TokenKind::Space | TokenKind::Comment, _) => self,
            _ => Self::Nothing,
        }
    }
}

fn is_word_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

fn is_word_part(byte: u8) -> bool {
    is_word_start(byte) || byte.is_ascii_digit() || byte == b'$'
}

fn is_operator(byte: u8) -> bool {
    matches!(
        byte,
        b'+' | b'-'
            | b'*'
            | b'/'
            | b'<'
            | b'>'
            | b'='
            | b'~'
            | b'!'
            | b'@'
            | b'#'
            | b'%'
            | b'^'
            | b'&'
            | b'|'
            | b'`'
            | b'?'
    )
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.sql.get(self.at.saturating_add(ahead)).copied().unwrap_or(0)
    }

    fn rest(&self) -> &[u8] {
        self.sql.get(self.at..).unwrap_or_default()
    }

    fn skip_while(&mut self, mut wanted: impl FnMut(u8) -> bool) {
        self.at += self.rest().iter().take_while(|&&byte| wanted(byte)).count();
    }

    fn token(&mut self) -> TokenKind {
        let first = self.peek(0);
        let second = self.peek(1);
        match first {
            _ if is_space(first) => {
                self.skip_while(is_space);
                TokenKind::Space
            }
            b'-' if second == b'-' => {
                self.at += memchr::memchr2(b'\n', b'\r', self.rest()).unwrap_or(usize::MAX / 2);
                TokenKind::Comment
            }
            b'/' if second == b'*' => self.block_comment(),
            b'\'' => self.plain_string(),
            b'"' => self.quoted(0, b'"', false, TokenKind::QuotedIdentifier),
            b'e' | b'E' if second == b'\'' => self.quoted(1, b'\'', true, TokenKind::EscapeString),
            b'b' | b'B' if second == b'\'' => {
                // CockroachDB's b'…' is a byte string with escapes; B'…' is a bit string.
                self.quoted(1, b'\'', first == b'b', TokenKind::BString)
            }
            b'x' | b'X' if second == b'\'' => self.quoted(1, b'\'', false, TokenKind::XString),
            b'n' | b'N' if second == b'\'' => {
                self.quoted(1, b'\'', self.backslash_escapes, TokenKind::String)
            }
            b'u' | b'U' if second == b'&' && self.peek(2) == b'\'' => {
                self.quoted(2, b'\'', false, TokenKind::String)
            }
            b'u' | b'U' if second == b'&' && self.peek(2) == b'"' => {
                self.quoted(2, b'"', false, TokenKind::QuotedIdentifier)
            }
            _ if is_word_start(first) => {
                self.skip_while(is_word_part);
                TokenKind::Word
            }
            b'$' if second.is_ascii_digit() => {
                self.at += 1;
                self.skip_while(|byte| byte.is_ascii_digit());
                // A dollar quote may begin right behind; letters are an error in new versions only.
                if is_word_part(self.peek(0)) { TokenKind::Unknown } else { TokenKind::Parameter }
            }
            b'$' => self.dollar_string(),
            b'.' if second.is_ascii_digit() => self.number(),
            b'0'..=b'9' => self.number(),
            b'(' | b')' | b'[' | b']' | b'{' | b'}' | b',' | b';' | b'.' => {
                self.at += 1;
                TokenKind::Punctuation
            }
            b':' => {
                let colons = self.rest().iter().take(3).take_while(|&&byte| byte == b':').count();
                self.at += if colons == 1 && second == b'=' { 2 } else { colons };
                TokenKind::Operator
            }
            _ if is_operator(first) => self.operator(),
            _ => {
                self.at += 1;
                TokenKind::Unknown
            }
        }
    }

    /// A string without a prefix, which may continue the one before.
    fn plain_string(&mut self) -> TokenKind {
        match self.after {
            Continued::NextLine(TokenKind::EscapeString) => {
                self.quoted(0, b'\'', true, TokenKind::EscapeString)
            }
            // The others have no escapes of their own; whether this quote has some, versions and
            // settings decide.
            Continued::NextLine(TokenKind::BString | TokenKind::XString) | Continued::Apart => {
                self.quoted(0, b'\'', false, TokenKind::Unknown)
            }
            Continued::NextLine(_) if self.backslash_escapes => {
                self.quoted(0, b'\'', true, TokenKind::Unknown)
            }
            _ => self.quoted(0, b'\'', self.backslash_escapes, TokenKind::String),
        }
    }

    /// A quoted token whose opening quote lies `prefix` bytes ahead. The quote doubled stands for
    /// itself; with `escapes`, a backslash takes the next byte along.
    fn quoted(&mut self, prefix: usize, quote: u8, escapes: bool, kind: TokenKind) -> TokenKind {
        self.at += prefix + 1;
        loop {
            let found = if escapes {
                memchr::memchr2(quote, b'\\', self.rest())
            } else {
                memchr::memchr(quote, self.rest())
            };
            let Some(found) = found else {
                self.at = self.sql.len();
                return TokenKind::Unfinished;
            };
            self.at += found;
            if self.peek(0) == b'\\' && escapes || self.peek(1) == quote {
                self.at += 2;
            } else {
                self.at += 1;
                return kind;
            }
        }
    }

    fn block_comment(&mut self) -> TokenKind {
        let mut depth = 0_usize;
        while self.at < self.sql.len() {
            match (self.peek(0), self.peek(1)) {
                (b'/', b'*') => {
                    depth += 1;
                    self.at += 2;
                }
                (b'*', b'/') => {
                    depth -= 1;
                    self.at += 2;
                    if depth == 0 {
                        return TokenKind::Comment;
                    }
                }
                _ => {
                    self.at += 1;
                    let next = memchr::memchr2(b'/', b'*', self.rest());
                    self.at += next.unwrap_or(usize::MAX / 2);
                }
            }
        }
        TokenKind::Unfinished
    }

    fn dollar_string(&mut self) -> TokenKind {
        let tag = self.rest().iter().skip(1).take_while(|&&b| is_word_part(b) && b != b'$').count();
        if self.peek(tag + 1) != b'$' {
            self.at += 1;
            return TokenKind::Unknown;
        }
        let delimiter = tag + 2;
        let rest = self.rest();
        let (opening, body) = rest.split_at_checked(delimiter).unwrap_or((rest, &[]));
        let Some(end) = memchr::memmem::find(body, opening) else {
            self.at = self.sql.len();
            return TokenKind::Unfinished;
        };
        self.at += delimiter + end + delimiter;
        TokenKind::DollarString
    }

    fn number(&mut self) -> TokenKind {
        while self.at < self.sql.len() {
            let byte = self.peek(0);
            let sign = matches!(byte, b'+' | b'-')
                && matches!(self.sql.get(self.at.wrapping_sub(1)), Some(b'e' | b'E'))
                && self.peek(1).is_ascii_digit();
            // "1..2" is a range in PL/pgSQL, not a number with two points.
            let point = byte == b'.' && self.peek(1) != b'.';
            if byte == b'$' || !(is_word_part(byte) || point || sign) {
                break;
            }
            self.at += 1;
        }
        // Before PostgreSQL 15 letters behind a number began a word, or the prefix of a string; a
        // dollar quote still may.
        let unicode = matches!(self.sql.get(self.at.wrapping_sub(1)), Some(b'u' | b'U'));
        match self.peek(0) {
            b'\'' | b'$' => TokenKind::Unknown,
            b'&' if unicode => TokenKind::Unknown,
            _ => TokenKind::Number,
        }
    }

    fn operator(&mut self) -> TokenKind {
        let start = self.at;
        while is_operator(self.peek(0)) {
            if matches!((self.peek(0), self.peek(1)), (b'-', b'-') | (b'/', b'*')) {
                break;
            }
            self.at += 1;
        }
        let text = self.sql.get(start..self.at).unwrap_or_default();
        self.at = start + first_operator(text);
        TokenKind::Operator
    }
}

/// Operators with a sign of PostgreSQL's own in them, as CockroachDB cuts them; and some of PostgreSQL's that end
/// in a sign.
const KNOWN: [&[u8]; 36] = [
    b"~", b"!~", b"~*", b"!~*", b"~~", b"!~~", b"~~*", b"!~~*", b"!=", b"%", b"^", b"||", b"|",
    b"&", b"#", b"&&", b"@@", b"@>", b"<@", b"?|", b"?&", b"#>", b"#>>", b"#-", b"|/", b"||/",
    b"<#>", b"<%>", b"%>", b"<%", b"^@", b"-|-", b"?-", b"@-@", b"<<=", b">>=",
];

/// How long the first operator is of a run of their characters: what is left may only be prefix operators, so that
/// `a!=-1` and `a&~b` compute with what stands behind.
fn first_operator(text: &[u8]) -> usize {
    let is_known = |text: &[u8]| KNOWN.contains(&text);
    let is_plain = |text: &[u8]| {
        !text.iter().any(|b| {
            matches!(b, b'~' | b'!' | b'@' | b'#' | b'%' | b'^' | b'&' | b'|' | b'`' | b'?')
        })
    };
    if is_known(text) {
        return text.len();
    }
    let behind = text.iter().rev().take_while(|b| matches!(b, b'+' | b'-' | b'~')).count();
    let shortest = text.len().saturating_sub(behind).max(1);
    let cut =
        |end: &usize| text.get(..*end).is_some_and(|first| is_known(first) || is_plain(first));
    // A sign at the end of what has none of these characters belongs to what follows.
    let signs = |end: usize| {
        let first = text.get(..end).unwrap_or_default();
        let signs = first.iter().rev().take_while(|b| matches!(b, b'+' | b'-')).count();
        if is_plain(first) { end - signs.min(end.saturating_sub(1)) } else { end }
    };
    (shortest..=text.len()).rev().find(cut).map_or(text.len(), signs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use TokenKind as K;
    use proptest::prelude::*;

    fn tokens(sql: &str) -> Vec<(TokenKind, &str)> {
        lex(sql.as_bytes(), false)
            .into_iter()
            .filter(|token| token.kind != K::Space)
            .map(|token| (token.kind, &sql[token.start..token.end]))
            .collect()
    }

    #[test]
    fn strings_end_where_postgresql_ends_them() {
        for (sql, kind) in [
            ("'it''s'", K::String),
            (r"'back\'", K::String),
            (r"E'it\'s'", K::EscapeString),
            ("E'a''b'", K::EscapeString),
            ("N'x'", K::String),
            ("U&'\\0441'", K::String),
            (r"b'\'\x00'", K::BString),
            ("B'101'", K::BString),
            ("x'1f'", K::XString),
            ("$$a'b$$", K::DollarString),
            ("$q$ $$ $x$ $q$", K::DollarString),
            ("\"a\"\"b\"", K::QuotedIdentifier),
            ("U&\"d\\0061t\"", K::QuotedIdentifier),
            ("/* a /* b */ c */", K::Comment),
            ("-- to the end", K::Comment),
            ("'open", K::Unfinished),
            ("E'open\\'", K::Unfinished),
            ("\"open", K::Unfinished),
            ("U&'open", K::Unfinished),
            ("$$open", K::Unfinished),
            ("$a$open$b$", K::Unfinished),
            ("/* open /* */", K::Unfinished),
        ] {
            assert_eq!(tokens(sql), [(kind, sql)], "{sql}");
        }
    }

    #[test]
    fn a_string_continued_on_the_next_line_keeps_its_escapes() {
        let both = "E'a'\n -- note\n 'b\\'c'";
        assert_eq!(tokens(both).iter().filter(|t| t.0 == K::EscapeString).count(), 2);
        assert_eq!(tokens("E'a' 'b\\'c").len(), 3);
    }

    #[test]
    fn what_versions_cut_in_different_places_is_not_understood() {
        for sql in [
            "1E'x'",
            "1U&'x'",
            "1$$;$$",
            "$1$a$;$a$",
            "E'a' /*\n*/ 'b'",
            "x'1'\n'2'",
            "\u{1}",
            "\\",
            "$ 1",
        ] {
            assert!(!lex(sql.as_bytes(), false).iter().all(|t| t.kind.is_understood()), "{sql}");
        }
        for sql in ["1.5e-3", "0x1F", "'a'\n'b'", "E'a'\n'b'", "$1::int", "a$b$c", "1&2", "1\"a\""]
        {
            assert!(lex(sql.as_bytes(), false).iter().all(|t| t.kind.is_understood()), "{sql}");
        }
        assert!(!lex(b"'a'\n'b\\'", true).iter().all(|t| t.kind.is_understood()));
    }

    #[test]
    fn backslashes_count_in_plain_strings_when_the_session_says_so() {
        assert_eq!(lex(br"'a\' ; '", true).len(), 1);
        assert!(lex(br"'a\' ; '", false).len() > 1);
    }

    #[test]
    fn operators_and_numbers() {
        let kinds = |sql| tokens(sql).into_iter().map(|t| t.1.to_owned()).collect::<Vec<_>>();
        assert_eq!(kinds("a:::int8::text"), ["a", ":::", "int8", "::", "text"]);
        assert_eq!(kinds("t@idx"), ["t", "@", "idx"]);
        assert_eq!(kinds("1.5e-3+.5"), ["1.5e-3", "+", ".5"]);
        assert_eq!(kinds("1..2"), ["1", ".", ".2"]);
        assert_eq!(kinds("a+--c\n1"), ["a", "+", "--c", "1"]);
        assert_eq!(kinds("a-/*c*/1"), ["a", "-", "/*c*/", "1"]);
        assert_eq!(kinds("a=-1"), ["a", "=", "-", "1"]);
        assert_eq!(kinds("j->>-+1"), ["j", "->>", "-", "+", "1"]);
        assert_eq!(kinds("- -1+-2"), ["-", "-", "1", "+", "-", "2"]);
        assert_eq!(kinds("a @- b#-c"), ["a", "@-", "b", "#-", "c"]);
        assert_eq!(kinds("a!=-1%+2^-3"), ["a", "!=", "-", "1", "%", "+", "2", "^", "-", "3"]);
        assert_eq!(kinds("a&~b|~-c=~d"), ["a", "&", "~", "b", "|", "~", "-", "c", "=", "~", "d"]);
        assert_eq!(
            kinds("a||-1,~-1,-~1"),
            ["a", "||", "-", "1", ",", "~", "-", "1", ",", "-", "~", "1"]
        );
        assert_eq!(
            kinds("a!~b!~~*c-|-d<->-e"),
            ["a", "!~", "b", "!~~*", "c", "-|-", "d", "<->", "-", "e"]
        );
        assert_eq!(kinds("$1 $12"), ["$1", "$12"]);
        assert_eq!(kinds("f(a=>1, b:=2)"), ["f", "(", "a", "=>", "1", ",", "b", ":=", "2", ")"]);
    }

    fn check_cover(sql: &[u8], backslash: bool) {
        let mut at = 0;
        for token in lex(sql, backslash) {
            assert_eq!(token.start, at);
            assert!(token.end > token.start);
            at = token.end;
        }
        assert_eq!(at, sql.len());
    }

    proptest! {
        #[test]
        fn no_byte_is_lost(sql in proptest::collection::vec(any::<u8>(), 0..200), backslash: bool) {
            check_cover(&sql, backslash);
        }

        #[test]
        fn no_byte_of_sql_like_text_is_lost(
            sql in r#"([eEbBxXuU]?'|"|\$[a-z]?\$|--|/\*|\*/|\\|\n|[a-z0-9 ;:@.]){0,60}"#,
            backslash: bool,
        ) {
            check_cover(sql.as_bytes(), backslash);
        }
    }
}
