//! Colours of SQL.

use kecoa_sql::{TokenKind, lex};

use crate::keywords::is_keyword;
use crate::style::{Role, Style};

/// The text in colours; its width on the terminal stays the same.
pub(crate) fn highlight(text: &str, style: Style) -> String {
    if !style.on {
        return text.to_owned();
    }
    if text.trim_start().starts_with('\\') {
        return style.paint(Role::Meta, text);
    }
    let mut painted = String::with_capacity(text.len() * 2);
    for token in lex(text.as_bytes(), false) {
        let piece = text.get(token.start..token.end).unwrap_or_default();
        let role = match token.kind {
            TokenKind::Word if is_keyword(piece) => Role::Keyword,
            TokenKind::String
            | TokenKind::EscapeString
            | TokenKind::BString
            | TokenKind::XString
            | TokenKind::DollarString => Role::Literal,
            TokenKind::Unfinished if piece.starts_with("/*") => Role::Comment,
            TokenKind::Unfinished => Role::Literal,
            TokenKind::Number | TokenKind::Parameter => Role::Number,
            TokenKind::Comment => Role::Comment,
            _ => {
                painted.push_str(piece);
                continue;
            }
        };
        painted.push_str(&style.paint(role, piece));
    }
    painted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_colours_are_added() {
        let style = Style { on: true };
        let sql = "SELECT 'a', 1 FROM t -- x";
        let painted = highlight(sql, style);
        assert!(painted.contains("\x1b[1;34mSELECT\x1b[0m"), "{painted}");
        assert!(painted.contains("\x1b[32m'a'\x1b[0m"), "{painted}");
        let mut plain = painted;
        for role in [Role::Keyword, Role::Literal, Role::Number, Role::Comment] {
            let painted = style.paint(role, "|");
            let (start, end) = painted.split_once('|').expect("both");
            plain = plain.replace(start, "").replace(end, "");
        }
        assert_eq!(plain, sql);
        assert_eq!(highlight(sql, Style { on: false }), sql);
    }
}
