//! Input cut into statements and commands, as it comes.
//!
//! Lines go in; whole statements and backslash commands come out. Where a statement ends is decided by the
//! tokens of `kecoa-sql`; the text that is known already is not read again for each new line.

use kecoa_sql::{TokenKind, lex};

/// What was cut off the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// A statement without its semicolon.
    Statement(String),
    /// A backslash command, without the backslash, up to the end of its line.
    Command(String),
}

/// Input that is not cut yet.
#[derive(Debug, Default)]
pub(crate) struct Input {
    text: String,
    /// Up to here tokens are counted in the fields below.
    read: usize,
    /// Open brackets.
    depth: usize,
    /// Open `BEGIN ATOMIC` and `CASE` of a routine's body.
    atomic: usize,
    /// The statement begins with CREATE.
    creates: bool,
    /// The last word was BEGIN.
    begins: bool,
    /// The statement has a token before `read`.
    started: bool,
    /// The statement has a token.
    pending: bool,
    /// What is not finished, when the text ends within it.
    open: Option<char>,
    /// Lines of the source before the text.
    above: usize,
    /// The line, counted from 1, in which the last piece began.
    line: usize,
}

impl Input {
    /// Adds a line; it should have its line end, unless it is the last one.
    pub(crate) fn push(&mut self, line: &str) {
        self.text.push_str(line);
    }

    /// Forgets what is not cut yet.
    pub(crate) fn clear(&mut self) {
        let lines = newlines(&self.text);
        self.go_on(String::new(), lines);
    }

    /// Begins anew with this text, which is that many lines further down.
    fn go_on(&mut self, text: String, lines: usize) {
        *self = Input { text, above: self.above + lines, line: self.line, ..Input::default() };
    }

    /// The line of the source, counted from 1, in which the last piece began.
    pub(crate) fn line(&self) -> usize {
        self.line
    }

    /// What is not cut yet, without blanks and comments around it; and takes it away. The end of the input ends
    /// a statement, too.
    pub(crate) fn take_rest(&mut self) -> Option<String> {
        let pending = self.is_pending();
        let rest = std::mem::take(&mut self.text);
        self.line = self.line_of(&rest);
        self.go_on(String::new(), newlines(&rest));
        let text = without_comments_around(&rest);
        (pending && !text.is_empty()).then(|| text.to_owned())
    }

    /// What has been typed of a statement that has no semicolon yet.
    pub(crate) fn pending(&self) -> &str {
        self.text.trim()
    }

    /// Whether a statement has begun, or something that has no end yet.
    pub(crate) fn is_pending(&self) -> bool {
        self.pending || self.open.is_some()
    }

    /// The next whole statement or command.
    pub(crate) fn next(&mut self) -> Option<Piece> {
        let tokens = lex(self.text.get(self.read..)?.as_bytes(), false);
        self.open = None;
        self.pending = self.started;
        // What may look otherwise once more has come is read again next time.
        let mut resume = self.read;
        let base = self.read;
        let mut at_end = (self.depth, self.atomic, self.creates, self.begins, self.started);
        for token in tokens {
            let (start, end) = (base + token.start, base + token.end);
            let text = self.text.get(start..end).unwrap_or_default();
            match token.kind {
                TokenKind::Space | TokenKind::Comment => continue,
                TokenKind::Unfinished => {
                    self.open = Some(match text.as_bytes() {
                        [b'"', ..] | [_, b'&', b'"', ..] => '"',
                        [b'$', ..] => '$',
                        [b'/', ..] => '*',
                        _ => '\'',
                    });
                    break;
                }
                _ => {}
            }
            (resume, at_end) =
                (start, (self.depth, self.atomic, self.creates, self.begins, self.started));
            if token.kind == TokenKind::Unknown && text == "\\" {
                return Some(self.cut_command(start));
            }
            if token.kind == TokenKind::Punctuation
                && text == ";"
                && self.depth == 0
                && self.atomic == 0
            {
                let statement = self.cut(start, end);
                if statement.is_empty() {
                    return self.next();
                }
                return Some(Piece::Statement(statement));
            }
            self.count(token.kind, start, end);
        }
        self.read = resume;
        (self.depth, self.atomic, self.creates, self.begins, self.started) = at_end;
        None
    }

    fn count(&mut self, kind: TokenKind, start: usize, end: usize) {
        let text = self.text.get(start..end).unwrap_or_default();
        let mut begins = false;
        match kind {
            TokenKind::Punctuation => match text {
                "(" | "[" | "{" => self.depth += 1,
                ")" | "]" | "}" => self.depth = self.depth.saturating_sub(1),
                _ => {}
            },
            TokenKind::Word => {
                let is = |word: &str| text.eq_ignore_ascii_case(word);
                if self.atomic > 0 {
                    if is("case") {
                        self.atomic += 1;
                    } else if is("end") {
                        self.atomic -= 1;
                    }
                } else if self.creates && self.begins && is("atomic") {
                    self.atomic = 1;
                }
                if !self.started {
                    self.creates = is("create");
                }
                begins = is("begin");
            }
            _ => {}
        }
        self.begins = begins;
        self.started = true;
        self.pending = true;
    }

    /// Takes the statement that ends at `end`, and what follows stays.
    fn cut(&mut self, end: usize, next: usize) -> String {
        let rest = self.text.split_off(next);
        let mut statement = std::mem::take(&mut self.text);
        self.line = self.line_of(&statement);
        self.go_on(rest, newlines(&statement));
        statement.truncate(end);
        without_comments_around(&statement).to_owned()
    }

    /// Takes the command whose backslash is at `start`; what is before and behind it stays.
    fn cut_command(&mut self, start: usize) -> Piece {
        let line = self.text.get(start..).unwrap_or_default();
        let length = line.find('\n').map_or(line.len(), |end| end + 1);
        let command = line.get(1..length).unwrap_or_default().trim().to_owned();
        self.line = self.above + newlines(self.text.get(..start).unwrap_or_default()) + 1;
        if self.started {
            // A line end in its place keeps what is before and behind it apart.
            self.text.replace_range(start..start + length, "\n");
            self.read = start;
        } else {
            let rest = self.text.split_off(start + length);
            let lines = newlines(&self.text);
            self.go_on(rest, lines);
        }
        Piece::Command(command)
    }

    /// The line in which a piece begins that is the start of the text.
    fn line_of(&self, piece: &str) -> usize {
        let whole = without_comments_around(piece);
        let start = whole.as_ptr().addr().saturating_sub(piece.as_ptr().addr());
        let before = if whole.is_empty() { "" } else { piece.get(..start).unwrap_or_default() };
        self.above + newlines(before) + 1
    }

    /// Puts text in front of what is not cut yet: a command that had SQL behind it.
    pub(crate) fn put_back(&mut self, text: &str) {
        // It is of the line above.
        self.above = self.above.saturating_sub(newlines(text) + 1);
        self.text.insert_str(self.read.min(self.text.len()), &format!("{text}\n"));
    }

    /// The next line that is no SQL: the data of a COPY, behind its statement or its command. It has its line
    /// end.
    pub(crate) fn take_line(&mut self) -> Option<String> {
        if self.text.is_empty() {
            return None;
        }
        let end = self.text.find('\n').map_or(self.text.len(), |end| end + 1);
        let rest = self.text.split_off(end);
        let line = std::mem::take(&mut self.text);
        self.go_on(rest, newlines(&line));
        Some(line)
    }
}

fn newlines(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\n').count()
}

/// A statement without the blanks and comments before and behind it. A text of comments alone is empty.
pub(crate) fn without_comments_around(text: &str) -> &str {
    let counts = |kind: TokenKind| !matches!(kind, TokenKind::Space | TokenKind::Comment);
    let tokens = lex(text.as_bytes(), false);
    let first = tokens.iter().find(|token| counts(token.kind));
    let last = tokens.iter().rev().find(|token| counts(token.kind));
    match (first, last) {
        (Some(first), Some(last)) => text.get(first.start..last.end).unwrap_or_default(),
        _ => "",
    }
}

/// The command that a first line means by a word alone, as in psql: `help`, `exit`, `quit`.
pub(crate) fn bare_command(line: &str) -> Option<&'static str> {
    let word = line.trim().trim_end_matches(';').trim_end();
    [("help", "?"), ("exit", "q"), ("quit", "q")]
        .iter()
        .find(|(name, _)| word.eq_ignore_ascii_case(name))
        .map(|(_, command)| *command)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every piece of the lines, commands with a backslash in front, and the rest.
    fn pieces(lines: &[&str]) -> (Vec<String>, Option<String>) {
        let mut input = Input::default();
        let mut found = Vec::new();
        for line in lines {
            input.push(line);
            input.push("\n");
            while let Some(piece) = input.next() {
                found.push(match piece {
                    Piece::Statement(text) => text,
                    Piece::Command(text) => format!("\\{text}"),
                });
            }
        }
        (found, input.take_rest())
    }

    #[test]
    fn statements_end_at_their_semicolons() {
        for (lines, found, rest) in [
            (&["SELECT 1;"][..], &["SELECT 1"][..], None),
            (&["SELECT", "1", ";"], &["SELECT\n1"], None),
            (&["a; b; c"], &["a", "b"], Some("c")),
            (&["SELECT ';", "';"], &["SELECT ';\n'"], None),
            (&["SELECT \";", "\";"], &["SELECT \";\n\""], None),
            (&["SELECT E'\\';' ;"], &["SELECT E'\\';'"], None),
            (&["DO $$", "a; b;", "$$;"], &["DO $$\na; b;\n$$"], None),
            (&["DO $x$ $$ ; $$ $x$;"], &["DO $x$ $$ ; $$ $x$"], None),
            (&["-- not; this", "SELECT 1;"], &["SELECT 1"], None),
            (&["/* a; /* b; */", "*/ SELECT 1;"], &["SELECT 1"], None),
            (&["SELECT (1;", "2);"], &["SELECT (1;\n2)"], None),
            (&[";;  ;"], &[], None),
            (&["-- nothing"], &[], None),
            (
                &["CREATE FUNCTION f() RETURNS int BEGIN", "ATOMIC SELECT 1;", "END; SELECT 2;"],
                &["CREATE FUNCTION f() RETURNS int BEGIN\nATOMIC SELECT 1;\nEND", "SELECT 2"],
                None,
            ),
            (&["SELECT 'open"], &[], Some("SELECT 'open\n")),
            (&["SELECT a", "FROM t"], &[], Some("SELECT a\nFROM t")),
            (&["E'a'", "'it\\'s;';"], &["E'a'\n'it\\'s;'"], None),
        ] {
            let (pieces, left) = pieces(lines);
            assert_eq!(pieces, found, "{lines:?}");
            assert_eq!(left.as_deref(), rest, "{lines:?}");
        }
    }

    #[test]
    fn pieces_know_their_lines() {
        let mut input = Input::default();
        let next = |input: &mut Input, lines: &str| {
            input.push(lines);
            input.next().map(|piece| (input.line(), piece))
        };
        let statement = |line, text: &str| Some((line, Piece::Statement(text.to_owned())));
        let command = |line, text: &str| Some((line, Piece::Command(text.to_owned())));
        assert_eq!(next(&mut input, "-- first\n\nSELECT\n"), None);
        assert_eq!(next(&mut input, "1; SELECT 2;\n\\x\n"), statement(3, "SELECT\n1"));
        assert_eq!(next(&mut input, ""), statement(4, "SELECT 2"));
        assert_eq!(next(&mut input, ""), command(5, "x"));
        assert_eq!(next(&mut input, "/* a\nb */ SELECT 3; \\x\n"), statement(7, "SELECT 3"));
        assert_eq!(next(&mut input, ""), command(7, "x"));
        assert_eq!(next(&mut input, "\\x \\\\ SELECT 4;\n"), command(8, "x \\\\ SELECT 4;"));
        input.put_back(" SELECT 4;");
        assert_eq!(next(&mut input, ""), statement(8, "SELECT 4"));
        assert_eq!(next(&mut input, "COPY t FROM STDIN;\n"), statement(9, "COPY t FROM STDIN"));
        let _ = input.take_line();
        input.push("1\n");
        let _ = input.take_line();
        assert_eq!(next(&mut input, "SELECT\n"), None);
        input.clear();
        assert_eq!(next(&mut input, "\n5"), None);
        assert_eq!((input.take_rest().as_deref(), input.line()), (Some("5"), 13));
    }

    #[test]
    fn commands_end_with_their_line() {
        for (lines, found, rest) in [
            (&["\\d"][..], &["\\d"][..], None),
            (&["\\echo it's", "SELECT 1;"], &["\\echo it's", "SELECT 1"], None),
            (&["SELECT 1 \\g"], &["\\g"], Some("SELECT 1")),
            (&["SELECT 1; \\x", "SELECT 2;"], &["SELECT 1", "\\x", "SELECT 2"], None),
            (&["SELECT", "\\r", "2;"], &["\\r", "SELECT\n\n2"], None),
            (&["SELECT '\\d';"], &["SELECT '\\d'"], None),
        ] {
            let (pieces, left) = pieces(lines);
            assert_eq!(pieces, found, "{lines:?}");
            assert_eq!(left.as_deref(), rest, "{lines:?}");
        }
    }

    #[test]
    fn words_that_are_commands_by_themselves() {
        for (line, command) in [
            ("help", Some("?")),
            (" QUIT ;\n", Some("q")),
            ("exit\n", Some("q")),
            ("exit 1", None),
            ("", None),
        ] {
            assert_eq!(bare_command(line), command, "{line}");
        }
    }

    #[test]
    fn a_long_statement_is_not_read_again_and_again() {
        let mut input = Input::default();
        input.push("INSERT INTO t VALUES\n");
        for _ in 0..1000 {
            input.push("(1, 'a'),\n");
            assert_eq!(input.next(), None);
            assert!(input.text.len() - input.read < 20);
        }
        input.push("(1, 'a');\n");
        assert!(input.next().is_some());
        assert!(!input.is_pending());
    }

    #[test]
    fn data_of_copy_is_taken_by_lines() {
        let mut input = Input::default();
        input.push("COPY t FROM STDIN;\n1\t';\n\\.\nSELECT 1;\n");
        assert_eq!(input.next(), Some(Piece::Statement("COPY t FROM STDIN".to_owned())));
        // The rest of the statement's own line.
        assert_eq!(input.take_line().as_deref(), Some("\n"));
        assert_eq!(input.take_line().as_deref(), Some("1\t';\n"));
        assert_eq!(input.take_line().as_deref(), Some("\\.\n"));
        assert_eq!(input.next(), Some(Piece::Statement("SELECT 1".to_owned())));
        input.push("  -- note\n  \\copy t FROM stdin\n2\n");
        assert_eq!(input.next(), Some(Piece::Command("copy t FROM stdin".to_owned())));
        assert_eq!(input.take_line().as_deref(), Some("2\n"));
    }
}
