//! Whole statements.

use kecoa_sql::Statement;

use crate::error::Error;
use crate::keyword::Keyword as K;
use crate::kind::Kind;
use crate::parser::{DEEP_STACK, Limits, Parsed, Parser};
use crate::symbol::Symbol;
use crate::tree::Tree;

/// Makes a tree of a statement: a query, INSERT, UPSERT, UPDATE, DELETE, or one of them behind EXPLAIN,
/// PREPARE, DECLARE or a CREATE … AS.
///
/// # Errors
/// What the grammar does not hold, and what is wrong.
pub fn parse(statement: &Statement<'_>) -> Result<Tree, Error> {
    if !statement.is_understood() || u32::try_from(statement.len()).is_err() {
        return Err(Error::NotHeld { token: 0 });
    }
    match whole(statement, Limits::OF_ANY_STACK) {
        Err(Error::TooDeep) => deep(statement),
        parsed => parsed,
    }
}

/// Looks once more, on a stack that has room for it: few statements are nested so deep.
fn deep(statement: &Statement<'_>) -> Result<Tree, Error> {
    std::thread::scope(|scope| {
        let room = std::thread::Builder::new().stack_size(DEEP_STACK);
        let parsing = room.spawn_scoped(scope, || whole(statement, Limits::DEEP));
        parsing.ok().and_then(|parsing| parsing.join().ok()).unwrap_or(Err(Error::TooDeep))
    })
}

fn whole(statement: &Statement<'_>, limits: Limits) -> Result<Tree, Error> {
    let mut parser = Parser::new(statement, limits);
    parser.top()?;
    if !parser.is(Symbol::End) {
        return Err(parser.error("the end of the statement"));
    }
    Ok(parser.into_tree())
}

impl Parser<'_, '_> {
    fn top(&mut self) -> Parsed {
        let mark = self.mark();
        match self.symbol() {
            Symbol::Keyword(K::EXPLAIN) => self.explain(),
            Symbol::Keyword(K::PREPARE) => {
                self.bump();
                if self.statement.is(self.at, "TRANSACTION") && self.ahead(2) == Symbol::End {
                    return Err(self.not_held());
                }
                self.expect_name()?;
                if self.eat(Symbol::Open) {
                    self.list(Self::type_name)?;
                    self.expect(Symbol::Close, ")")?;
                }
                self.expect_word(K::AS, "AS")?;
                if !self.starts_held() {
                    return Err(self.not_held());
                }
                self.inner_statement()?;
                self.close(mark, Kind::Prepare);
                Ok(())
            }
            Symbol::Keyword(K::CREATE | K::DECLARE | K::COPY) => self.around(),
            Symbol::Keyword(K::SHOW) => Err(self.not_held()),
            Symbol::Keyword(K::MERGE) if self.ahead(1) == Symbol::Keyword(K::INTO) => {
                Err(self.foreign("MERGE"))
            }
            _ => self.inner_statement(),
        }
    }

    /// Whether a statement starts here that the grammar holds.
    fn starts_held(&self) -> bool {
        self.starts_query(0)
            || matches!(
                self.symbol(),
                Symbol::Open
                    | Symbol::Keyword(K::INSERT | K::UPSERT | K::UPDATE | K::DELETE | K::EXPLAIN)
            )
    }

    /// A statement in brackets, behind WITH or EXPLAIN, or by itself.
    pub(crate) fn inner_statement(&mut self) -> Parsed {
        self.deeper(|parser| {
            let mark = parser.mark();
            let with = parser.is_word(K::WITH);
            if with {
                parser.with()?;
            }
            match parser.symbol() {
                Symbol::Keyword(K::INSERT | K::UPSERT) => parser.insert(mark),
                Symbol::Keyword(K::UPDATE) => parser.update(mark),
                Symbol::Keyword(K::DELETE) => parser.delete(mark),
                Symbol::Keyword(K::SELECT | K::VALUES | K::TABLE) | Symbol::Open => {
                    parser.query_behind_with(mark)
                }
                Symbol::Keyword(K::EXPLAIN) if !with => parser.explain(),
                Symbol::Keyword(K::SHOW) if !with => {
                    parser.show();
                    Ok(())
                }
                Symbol::Keyword(K::MERGE) if parser.ahead(1) == Symbol::Keyword(K::INTO) => {
                    Err(parser.foreign("MERGE"))
                }
                _ => Err(parser.not_held()),
            }
        })
    }

    /// `SHOW …` up to the bracket that closes around it.
    fn show(&mut self) {
        let mark = self.mark();
        loop {
            match self.symbol() {
                Symbol::End | Symbol::Close | Symbol::CloseBracket | Symbol::CloseBrace => break,
                _ => self.at = self.statement.skip(self.at),
            }
        }
        self.close(mark, Kind::Show);
    }

    fn explain(&mut self) -> Parsed {
        let mark = self.mark();
        self.bump();
        self.eat_any(&[K::ANALYZE, K::ANALYSE]);
        self.eat_word(K::VERBOSE);
        if self.is(Symbol::Open) && !self.starts_query(1) && self.ahead(1) != Symbol::Open {
            let Some(close) = self.statement.partner(self.at) else {
                return Err(self.error("EXPLAIN's options"));
            };
            self.at = close + 1;
        }
        if !self.starts_held() {
            return Err(self.not_held());
        }
        self.inner_statement()?;
        self.close(mark, Kind::Explain);
        Ok(())
    }

    /// A statement around a query, of which only the query is read.
    fn around(&mut self) -> Parsed {
        let mark = self.mark();
        let length = self.statement.len();
        let statement = self.statement;
        let query = match self.symbol() {
            Symbol::Keyword(K::DECLARE) => {
                statement.find(1, length, |i| statement.is(i, "FOR")).map(|i| i + 1)
            }
            Symbol::Keyword(K::COPY) => statement.is_mark(1, "(").then_some(1),
            _ => {
                let view = (1..5).any(|i| statement.is(i, "VIEW"));
                let table = (1..4).any(|i| statement.is(i, "TABLE"));
                let found = statement.find(1, length, |i| statement.is(i, "AS"));
                found.filter(|_| view || table).map(|i| i + 1)
            }
        };
        let Some(query) = query else { return Err(self.not_held()) };
        self.at = query;
        if !self.starts_query(0) && !self.is(Symbol::Open) {
            return Err(self.not_held());
        }
        if self.ahead(0) == Symbol::Open && self.statement.is(0, "COPY") {
            self.query_in_brackets()?;
        } else {
            self.query()?;
        }
        // WITH DATA, TO STDOUT and the like.
        self.at = length;
        self.close(mark, Kind::Around);
        Ok(())
    }
}
