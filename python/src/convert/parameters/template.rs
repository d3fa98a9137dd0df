//! Statements with `%s` and `%(name)s`, rewritten to `$1`, `$2`, … where parameters can stand.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use kecoa::TextHash;
use kecoa_types::ClientEncoding;

use super::places::Places;
use super::tokens::{first_word, is_name, is_word_of};

/// Words behind which a parameter may stand where a literal does. Behind others a literal means
/// something else (`interval '1 day'`, `ORDER BY 1`), or the word is a name.
const BEFORE: &[&str] = &[
    "all",
    "and",
    "between",
    "case",
    "distinct",
    "else",
    "escape",
    "having",
    "ilike",
    "in",
    "like",
    "limit",
    "not",
    "offset",
    "on",
    "or",
    "returning",
    "select",
    "then",
    "when",
    "where",
];

/// The fields that an interval may have.
const FIELDS: &[&str] = &["year", "month", "day", "hour", "minute", "second"];

/// The words that begin statements which take parameters, and touch or give rows.
const FIRST: &[&str] =
    &["delete", "insert", "merge", "select", "update", "upsert", "values", "with"];

/// A statement with parameters.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Template {
    /// The statement with `$1`, `$2`, ….
    pub(crate) sql: Vec<u8>,
    /// For each of them, whether nothing in the statement says its type.
    pub(crate) untyped: Vec<bool>,
}

/// Whether it is one statement that begins with a word by which it touches or gives rows. False
/// where that is not certain.
pub(crate) fn is_row_statement(sql: &[u8]) -> bool {
    let trimmed = sql.trim_ascii();
    let trimmed = trimmed.strip_suffix(b";").unwrap_or(trimmed);
    is_word_of(first_word(trimmed), FIRST) && !trimmed.contains(&b';')
}

/// How many texts are remembered, and how many bytes of them; then all of them are forgotten, which
/// costs a rewrite each.
const KEPT: usize = 512;
const KEPT_BYTES: usize = 2 * 1024 * 1024;
/// Longer texts, in bytes, are rewritten each time.
const LONGEST: usize = KEPT_BYTES / 4;

/// Rewritten statements, by their text.
#[derive(Default)]
struct Known {
    templates: HashMap<Box<[u8]>, Option<Arc<Template>>, TextHash>,
    bytes: usize,
}

impl Known {
    fn get(&mut self, sql: &[u8]) -> Option<Arc<Template>> {
        if sql.len() > LONGEST {
            return Template::new(sql).map(Arc::new);
        }
        if let Some(found) = self.templates.get(sql) {
            return found.clone();
        }
        let template = Template::new(sql).map(Arc::new);
        if self.templates.len() >= KEPT || self.bytes + sql.len() > KEPT_BYTES {
            self.templates.clear();
            self.bytes = 0;
        }
        self.bytes += sql.len();
        self.templates.insert(sql.into(), template.clone());
        template
    }
}

static KNOWN: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);

/// [`Template::new`], remembered for the next time; nothing where a byte that looks like ASCII may be
/// part of another character.
pub(crate) fn template_of(sql: &[u8], characters: ClientEncoding) -> Option<Arc<Template>> {
    if characters.embeds_ascii() && !sql.is_ascii() {
        return None;
    }
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner).get(sql)
}

impl Template {
    /// A statement without placeholders.
    pub(crate) fn of_text(sql: &[u8]) -> Template {
        Template { sql: sql.to_vec(), untyped: Vec::new() }
    }

    /// Rewrites a statement with placeholders that are known to be well formed; nothing when one of
    /// them stands where a parameter cannot, or may mean something else than a literal.
    pub(crate) fn new(sql: &[u8]) -> Option<Template> {
        if !is_row_statement(sql) || sql.contains(&b'\\') || sql.contains(&b'$') {
            return None;
        }
        let mut out = Vec::with_capacity(sql.len());
        let mut rest = sql;
        let mut number = 0;
        let mut clauses = Clauses::default();
        let mut places = Places::default();
        while let Some((byte, tail)) = rest.split_first() {
            let taken = match byte {
                b'\'' | b'"' => {
                    places.symbol(*byte);
                    1 + memchr::memchr(*byte, tail)? + 1
                }
                b'-' if tail.first() == Some(&b'-') => memchr::memchr(b'\n', rest)?,
                b'/' if tail.first() == Some(&b'*') => return None,
                b'%' if tail.first() == Some(&b'%') => {
                    out.push(b'%');
                    rest = tail.get(1..)?;
                    continue;
                }
                b'%' => {
                    let length = match tail.first()? {
                        b's' => 1,
                        b'(' => memchr::memchr(b')', tail)? + 2,
                        _ => return None,
                    };
                    let behind = tail.get(length..)?;
                    if clauses.takes_positions()
                        || !may_stand_behind(&out)
                        || !may_stand_before(behind)
                    {
                        return None;
                    }
                    places.placeholder(&out, behind);
                    number += 1;
                    out.extend_from_slice(format!("${number}").as_bytes());
                    rest = behind;
                    continue;
                }
                byte if is_name(*byte) => {
                    let length = rest.iter().take_while(|byte| is_name(**byte)).count();
                    let word = rest.get(..length)?;
                    if clauses.word(word) == Word::NarrowsInterval {
                        return None;
                    }
                    places.word(word, &out);
                    length
                }
                byte => {
                    clauses.symbol(*byte);
                    places.symbol(*byte);
                    1
                }
            };
            let piece = rest.get(..taken)?;
            if matches!(byte, b'\'' | b'"' | b'-') && taken > 1 && piece.contains(&b'%') {
                return None;
            }
            out.extend_from_slice(piece);
            rest = rest.get(taken..)?;
        }
        Some(Template { sql: out, untyped: places.untyped() })
    }
}

/// What a word says about the placeholders near it.
#[derive(PartialEq, Eq)]
enum Word {
    /// Nothing by itself.
    Any,
    /// It makes an interval one of certain fields, by which a literal is read: `'1'::interval hour`. A
    /// parameter is read first, as seconds, and cut to the fields then.
    NarrowsInterval,
}

/// Follows a statement: where it stands, a number may be the position of a column.
#[derive(Default)]
struct Clauses {
    /// ORDER BY, GROUP BY or DISTINCT ON, and what is in parentheses there.
    positions: bool,
    /// The same of what is outside of the parentheses that are open.
    outer: Vec<bool>,
    /// The last word, where nothing but space came behind it.
    last: Last,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Last {
    #[default]
    Other,
    Distinct,
    DistinctOn,
    Interval,
}

impl Clauses {
    fn takes_positions(&self) -> bool {
        self.positions
    }

    fn word(&mut self, word: &[u8]) -> Word {
        if is_word_of(word, &["by"]) {
            self.positions = true;
        } else if is_word_of(word, &["limit", "offset", "having", "returning", "where"]) {
            self.positions = false;
        }
        let before = std::mem::take(&mut self.last);
        if before == Last::Interval && is_word_of(word, FIELDS) {
            return Word::NarrowsInterval;
        }
        self.last = match before {
            Last::Distinct if is_word_of(word, &["on"]) => Last::DistinctOn,
            _ if is_word_of(word, &["distinct"]) => Last::Distinct,
            _ if is_word_of(word, &["interval"]) => Last::Interval,
            _ => Last::Other,
        };
        Word::Any
    }

    fn symbol(&mut self, byte: u8) {
        match byte {
            b'(' => {
                self.outer.push(self.positions);
                self.positions |= self.last == Last::DistinctOn;
            }
            b')' => self.positions = self.outer.pop().unwrap_or(self.positions),
            _ => {}
        }
        if !byte.is_ascii_whitespace() {
            self.last = Last::Other;
        }
    }
}

/// Whether what stands in front of a placeholder lets a parameter stand there.
fn may_stand_behind(sql: &[u8]) -> bool {
    let sql = sql.trim_ascii_end();
    let length = sql.iter().rev().take_while(|byte| is_name(**byte)).count();
    if length > 0 {
        return is_word_of(sql.get(sql.len() - length..).unwrap_or_default(), BEFORE);
    }
    sql.last().is_some_and(|byte| b"(,=<>+-*/|[~!@#&^".contains(byte))
}

/// Whether what follows leaves the parameter alone.
fn may_stand_before(sql: &[u8]) -> bool {
    if sql.first().is_some_and(|byte| is_name(*byte) || matches!(byte, b'\'' | b'"' | b'.' | b'%'))
    {
        return false;
    }
    let sql = sql.trim_ascii_start();
    // `%s IS NULL` gives a parameter no type.
    sql.first() != Some(&b'(') && !is_word_of(first_word(sql), &["is", "isnull", "notnull"])
}

/// Whether a rewritten statement is a plain INSERT, UPDATE or DELETE, and nothing else: then each
/// parameter's type is its column's, and it goes there, or is compared, as a literal would be.
///
/// - `INSERT INTO table [(columns)] VALUES ($1, $2, …)`
/// - `UPDATE table SET column = $1, … WHERE column = $2 [AND …]`
/// - `DELETE FROM table WHERE column = $1 [AND …]`
pub(crate) fn is_plain(sql: &[u8]) -> bool {
    let sql = sql.trim_ascii();
    let sql = sql.strip_suffix(b";").unwrap_or(sql);
    let end = plain_insert(sql).or_else(|| plain_update(sql)).or_else(|| plain_delete(sql));
    end.is_some_and(|rest| rest.trim_ascii_start().is_empty())
}

fn plain_insert(sql: &[u8]) -> Option<&[u8]> {
    let rest = name(word(word(sql, b"insert")?, b"into")?)?;
    let rest = match symbol(rest, b'(') {
        Some(columns) => symbol(list(columns, name)?, b')')?,
        None => rest,
    };
    let values = symbol(word(rest, b"values")?, b'(')?;
    symbol(list(values, parameter)?, b')')
}

fn plain_update(sql: &[u8]) -> Option<&[u8]> {
    let rest = name(word(sql, b"update")?)?;
    conditions(word(list(word(rest, b"set")?, equality)?, b"where")?)
}

fn plain_delete(sql: &[u8]) -> Option<&[u8]> {
    let rest = name(word(word(sql, b"delete")?, b"from")?)?;
    conditions(word(rest, b"where")?)
}

/// What follows `column = $1 [AND …]`.
fn conditions(sql: &[u8]) -> Option<&[u8]> {
    let mut rest = equality(sql)?;
    while let Some(more) = word(rest, b"and") {
        rest = equality(more)?;
    }
    Some(rest)
}

/// What follows `column = $1`.
fn equality(sql: &[u8]) -> Option<&[u8]> {
    parameter(symbol(name(sql)?, b'=')?)
}

/// What follows items with commas between.
fn list<'a>(sql: &'a [u8], item: impl Fn(&'a [u8]) -> Option<&'a [u8]>) -> Option<&'a [u8]> {
    let mut rest = item(sql)?;
    while let Some(more) = symbol(rest, b',') {
        rest = item(more)?;
    }
    Some(rest)
}

/// What follows a parameter.
fn parameter(sql: &[u8]) -> Option<&[u8]> {
    let digits = symbol(sql, b'$')?;
    digits.get(digits.iter().take_while(|byte| byte.is_ascii_digit()).count()..)
}

/// What follows one character.
fn symbol(sql: &[u8], symbol: u8) -> Option<&[u8]> {
    sql.trim_ascii_start().strip_prefix(&[symbol])
}

/// What follows a keyword.
fn word<'a>(sql: &'a [u8], word: &[u8]) -> Option<&'a [u8]> {
    let sql = sql.trim_ascii_start();
    let (found, rest) = sql.split_at_checked(word.len())?;
    let ends = rest.first().is_none_or(|byte| !is_name(*byte));
    (ends && found.eq_ignore_ascii_case(word)).then_some(rest)
}

/// What follows a name, quoted or not, with or without a schema.
fn name(sql: &[u8]) -> Option<&[u8]> {
    let sql = sql.trim_ascii_start();
    let rest = match sql.split_first()? {
        (b'"', quoted) => quoted.get(memchr::memchr(b'"', quoted)? + 1..)?,
        (byte, _) if is_name(*byte) => {
            sql.get(sql.iter().take_while(|byte| is_name(**byte)).count()..)?
        }
        _ => return None,
    };
    match rest.strip_prefix(b".") {
        Some(more) => name(more),
        None => Some(rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(sql: &str) -> Option<String> {
        Template::new(sql.as_bytes()).map(|template| String::from_utf8(template.sql).unwrap())
    }

    #[test]
    fn remembers_no_more_than_it_may() {
        let mut known = Known::default();
        let text = |number: usize| {
            let filling = "%s, ".repeat(LONGEST / 5);
            format!("SELECT {filling}{number}").into_bytes()
        };
        let first = known.get(&text(0)).unwrap();
        assert!(Arc::ptr_eq(&first, &known.get(&text(0)).unwrap()));
        for number in 1..6 {
            assert_eq!(known.get(&text(number)).as_deref(), Template::new(&text(number)).as_ref());
            assert!(
                known.bytes <= KEPT_BYTES && known.templates.len() * text(0).len() <= KEPT_BYTES
            );
        }
        let longer = [text(0), vec![b' '; LONGEST]].concat();
        assert!(known.get(&longer).is_some());
        assert!(!known.templates.contains_key(longer.as_slice()));
    }

    #[test]
    fn placeholders_become_numbers() {
        for (sql, expected) in [
            ("SELECT %s", "SELECT $1"),
            (
                "select a from t where b = %s and c like %s",
                "select a from t where b = $1 and c like $2",
            ),
            ("INSERT INTO t VALUES (%(a)s, %(b)s, %(a)s)", "INSERT INTO t VALUES ($1, $2, $3)"),
            ("SELECT 'x''y', \"q\", 5 %% %s -- c\n", ""),
            ("SELECT 'x''y', \"q\", 5 %% (%s)", "SELECT 'x''y', \"q\", 5 % ($1)"),
            ("SELECT %s::date", "SELECT $1::date"),
            ("SELECT a FROM t ORDER BY a LIMIT %s;", "SELECT a FROM t ORDER BY a LIMIT $1;"),
            ("SELECT DISTINCT ON (a) b, %s FROM t", "SELECT DISTINCT ON (a) b, $1 FROM t"),
            ("SELECT sum(a) OVER (ORDER BY b), %s", "SELECT sum(a) OVER (ORDER BY b), $1"),
            ("SELECT %s::interval, hour", "SELECT $1::interval, hour"),
        ] {
            let expected = (!expected.is_empty()).then(|| expected.to_owned());
            assert_eq!(rewritten(sql), expected, "{sql}");
        }
    }

    #[test]
    fn texts_are_remembered() {
        let of = |sql: &[u8]| template_of(sql, ClientEncoding::Plain);
        let one = of(b"SELECT %s, 'remembered'").unwrap();
        assert!(Arc::ptr_eq(&one, &of(b"SELECT %s, 'remembered'").unwrap()));
        assert_eq!(of(b"SET remembered = %s"), None);
        assert_eq!(template_of(b"SELECT '\x95\\', %s", ClientEncoding::ShiftJis), None);
    }

    #[test]
    fn places_where_a_literal_means_something_else() {
        for sql in [
            "SELECT interval %s",
            "SELECT %s::interval hour",
            "SELECT CAST(%s AS interval\n MINUTE to second)",
            "SELECT %s IS NULL",
            "SELECT a FROM t WHERE (%s is not null OR a = %s)",
            "SELECT %s ISNULL",
            "SELECT DISTINCT ON (%s) a FROM t",
            "SELECT DISTINCT ON ((%s), a) a FROM t",
            "SELECT a FROM t ORDER BY (SELECT 1 WHERE true), %s",
            "SELECT a FROM t GROUP BY (SELECT 1 LIMIT 1), (%s)",
            "SELECT a FROM t ORDER BY %s",
            "SELECT a FROM t GROUP BY a, %s",
            "SELECT '%s'",
            "SELECT \"%s\"",
            "SELECT a FROM %s",
            "SELECT %s1",
            "SET x = %s",
            "SELECT %s; SELECT %s",
            "SELECT /* */ %s",
            "SELECT $1, %s",
            "CREATE TABLE t (a int DEFAULT %s)",
        ] {
            assert_eq!(rewritten(sql), None, "{sql}");
        }
    }

    #[test]
    fn plain_statements() {
        for sql in [
            "INSERT INTO t VALUES ($1)",
            " insert into s.\"T u\" (a, \"b\") values ( $1 , $2 ) ; ",
            "INSERT INTO t(a)VALUES($1)",
            "UPDATE t SET a=$1, \"b\" = $2 WHERE t.id = $3 and c=$4;",
            "DELETE FROM s.t WHERE s.t.a = $1",
        ] {
            assert!(is_plain(sql.as_bytes()), "{sql}");
        }
        for sql in [
            "INSERT INTO t VALUES ($1), ($2)",
            "INSERT INTO t VALUES ($1 + 1)",
            "INSERT INTO t VALUES ($1) RETURNING a",
            "INSERT INTO t SELECT $1",
            "INSERT INTO t DEFAULT VALUES",
            "UPDATE t SET a = $1",
            "UPDATE t SET a = a + $1 WHERE b = $2",
            "UPDATE t SET a = $1 WHERE b > $2",
            "UPDATE t SET a = $1 WHERE b = $2 OR c = $3",
            "UPDATE t SET a = $1 WHERE b = $2 RETURNING a",
            "UPDATE t AS x SET a = $1 WHERE b = $2",
            "UPDATE t SET a = $1 WHERE b = $2::int",
            "DELETE FROM t",
            "DELETE FROM t WHERE a = $1; DELETE FROM t",
            "INSERT INTO t (a) OVERRIDING SYSTEM VALUE VALUES ($1)",
        ] {
            assert!(!is_plain(sql.as_bytes()), "{sql}");
        }
    }

    #[test]
    fn where_nothing_says_the_type() {
        for (sql, untyped) in [
            ("SELECT %s", "t"),
            ("SELECT DISTINCT %s, a, %s AS b FROM t WHERE c = %s", "ttf"),
            ("select %s from t", "t"),
            ("SELECT %s::date", "f"),
            ("SELECT %s || 'x'", "f"),
            ("SELECT a = %s", "f"),
            ("SELECT upper(%s)", "f"),
            ("SELECT concat(%s, '!', %s)", "tt"),
            ("SELECT concat(%s || 'a', upper(%s))", "ff"),
            ("SELECT other.concat(%s)", "f"),
            ("SELECT jsonb_build_object('a', %s, 'b', (SELECT %s))", "tf"),
            ("INSERT INTO t (a) VALUES (%s)", "f"),
            ("INSERT INTO t (a) VALUES (concat(%s))", "t"),
            ("INSERT INTO t SELECT %s", "f"),
            ("SELECT a FROM t UNION SELECT %s", "f"),
            ("SELECT %s UNION SELECT a FROM t", "f"),
            ("SELECT a FROM (SELECT %s AS a) AS s", "f"),
            ("SELECT a FROM t LIMIT %s", "f"),
            ("SELECT a FROM t WHERE b IN (%s, %s)", "ff"),
            ("WITH q AS (SELECT a FROM t) SELECT %s", "f"),
            ("UPDATE t SET a = %s RETURNING %s", "ff"),
            ("SELECT \"concat\"(%s)", "f"),
        ] {
            let template = Template::new(sql.as_bytes()).unwrap();
            let found: String =
                template.untyped.iter().map(|untyped| if *untyped { 't' } else { 'f' }).collect();
            assert_eq!(found, untyped, "{sql}");
        }
    }
}
