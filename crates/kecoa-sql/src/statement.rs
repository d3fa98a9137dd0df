//! One statement: the tokens that count, and questions about them.

use std::borrow::Cow;

use crate::lexer::{Token, TokenKind, lex};

/// One statement of a batch.
#[derive(Debug, Clone)]
pub struct Statement<'a> {
    /// Its text; blanks and comments around it stripped, without the semicolon.
    sql: &'a [u8],
    /// Where that text starts in the batch, in bytes.
    offset: usize,
    /// Tokens without blanks and comments; spans relative to `sql`.
    tokens: Vec<Token>,
    /// For each opening bracket the index of its closing one, and the other way round.
    partner: Vec<Option<u32>>,
    /// The lexer knows where each token of it ends.
    understood: bool,
}

/// Cuts a batch into statements at the semicolons outside brackets, quotes, comments and
/// `BEGIN ATOMIC … END` bodies. Statements without a token are left out. A batch that is not
/// understood in all its parts is one statement: what lies where in it is PostgreSQL's to say.
pub fn split(sql: &[u8], backslash_escapes: bool) -> Vec<Statement<'_>> {
    let tokens = lex(sql, backslash_escapes);
    if !tokens.iter().all(|token| token.kind.is_understood()) {
        let counts = |token: &Token| !matches!(token.kind, TokenKind::Space | TokenKind::Comment);
        return Statement::cut(sql, tokens.into_iter().filter(counts).collect())
            .into_iter()
            .collect();
    }
    let mut statements = Vec::new();
    let mut current: Vec<Token> = Vec::new();
    let mut depth = 0_usize;
    // Open CASE … END and BEGIN ATOMIC … END inside a routine's SQL body.
    let mut atomic = 0_usize;
    for token in tokens {
        if matches!(token.kind, TokenKind::Space | TokenKind::Comment) {
            continue;
        }
        let text = sql.get(token.start..token.end).unwrap_or_default();
        match token.kind {
            TokenKind::Punctuation => match text {
                b"(" | b"[" | b"{" => depth += 1,
                b")" | b"]" | b"}" => depth = depth.saturating_sub(1),
                b";" if depth == 0 && atomic == 0 => {
                    statements.extend(Statement::cut(sql, std::mem::take(&mut current)));
                    continue;
                }
                _ => {}
            },
            TokenKind::Word => {
                if atomic > 0 {
                    if text.eq_ignore_ascii_case(b"case") {
                        atomic += 1;
                    } else if text.eq_ignore_ascii_case(b"end") {
                        atomic -= 1;
                    }
                } else if text.eq_ignore_ascii_case(b"atomic")
                    && current.first().is_some_and(|first| {
                        sql.get(first.start..first.end)
                            .is_some_and(|word| word.eq_ignore_ascii_case(b"create"))
                    })
                    && current.last().is_some_and(|last| {
                        sql.get(last.start..last.end)
                            .is_some_and(|word| word.eq_ignore_ascii_case(b"begin"))
                    })
                    && current.len() > 1
                {
                    atomic = 1;
                }
            }
            _ => {}
        }
        current.push(token);
    }
    statements.extend(Statement::cut(sql, current));
    statements
}

impl<'a> Statement<'a> {
    /// The whole of `sql` as one statement, semicolons included.
    pub fn whole(sql: &'a [u8], backslash_escapes: bool) -> Option<Self> {
        let tokens = lex(sql, backslash_escapes)
            .into_iter()
            .filter(|token| !matches!(token.kind, TokenKind::Space | TokenKind::Comment))
            .collect();
        Self::cut(sql, tokens)
    }

    fn cut(batch: &'a [u8], mut tokens: Vec<Token>) -> Option<Self> {
        let offset = tokens.first()?.start;
        let end = tokens.last()?.end;
        for token in &mut tokens {
            token.start -= offset;
            token.end -= offset;
        }
        let sql = batch.get(offset..end)?;
        let mut partner = vec![None; tokens.len()];
        let mut open = Vec::new();
        for (index, token) in tokens.iter().enumerate() {
            if token.kind != TokenKind::Punctuation {
                continue;
            }
            match sql.get(token.start).copied().unwrap_or(0) {
                b'(' | b'[' | b'{' => open.push(index),
                b')' | b']' | b'}' => {
                    if let Some(opening) = open.pop() {
                        if let Some(slot) = partner.get_mut(opening) {
                            *slot = u32::try_from(index).ok();
                        }
                        if let Some(slot) = partner.get_mut(index) {
                            *slot = u32::try_from(opening).ok();
                        }
                    }
                }
                _ => {}
            }
        }
        let understood = tokens.iter().all(|token| token.kind.is_understood());
        Some(Self { sql, offset, tokens, partner, understood })
    }

    /// Whether the lexer knows where each of its tokens ends. If not, nothing may be changed.
    pub fn is_understood(&self) -> bool {
        self.understood
    }

    /// The statement's text.
    pub fn sql(&self) -> &'a [u8] {
        self.sql
    }

    /// Where the text starts in its batch, in bytes.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// How many tokens it has.
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Never true of what [`split`] returns.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// The token at `index`.
    pub fn token(&self, index: usize) -> Option<Token> {
        self.tokens.get(index).copied()
    }

    /// The kind of the token at `index`.
    pub fn kind(&self, index: usize) -> Option<TokenKind> {
        self.tokens.get(index).map(|token| token.kind)
    }

    /// The text of the token at `index`; empty past the end.
    pub fn text(&self, index: usize) -> &'a [u8] {
        self.tokens
            .get(index)
            .and_then(|token| self.sql.get(token.start..token.end))
            .unwrap_or_default()
    }

    /// The source text of the tokens `from..to`.
    pub fn slice(&self, from: usize, to: usize) -> Cow<'a, str> {
        let start = self.start(from);
        let end = to.checked_sub(1).and_then(|last| self.token(last)).map_or(start, |t| t.end);
        String::from_utf8_lossy(self.sql.get(start..end).unwrap_or_default())
    }

    /// First byte of the token at `index`; the text's length past the end.
    pub fn start(&self, index: usize) -> usize {
        self.token(index).map_or(self.sql.len(), |token| token.start)
    }

    /// One past the last byte of the token at `index`.
    pub fn end(&self, index: usize) -> usize {
        self.token(index).map_or(self.sql.len(), |token| token.end)
    }

    /// Whether the token at `index` is the keyword `word` (any case, not quoted).
    pub fn is(&self, index: usize, word: &str) -> bool {
        self.kind(index) == Some(TokenKind::Word)
            && self.text(index).eq_ignore_ascii_case(word.as_bytes())
    }

    /// Whether the tokens from `index` on are these keywords.
    pub fn are(&self, index: usize, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(i, word)| self.is(index + i, word))
    }

    /// Whether the token at `index` is one of these keywords.
    pub fn is_any(&self, index: usize, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(index, word))
    }

    /// Whether the token at `index` is this punctuation or operator.
    pub fn is_mark(&self, index: usize, mark: &str) -> bool {
        matches!(self.kind(index), Some(TokenKind::Punctuation | TokenKind::Operator))
            && self.text(index) == mark.as_bytes()
    }

    /// The index of the bracket that belongs to the one at `index`.
    pub fn partner(&self, index: usize) -> Option<usize> {
        self.partner.get(index).copied().flatten().and_then(|other| usize::try_from(other).ok())
    }

    /// Whether the token at `index` can be a name: a word or a quoted identifier.
    pub fn is_name(&self, index: usize) -> bool {
        matches!(self.kind(index), Some(TokenKind::Word | TokenKind::QuotedIdentifier))
    }

    /// The name at `index` as the catalog knows it: lower case unless quoted.
    pub fn name(&self, index: usize) -> Option<String> {
        let text = String::from_utf8_lossy(self.text(index));
        match self.kind(index)? {
            TokenKind::Word => Some(text.to_ascii_lowercase()),
            TokenKind::QuotedIdentifier => {
                let inner = text.strip_prefix('"')?.strip_suffix('"')?;
                Some(inner.replace("\"\"", "\""))
            }
            _ => None,
        }
    }

    /// One past a name with up to three parts that starts at `index`; `None` if there is no name.
    pub fn qualified_name(&self, index: usize) -> Option<usize> {
        if !self.is_name(index) {
            return None;
        }
        let mut end = index + 1;
        while self.is_mark(end, ".") && self.is_name(end + 1) {
            end += 2;
        }
        Some(end)
    }

    /// The value of a plain string token at `index`, or of a name (as `SET` takes both).
    pub fn value(&self, index: usize) -> Option<String> {
        match self.kind(index)? {
            TokenKind::String => {
                let text = String::from_utf8_lossy(self.text(index));
                let inner = text.strip_prefix('\'')?.strip_suffix('\'')?;
                Some(inner.replace("''", "'"))
            }
            TokenKind::Number => Some(String::from_utf8_lossy(self.text(index)).into_owned()),
            _ => self.name(index),
        }
    }

    /// The ranges between the commas at the level of `from..to`.
    pub fn elements(&self, from: usize, to: usize) -> Vec<(usize, usize)> {
        let mut elements = Vec::new();
        let mut start = from;
        let mut at = from;
        while at < to {
            if self.is_mark(at, ",") {
                elements.push((start, at));
                start = at + 1;
                at += 1;
            } else {
                at = self.skip(at);
            }
        }
        if start < to {
            elements.push((start, to));
        }
        elements
    }

    /// One past the token at `index`, or past the closing bracket when it opens one.
    pub fn skip(&self, index: usize) -> usize {
        match self.partner(index) {
            Some(partner) if partner > index => partner + 1,
            _ => index + 1,
        }
    }

    /// The first index in `from..to`, outside brackets, at which `wanted` holds.
    pub fn find(&self, from: usize, to: usize, wanted: impl Fn(usize) -> bool) -> Option<usize> {
        let mut at = from;
        while at < to {
            if wanted(at) {
                return Some(at);
            }
            at = self.skip(at);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(sql: &str) -> Vec<String> {
        split(sql.as_bytes(), false)
            .iter()
            .map(|s| String::from_utf8_lossy(s.sql()).into_owned())
            .collect()
    }

    #[test]
    fn semicolons_inside_text_do_not_split() {
        assert_eq!(
            texts("SELECT ';'; SELECT \"a;b\" /* ; */ ; -- ;\n DO $$ a; b; $$ ;;"),
            ["SELECT ';'", "SELECT \"a;b\"", "DO $$ a; b; $$"]
        );
        assert_eq!(texts("CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2); X").len(), 2);
        assert_eq!(texts("  ;; -- nothing\n ").len(), 0);
    }

    #[test]
    fn what_is_not_understood_is_not_cut() {
        for sql in ["UPSERT INTO t VALUES (1); DELETE FROM t /* WHERE a = 1", "A; $x$; B; 'c; D"] {
            let statements = split(sql.as_bytes(), false);
            assert_eq!(statements.len(), 1, "{sql}");
            assert_eq!(statements[0].sql(), sql.as_bytes());
            assert!(!statements[0].is_understood());
        }
        assert!(
            split(b"SELECT 1 /* a */; SELECT 'b' -- c", false).iter().all(|s| s.is_understood())
        );
        assert_eq!(texts("SELECT begin atomic FROM t; SELECT 2").len(), 2);
    }

    #[test]
    fn a_routine_body_is_one_statement() {
        let routine = "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; \
                       SELECT CASE WHEN true THEN 1 END; END";
        assert_eq!(texts(&format!("{routine}; SELECT 2")), [routine, "SELECT 2"]);
    }

    #[test]
    fn offsets_point_into_the_batch() {
        let batch = b" SELECT 1 ;\n  SELECT 2";
        let statements = split(batch, false);
        for statement in &statements {
            let end = statement.offset() + statement.sql().len();
            assert_eq!(&batch[statement.offset()..end], statement.sql());
        }
        assert_eq!(statements[1].offset(), 14);
    }

    #[test]
    fn brackets_find_their_partner() {
        let statement = Statement::whole(b"f(a, (b, c)[1], {d})", false).unwrap();
        assert_eq!(statement.partner(1), Some(statement.len() - 1));
        assert_eq!(statement.elements(2, statement.len() - 1).len(), 3);
        let lost = Statement::whole(b")) (", false).unwrap();
        assert_eq!(lost.partner(0), None);
        assert_eq!(lost.skip(2), 3);
    }
}
