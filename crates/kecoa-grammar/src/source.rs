//! What stands in FROM: tables, functions, queries, statements in brackets, joins.

use crate::keyword::{Category, Keyword as K};
use crate::kind::Kind;
use crate::parser::{Mark, Parsed, Parser};
use crate::symbol::{Operator, Symbol};

impl Parser<'_, '_> {
    /// One element of FROM's list, with its joins.
    pub(crate) fn source(&mut self) -> Parsed {
        self.deeper(|parser| {
            let mark = parser.mark();
            parser.single_source()?;
            parser.joins(mark)
        })
    }

    /// Joins behind what began at `mark`.
    fn joins(&mut self, mark: Mark) -> Parsed {
        while self.starts_join() {
            self.join(mark)?;
        }
        Ok(())
    }

    fn starts_join(&self) -> bool {
        matches!(
            self.symbol(),
            Symbol::Keyword(
                K::JOIN | K::CROSS | K::NATURAL | K::INNER | K::LEFT | K::RIGHT | K::FULL
            )
        )
    }

    fn join(&mut self, mark: Mark) -> Parsed {
        let free = self.eat_any(&[K::CROSS, K::NATURAL]);
        let mut typed = free;
        if self.eat_any(&[K::LEFT, K::RIGHT, K::FULL]) {
            self.eat_word(K::OUTER);
            typed = true;
        } else if self.eat_word(K::INNER) {
            typed = true;
        }
        if typed
            && matches!(
                self.symbol(),
                Symbol::Keyword(K::HASH | K::MERGE | K::LOOKUP | K::INVERTED | K::STRAIGHT)
            )
        {
            self.leaf(Kind::JoinHint);
        }
        let head = self.at;
        self.expect_word(K::JOIN, "JOIN")?;
        let right = self.mark();
        self.single_source()?;
        if !free {
            // `a JOIN b JOIN c ON … ON …`
            while self.starts_join() {
                self.deeper(|parser| parser.join(right))?;
            }
            let condition = self.mark();
            if self.eat_word(K::ON) {
                self.expression()?;
            } else if self.eat_word(K::USING) {
                self.names()?;
                if self.is_word(K::AS) {
                    return Err(self.foreign("an alias of JOIN … USING"));
                }
            } else {
                return Err(self.error("ON or USING"));
            }
            self.close(condition, Kind::JoinCondition);
        }
        self.close_with(mark, Kind::Join, head);
        Ok(())
    }

    fn single_source(&mut self) -> Parsed {
        let mark = self.mark();
        match self.symbol() {
            Symbol::Open => self.deeper(Self::source_in_brackets),
            Symbol::OpenBracket => {
                self.bump();
                if self.is(Symbol::Integer) {
                    return Err(self.not_held());
                }
                self.deeper(Self::inner_statement)?;
                self.expect(Symbol::CloseBracket, "]")?;
                self.ordinality_and_alias(mark, Kind::StatementSource)
            }
            Symbol::Keyword(K::LATERAL) => {
                self.bump();
                if self.is(Symbol::Open) {
                    self.deeper(Self::query_in_brackets)?;
                    self.ordinality_and_alias(mark, Kind::QuerySource)
                } else {
                    self.function_source(mark)
                }
            }
            _ => self.table_or_function(),
        }
    }

    /// A query in brackets, or joins in brackets.
    fn source_in_brackets(&mut self) -> Parsed {
        let mark = self.mark();
        if self.starts_query(1) {
            self.query_in_brackets()?;
            return self.ordinality_and_alias(mark, Kind::QuerySource);
        }
        self.bump();
        let inner = self.mark();
        if !self.is(Symbol::Open) {
            self.source()?;
            return self.end_of_joins(mark);
        }
        if !self.brackets_hold_query() {
            self.source()?;
            return self.end_of_joins(mark);
        }
        // `((SELECT 1) UNION …)` or `((SELECT 1) AS a JOIN …)`.
        self.deeper(Self::query_in_brackets)?;
        if self.query_goes_on() || self.is(Symbol::Close) {
            self.rest_of_query(inner)?;
            self.expect(Symbol::Close, ")")?;
            self.close(mark, Kind::Subquery);
            return self.ordinality_and_alias(mark, Kind::QuerySource);
        }
        self.ordinality_and_alias(inner, Kind::QuerySource)?;
        self.joins(inner)?;
        self.end_of_joins(mark)
    }

    fn end_of_joins(&mut self, mark: Mark) -> Parsed {
        if self.last_kind() != Some(Kind::Join) && self.last_kind() != Some(Kind::JoinSource) {
            return Err(self.error("a join in the brackets"));
        }
        self.expect(Symbol::Close, ")")?;
        self.ordinality_and_alias(mark, Kind::JoinSource)
    }

    /// Whether the innermost of the brackets that open here, one in another, starts a query.
    fn brackets_hold_query(&self) -> bool {
        let mut count = 0;
        while self.ahead(count) == Symbol::Open {
            count += 1;
        }
        self.starts_query(count)
    }

    /// A table, or a function.
    pub(crate) fn table_or_function(&mut self) -> Parsed {
        let mark = self.mark();
        if self.eat_word(K::ONLY) {
            if self.eat(Symbol::Open) {
                self.relation_name()?;
                self.expect(Symbol::Close, ")")?;
            } else {
                self.relation_name()?;
            }
            return self.end_of_table(mark);
        }
        if self.starts_function() {
            return self.function_source(mark);
        }
        self.relation_name()?;
        self.end_of_table(mark)
    }

    fn end_of_table(&mut self, mark: Mark) -> Parsed {
        self.eat_operator(Operator::Star);
        if self.is(Symbol::Operator(Operator::At)) {
            self.index_hint()?;
        }
        self.ordinality_and_alias(mark, Kind::Table)?;
        self.no_sample()
    }

    /// `TABLESAMPLE method (…)`, which an alias may stand before.
    fn no_sample(&self) -> Parsed {
        let samples =
            |at: usize| self.statement.is(at, "TABLESAMPLE") && self.statement.is_mark(at + 2, "(");
        // Without an alias, the word was taken for one.
        let at = [self.at, self.at.saturating_sub(1)].into_iter().find(|at| samples(*at));
        at.map_or(Ok(()), |at| Err(self.foreign_at(at, "TABLESAMPLE")))
    }

    /// `@index`, `@{FORCE_INDEX=index}`, `@[1]`
    pub(crate) fn index_hint(&mut self) -> Parsed {
        let mark = self.mark();
        self.bump();
        let close = match self.symbol() {
            Symbol::OpenBrace | Symbol::OpenBracket => self.statement.partner(self.at),
            _ if self.is_label_ahead(0) => Some(self.at),
            _ => None,
        };
        let Some(close) = close else { return Err(self.error("an index")) };
        self.at = close + 1;
        self.close(mark, Kind::IndexHint);
        Ok(())
    }

    fn starts_function(&self) -> bool {
        if self.are(&[K::ROWS, K::FROM]) && self.ahead(2) == Symbol::Open {
            return true;
        }
        let Symbol::Keyword(word) = self.symbol() else {
            let mut end = 1;
            while self.ahead(end) == Symbol::Dot && self.is_label_ahead(end + 1) {
                end += 2;
            }
            return self.ahead(end) == Symbol::Open;
        };
        match word.category() {
            Category::Reserved => !matches!(word, K::SELECT | K::TABLE | K::WITH),
            Category::Function | Category::Column => self.ahead(1) == Symbol::Open,
            Category::Unreserved => {
                let mut end = 1;
                while self.ahead(end) == Symbol::Dot && self.is_label_ahead(end + 1) {
                    end += 2;
                }
                self.ahead(end) == Symbol::Open
            }
        }
    }

    fn function_source(&mut self, mark: Mark) -> Parsed {
        if self.are(&[K::ROWS, K::FROM]) && self.ahead(2) == Symbol::Open {
            let rows = self.mark();
            self.at += 3;
            self.list(|parser| {
                parser.function_of_source()?;
                if parser.is_word(K::AS) {
                    parser.alias()?;
                }
                Ok(())
            })?;
            self.expect(Symbol::Close, ")")?;
            self.close(rows, Kind::RowsFrom);
        } else {
            self.function_of_source()?;
        }
        self.ordinality_and_alias(mark, Kind::FunctionSource)
    }

    fn function_of_source(&mut self) -> Parsed {
        let start = self.at;
        self.primary()?;
        match self.last_kind() {
            Some(Kind::Call | Kind::Special | Kind::CastCall) => Ok(()),
            _ => {
                self.at = start;
                Err(self.error("a table"))
            }
        }
    }

    fn ordinality_and_alias(&mut self, mark: Mark, kind: Kind) -> Parsed {
        if self.are(&[K::WITH, K::ORDINALITY]) {
            let ordinality = self.mark();
            self.at += 2;
            self.close(ordinality, Kind::Ordinality);
        }
        if self.starts_alias() {
            self.alias()?;
        }
        self.close(mark, kind);
        Ok(())
    }

    fn starts_alias(&self) -> bool {
        if self.is_word(K::AS) {
            return !self.are(&[K::AS, K::OF, K::SYSTEM, K::TIME]);
        }
        // SET follows the table of an UPDATE.
        self.is_name() && !self.is_word(K::SET)
    }

    /// `AS name (columns, perhaps with types)`
    fn alias(&mut self) -> Parsed {
        let mark = self.mark();
        let named = !self.eat_word(K::AS) || !self.is(Symbol::Open);
        if named {
            self.expect_name()?;
        }
        if self.eat(Symbol::Open) {
            self.list(|parser| {
                parser.expect_name()?;
                if !matches!(parser.symbol(), Symbol::Comma | Symbol::Close) {
                    parser.type_name()?;
                }
                Ok(())
            })?;
            self.expect(Symbol::Close, ")")?;
        }
        self.close(mark, Kind::Alias);
        Ok(())
    }

    /// The table that UPDATE or DELETE changes.
    pub(crate) fn changed_table(&mut self) -> Parsed {
        let mark = self.mark();
        let bracketed = self.eat_word(K::ONLY) && self.eat(Symbol::Open);
        self.relation_name()?;
        if bracketed {
            self.expect(Symbol::Close, ")")?;
        }
        self.eat_operator(Operator::Star);
        if self.is(Symbol::Operator(Operator::At)) {
            self.index_hint()?;
        }
        if self.starts_alias() {
            let alias = self.mark();
            self.eat_word(K::AS);
            self.expect_name()?;
            self.close(alias, Kind::Alias);
        }
        self.close(mark, Kind::Table);
        Ok(())
    }
}
