//! COPY: where its data is, and `\copy`.

use std::io::{self, Read};

use kecoa_sql::{Token, TokenKind, lex};

use crate::input::{Input, without_comments_around};
use crate::source::{Line, Prompt, Source};
use crate::variables::literal;

/// Which way the data of a COPY goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    In,
    Out,
}

/// Whether the statement is a COPY whose data goes over the connection.
pub(crate) fn direction(sql: &str) -> Option<Direction> {
    let mut depth = 0_usize;
    let mut before = "";
    let mut first = true;
    for token in lex(sql.as_bytes(), false) {
        let text = sql.get(token.start..token.end).unwrap_or_default();
        match token.kind {
            TokenKind::Space | TokenKind::Comment => continue,
            _ if first && !text.eq_ignore_ascii_case("copy") => return None,
            TokenKind::Punctuation if text == "(" => depth += 1,
            TokenKind::Punctuation if text == ")" => depth = depth.saturating_sub(1),
            TokenKind::Word if depth == 0 => {
                let is = |word: &str| text.eq_ignore_ascii_case(word);
                let behind = |word: &str| before.eq_ignore_ascii_case(word);
                if behind("from") && is("stdin") {
                    return Some(Direction::In);
                }
                if behind("to") && is("stdout") {
                    return Some(Direction::Out);
                }
            }
            _ => {}
        }
        first = false;
        before = text;
    }
    None
}

/// A `\copy`, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Copy {
    pub(crate) direction: Direction,
    /// The COPY that the server gets.
    pub(crate) sql: String,
    /// The file of this machine; none for standard input and output.
    pub(crate) file: Option<String>,
    /// `pstdin` and `pstdout`: those of the program, also where the command comes from a file.
    pub(crate) of_program: bool,
}

/// Reads `TABLE [(COLUMNS)] | (QUERY) FROM | TO 'FILE' | stdin | stdout [OPTIONS]`.
///
/// # Errors
/// What was expected, and what was found.
pub(crate) fn parse(text: &str) -> Result<Copy, String> {
    let expected = "\\copy: expected TABLE [(COLUMNS)] or (QUERY), then FROM or TO, then 'FILE', stdin or \
                    stdout";
    let tokens = lex(text.as_bytes(), false);
    let piece = |token: &Token| text.get(token.start..token.end).unwrap_or_default();
    let mut depth = 0_usize;
    let mut found = None;
    for (index, token) in tokens.iter().enumerate() {
        match piece(token) {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            word if depth == 0 && token.kind == TokenKind::Word => {
                if word.eq_ignore_ascii_case("from") {
                    found = Some((index, Direction::In));
                } else if word.eq_ignore_ascii_case("to") {
                    found = Some((index, Direction::Out));
                } else {
                    continue;
                }
                break;
            }
            _ => {}
        }
    }
    let Some((index, direction)) = found else {
        return Err(format!("{expected}; found neither FROM nor TO"));
    };
    let (Some(keyword), true) = (tokens.get(index), index > 0) else {
        return Err(format!("{expected}; found no table"));
    };
    let target = text.get(..keyword.start).unwrap_or_default().trim();
    if let Some(at) = semicolon(target) {
        return Err(one_statement(target.get(at..).unwrap_or_default()));
    }
    let place = text.get(keyword.end..).unwrap_or_default().trim_start();
    let (name, options) = if let Some(quoted) = place.strip_prefix('\'') {
        let end =
            closing_quote(quoted).ok_or_else(|| format!("{expected}; found an open quote"))?;
        let name = quoted.get(..end).unwrap_or_default().replace("''", "'");
        (Some(name), quoted.get(end + 1..).unwrap_or_default())
    } else {
        let end = place.find(char::is_whitespace).unwrap_or(place.len());
        let (word, options) = place.split_at(end);
        // What follows a semicolon is none of the name: a name that has one must be in quotes.
        let (word, options) = match word.find(';').map(|at| (word.get(..at), place.get(at..))) {
            Some((Some(word), Some(rest))) => (word, rest),
            _ => (word, options),
        };
        if word.is_empty() {
            return Err(format!("{expected}; found no file"));
        }
        (Some(word.to_owned()), options)
    };
    // The server would run what is behind a semicolon, and nobody would see what came of it.
    let options = match semicolon(options) {
        Some(at) => {
            let behind = options.get(at..).unwrap_or_default();
            if !without_comments_around(behind.trim_start_matches([';', ' ', '\t'])).is_empty() {
                return Err(one_statement(behind));
            }
            options.get(..at).unwrap_or_default()
        }
        None => options,
    };
    let quoted = place.starts_with('\'');
    let word = name.as_deref().unwrap_or_default().to_ascii_lowercase();
    let stream = !quoted && matches!(word.as_str(), "stdin" | "stdout" | "pstdin" | "pstdout");
    if !quoted && word == "program" {
        return Err("\\copy: PROGRAM is not supported: run the program outside, and pipe it into \
                    `kecoa sql -c \"\\copy … FROM stdin\"`"
            .to_owned());
    }
    if stream && word.ends_with("stdin") != (direction == Direction::In) {
        return Err(format!("{expected}; found FROM stdout or TO stdin"));
    }
    let server = if direction == Direction::In { "FROM STDIN" } else { "TO STDOUT" };
    Ok(Copy {
        direction,
        sql: format!("COPY {target} {server} {}", options.trim()).trim().to_owned(),
        file: if stream { None } else { name },
        of_program: stream && word.starts_with('p'),
    })
}

/// Where the first semicolon is, outside of strings, quoted names and comments.
fn semicolon(text: &str) -> Option<usize> {
    lex(text.as_bytes(), false)
        .iter()
        .find(|token| {
            token.kind == TokenKind::Punctuation && text.get(token.start..token.end) == Some(";")
        })
        .map(|token| token.start)
}

fn one_statement(behind: &str) -> String {
    format!(
        "\\copy: expected nothing behind the semicolon, found {}: put what follows on a line of its own, \
         and a file's name that has a semicolon in quotes; nothing was run",
        behind.trim_start_matches(';').trim()
    )
}

fn closing_quote(text: &str) -> Option<usize> {
    let mut characters = text.char_indices().peekable();
    while let Some((index, character)) = characters.next() {
        if character == '\'' && characters.next_if(|(_, next)| *next == '\'').is_none() {
            return Some(index);
        }
    }
    None
}

/// A COPY as it is shown where it is quoted.
pub(crate) fn shown(file: Option<&str>) -> String {
    file.map_or_else(|| "standard input".to_owned(), |file| literal(file).trim().to_owned())
}

/// Whether a line is the mark behind the data.
pub(crate) fn ends_data(line: &str) -> bool {
    line.trim_end_matches(['\r', '\n']) == "\\."
}

/// The data of a COPY among the lines of a source: up to a line `\.`, or the end.
pub(crate) struct InlineData<'a> {
    source: &'a mut dyn Source,
    /// Lines that are there already, and what is typed behind the data.
    input: &'a mut Input,
    line: Vec<u8>,
    at: usize,
    over: bool,
    interrupted: bool,
}

impl<'a> InlineData<'a> {
    pub(crate) fn new(source: &'a mut dyn Source, input: &'a mut Input) -> InlineData<'a> {
        InlineData { source, input, line: Vec::new(), at: 0, over: false, interrupted: false }
    }

    /// Whether Ctrl-C was typed instead of a line.
    pub(crate) fn was_interrupted(&self) -> bool {
        self.interrupted
    }

    /// What is pasted is many lines at once.
    fn next_line(&mut self) -> io::Result<Line> {
        if let Some(line) = self.input.take_line() {
            return Ok(Line::Text(line));
        }
        let prompt = Prompt { text: ">> ".to_owned(), plain: true };
        let line = self.source.line(&prompt, "")?;
        if let Line::Text(text) = &line {
            self.input.push(text);
            return Ok(self.input.take_line().map_or(Line::End, Line::Text));
        }
        Ok(line)
    }
}

impl Read for InlineData<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.at >= self.line.len() {
            if self.over {
                return Ok(0);
            }
            let line = self.next_line()?;
            self.at = 0;
            match line {
                Line::Text(line) if ends_data(&line) => {
                    self.line.clear();
                    self.over = true;
                }
                Line::Text(line) => self.line = line.into_bytes(),
                Line::End => {
                    self.line.clear();
                    self.over = true;
                }
                Line::Interrupted => {
                    self.interrupted = true;
                    return Err(io::Error::other("cancelled by Ctrl-C"));
                }
            }
        }
        let mut rest = self.line.get(self.at..).unwrap_or_default();
        let count = rest.read(into)?;
        self.at += count;
        Ok(count)
    }
}

/// A source that counts, for the bar.
pub(crate) struct Counted<'a, T> {
    pub(crate) inner: T,
    pub(crate) bar: &'a indicatif::ProgressBar,
}

impl<T: Read> Read for Counted<'_, T> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(into)?;
        self.bar.inc(u64::try_from(count).unwrap_or(0));
        Ok(count)
    }
}

impl<T: io::Write> io::Write for Counted<'_, T> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(data)?;
        self.bar.inc(u64::try_from(count).unwrap_or(0));
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Piece;
    use crate::source::Script;

    #[test]
    fn copy_is_recognised() {
        for (sql, way) in [
            ("COPY t FROM STDIN", Some(Direction::In)),
            ("copy t (a, b) from stdin with (format csv)", Some(Direction::In)),
            ("/* x */ COPY (SELECT 1 FROM stdin) TO STDOUT", Some(Direction::Out)),
            ("COPY t TO 'file'", None),
            ("SELECT 'COPY t FROM STDIN'", None),
            ("COPY (SELECT a FROM stdin) TO '/tmp/x'", None),
        ] {
            assert_eq!(direction(sql), way, "{sql}");
        }
    }

    #[test]
    fn copy_commands_are_read() {
        for (text, sql, file) in [
            ("t FROM 'a b.csv' csv header", "COPY t FROM STDIN csv header", Some("a b.csv")),
            (
                "t (x, \"to\") from data.csv WITH (FORMAT csv)",
                "COPY t (x, \"to\") FROM STDIN WITH (FORMAT csv)",
                Some("data.csv"),
            ),
            (
                "(SELECT * FROM t WHERE a = ' to ') TO 'it''s'",
                "COPY (SELECT * FROM t WHERE a = ' to ') TO STDOUT",
                Some("it's"),
            ),
            ("t to STDOUT", "COPY t TO STDOUT", None),
            ("s.t from stdin", "COPY s.t FROM STDIN", None),
            ("t from 'stdin'", "COPY t FROM STDIN", Some("stdin")),
            ("t from stdin;", "COPY t FROM STDIN", None),
            ("t from x.csv;", "COPY t FROM STDIN", Some("x.csv")),
            ("t from 'a;b.csv' csv ; -- done; really", "COPY t FROM STDIN csv", Some("a;b.csv")),
            ("t from x csv delimiter ';' ;;", "COPY t FROM STDIN csv delimiter ';'", Some("x")),
            ("(select ';') to x", "COPY (select ';') TO STDOUT", Some("x")),
        ] {
            let copy = parse(text).expect(text);
            assert_eq!(copy.sql, sql);
            assert_eq!(copy.file.as_deref(), file, "{text}");
        }
        for (text, piece) in [
            ("t", "neither FROM nor TO"),
            ("FROM 'x'", "no table"),
            ("t FROM", "no file"),
            ("t FROM 'x", "open quote"),
            ("t FROM program 'rm'", "PROGRAM is not supported"),
            ("t TO stdin", "FROM stdout or TO stdin"),
            (
                "t(id) from 'in.csv' with (format csv); insert into t values (1)",
                "behind the semicolon",
            ),
            ("(select 1) to stdout; select 'LOST'", "found select 'LOST'"),
            ("(select 1; drop table t) to stdout", "behind the semicolon"),
            ("t from stdin;select 1", "behind the semicolon"),
            ("t from it's.csv csv; select 1", "behind the semicolon"),
            ("t from 'x';; select 1", "behind the semicolon"),
            ("t from a;b.csv", "in quotes"),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.contains(piece), "{text}: {error}");
        }
    }

    /// Somebody who pastes everything at once.
    struct Pasted(Option<String>);

    impl Source for Pasted {
        fn line(&mut self, _prompt: &Prompt, _pending: &str) -> io::Result<Line> {
            Ok(self.0.take().map_or(Line::End, Line::Text))
        }
    }

    #[test]
    fn what_is_pasted_behind_the_data_is_none_of_it() {
        let mut pasted = Pasted(Some("1\t2\n\\.\nSELECT 1;\n\\d\n".to_owned()));
        let mut input = Input::default();
        let mut text = String::new();
        InlineData::new(&mut pasted, &mut input).read_to_string(&mut text).expect("read");
        assert_eq!(text, "1\t2\n");
        assert_eq!(input.next(), Some(Piece::Statement("SELECT 1".to_owned())));
        assert_eq!(input.next(), Some(Piece::Command("d".to_owned())));
    }

    #[test]
    fn inline_data_ends_at_its_mark() {
        let mut script = Script::new(&b"2\n\\.\nSELECT 1;\n"[..], "test");
        let mut input = Input::default();
        input.push("1\n");
        let mut text = String::new();
        InlineData::new(&mut script, &mut input).read_to_string(&mut text).expect("read");
        assert_eq!(text, "1\n2\n");
        assert_eq!(input.take_line(), None);
        assert_eq!(
            script.line(&Prompt::default(), "").expect("read"),
            Line::Text("SELECT 1;\n".to_owned())
        );
    }
}
