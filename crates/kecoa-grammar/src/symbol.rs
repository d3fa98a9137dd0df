//! What a token is to the grammar.

use kecoa_sql::{Statement, TokenKind};

use crate::keyword::Keyword;

/// What a token is to the grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Symbol {
    /// A word that the grammar looks for.
    Keyword(Keyword),
    /// Another word, or a name in quotes.
    Name,
    /// A string, of whatever quotes.
    Text,
    /// Bytes or bits.
    Bytes,
    /// A number without point and exponent.
    Integer,
    /// Another number.
    Decimal,
    Parameter,
    Operator(Operator),
    Open,
    Close,
    OpenBracket,
    CloseBracket,
    OpenBrace,
    CloseBrace,
    Comma,
    Dot,
    Colon,
    /// `::`
    Cast,
    /// `:::`
    Annotation,
    /// What the grammar has no use for.
    Other,
    /// Behind the last token.
    End,
}

/// An operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    /// `< > <= >= <> !=`
    Compare,
    /// `=`
    Equal,
    /// `~`
    Tilde,
    /// `!~ ~* !~*`
    Match,
    /// `@> <@ ? ?| ?&`
    Contain,
    /// `|| -> ->> #> #>> #- @@ <-> <=> <#>`
    Join,
    /// `|`
    BitOr,
    /// `#`
    BitXor,
    /// `&`
    BitAnd,
    /// `<< >> <<= >>= &&`
    Shift,
    /// `|/ ||/`
    Root,
    /// `+ -`
    Sum,
    /// `*`
    Star,
    /// `/ // %`
    Product,
    /// `^`
    Power,
    /// `@`
    At,
}

impl Symbol {
    pub(crate) fn of(statement: &Statement<'_>, index: usize) -> Self {
        let Some(kind) = statement.kind(index) else { return Self::End };
        let text = statement.text(index);
        match kind {
            TokenKind::Word => Keyword::of(text).map_or(Self::Name, Self::Keyword),
            TokenKind::QuotedIdentifier => Self::Name,
            TokenKind::String | TokenKind::EscapeString | TokenKind::DollarString => Self::Text,
            TokenKind::BString | TokenKind::XString => Self::Bytes,
            TokenKind::Number => number(text),
            TokenKind::Parameter => Self::Parameter,
            TokenKind::Operator => operator(text),
            TokenKind::Punctuation => match text {
                b"(" => Self::Open,
                b")" => Self::Close,
                b"[" => Self::OpenBracket,
                b"]" => Self::CloseBracket,
                b"{" => Self::OpenBrace,
                b"}" => Self::CloseBrace,
                b"," => Self::Comma,
                b"." => Self::Dot,
                _ => Self::Other,
            },
            _ => Self::Other,
        }
    }
}

fn number(text: &[u8]) -> Symbol {
    let hexadecimal = matches!(text.get(1), Some(b'x' | b'X'));
    if hexadecimal || text.iter().all(u8::is_ascii_digit) {
        Symbol::Integer
    } else if text.iter().all(|b| matches!(b, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-')) {
        Symbol::Decimal
    } else {
        Symbol::Other
    }
}

fn operator(text: &[u8]) -> Symbol {
    use Operator as O;
    let operator = match text {
        b"::" => return Symbol::Cast,
        b":::" => return Symbol::Annotation,
        b":" => return Symbol::Colon,
        b"=" => O::Equal,
        b"<" | b">" | b"<=" | b">=" | b"<>" | b"!=" => O::Compare,
        b"~" => O::Tilde,
        b"!~" | b"~*" | b"!~*" => O::Match,
        b"@>" | b"<@" | b"?" | b"?|" | b"?&" => O::Contain,
        b"||" | b"->" | b"->>" | b"#>" | b"#>>" | b"#-" | b"@@" | b"<->" | b"<=>" | b"<#>" => {
            O::Join
        }
        b"|" => O::BitOr,
        b"#" => O::BitXor,
        b"&" => O::BitAnd,
        b"<<" | b">>" | b"<<=" | b">>=" | b"&&" => O::Shift,
        b"|/" | b"||/" => O::Root,
        b"+" | b"-" => O::Sum,
        b"*" => O::Star,
        b"/" | b"//" | b"%" => O::Product,
        b"^" => O::Power,
        b"@" => O::At,
        _ => return Symbol::Other,
    };
    Symbol::Operator(operator)
}
