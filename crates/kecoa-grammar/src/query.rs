//! Queries: WITH, SELECT, VALUES, TABLE, set operations.

use crate::keyword::{Category, Keyword as K};
use crate::kind::Kind;
use crate::parser::{Mark, Parsed, Parser};
use crate::symbol::{Operator, Symbol};

impl Parser<'_, '_> {
    /// Whether a query starts with the word `count` ahead; brackets may hold one or not.
    pub(crate) fn starts_query(&self, count: usize) -> bool {
        match self.ahead(count) {
            Symbol::Keyword(K::SELECT | K::TABLE | K::WITH) => true,
            Symbol::Keyword(K::VALUES) => self.ahead(count + 1) == Symbol::Open,
            _ => false,
        }
    }

    /// Whether what follows a query in brackets makes it a part of a larger query.
    pub(crate) fn query_goes_on(&self) -> bool {
        matches!(
            self.symbol(),
            Symbol::Keyword(
                K::UNION
                    | K::INTERSECT
                    | K::EXCEPT
                    | K::ORDER
                    | K::LIMIT
                    | K::OFFSET
                    | K::FETCH
                    | K::FOR
            )
        )
    }

    /// A query, without brackets around it.
    pub(crate) fn query(&mut self) -> Parsed {
        self.deeper(|parser| {
            let mark = parser.mark();
            if parser.is_word(K::WITH) {
                parser.with()?;
            }
            parser.query_behind_with(mark)
        })
    }

    /// A query whose WITH, if there is one, began at `mark`.
    pub(crate) fn query_behind_with(&mut self, mark: Mark) -> Parsed {
        let body = self.mark();
        self.set_operand()?;
        self.set_operations(body, 0)?;
        self.tail_of_query(mark)
    }

    /// A query of which the first part, in brackets, began at `mark` and is read.
    pub(crate) fn rest_of_query(&mut self, mark: Mark) -> Parsed {
        self.set_operations(mark, 0)?;
        self.tail_of_query(mark)
    }

    fn tail_of_query(&mut self, mark: Mark) -> Parsed {
        if self.is_word(K::ORDER) {
            self.order_by()?;
        }
        let locked = self.locking()?;
        let limited = self.limits()?;
        if limited && !locked {
            self.locking()?;
        }
        self.close(mark, Kind::Query);
        Ok(())
    }

    /// `WITH RECURSIVE name (columns) AS MATERIALIZED (statement), …`
    pub(crate) fn with(&mut self) -> Parsed {
        let mark = self.mark();
        self.bump();
        if self.is_word(K::RECURSIVE) {
            self.bump();
        }
        self.list(|parser| {
            let cte = parser.mark();
            parser.expect_name()?;
            if parser.is(Symbol::Open) {
                parser.names()?;
            }
            parser.expect_word(K::AS, "AS")?;
            if !parser.eat_words(&[K::NOT, K::MATERIALIZED]) {
                parser.eat_word(K::MATERIALIZED);
            }
            parser.expect(Symbol::Open, "(")?;
            parser.inner_statement()?;
            parser.expect(Symbol::Close, ")")?;
            if parser.statement.is(parser.at, "SEARCH") {
                return Err(parser.foreign("SEARCH in a WITH"));
            }
            if parser.statement.is(parser.at, "CYCLE") {
                return Err(parser.foreign("CYCLE in a WITH"));
            }
            parser.close(cte, Kind::Cte);
            Ok(())
        })?;
        self.close(mark, Kind::With);
        Ok(())
    }

    /// UNION and EXCEPT of level 0, INTERSECT of level 1, behind what began at `mark`.
    fn set_operations(&mut self, mark: Mark, level: u8) -> Parsed {
        loop {
            let head = self.at;
            let own = match self.symbol() {
                Symbol::Keyword(K::UNION | K::EXCEPT) => 0,
                Symbol::Keyword(K::INTERSECT) => 1,
                _ => return Ok(()),
            };
            if own < level {
                return Ok(());
            }
            self.bump();
            self.eat_any(&[K::ALL, K::DISTINCT]);
            let right = self.mark();
            self.set_operand()?;
            if own == 0 {
                self.set_operations(right, 1)?;
            }
            self.close_with(mark, Kind::SetOperation, head);
        }
    }

    fn set_operand(&mut self) -> Parsed {
        match self.symbol() {
            Symbol::Keyword(K::SELECT) => self.select(),
            Symbol::Keyword(K::VALUES) => self.values(),
            Symbol::Keyword(K::TABLE) => {
                let mark = self.mark();
                self.bump();
                self.source()?;
                self.close(mark, Kind::TableQuery);
                Ok(())
            }
            Symbol::Open => self.deeper(Self::query_in_brackets),
            _ => Err(self.error("a query")),
        }
    }

    /// `(query)`, `((query) UNION query)`
    pub(crate) fn query_in_brackets(&mut self) -> Parsed {
        let mark = self.mark();
        self.expect(Symbol::Open, "(")?;
        self.query()?;
        self.expect(Symbol::Close, ")")?;
        self.close(mark, Kind::Subquery);
        Ok(())
    }

    fn values(&mut self) -> Parsed {
        let mark = self.mark();
        self.bump();
        self.list(|parser| {
            let row = parser.mark();
            parser.expect(Symbol::Open, "(")?;
            parser.expressions()?;
            parser.expect(Symbol::Close, ")")?;
            parser.close(row, Kind::ValuesRow);
            Ok(())
        })?;
        self.close(mark, Kind::Values);
        Ok(())
    }

    fn select(&mut self) -> Parsed {
        let mark = self.mark();
        self.bump();
        if self.is_word(K::DISTINCT) {
            let distinct = self.mark();
            self.bump();
            if self.eat_word(K::ON) {
                self.expect(Symbol::Open, "(")?;
                self.expressions()?;
                self.expect(Symbol::Close, ")")?;
            }
            self.close(distinct, Kind::Distinct);
        } else {
            self.eat_word(K::ALL);
        }
        if self.starts_target() {
            self.targets()?;
        }
        if self.is_word(K::INTO) {
            return Err(self.foreign("SELECT … INTO"));
        }
        if self.is_word(K::FROM) {
            self.from()?;
        }
        self.where_clause()?;
        if self.is_word(K::GROUP) {
            self.group_by()?;
        }
        if self.is_word(K::HAVING) {
            let having = self.mark();
            self.bump();
            self.expression()?;
            self.close(having, Kind::Having);
        }
        if self.is_word(K::WINDOW) {
            self.windows()?;
        }
        self.close(mark, Kind::Select);
        Ok(())
    }

    /// Whether there is a list of targets: `SELECT FROM t` has none.
    fn starts_target(&self) -> bool {
        !matches!(
            self.symbol(),
            Symbol::End
                | Symbol::Close
                | Symbol::CloseBracket
                | Symbol::Keyword(
                    K::FROM
                        | K::INTO
                        | K::WHERE
                        | K::GROUP
                        | K::HAVING
                        | K::WINDOW
                        | K::UNION
                        | K::INTERSECT
                        | K::EXCEPT
                        | K::ORDER
                        | K::LIMIT
                        | K::OFFSET
                        | K::FETCH
                        | K::FOR
                )
        )
    }

    /// What is selected or returned.
    pub(crate) fn targets(&mut self) -> Parsed {
        let mark = self.mark();
        self.list(|parser| {
            let target = parser.mark();
            if parser.is(Symbol::Operator(Operator::Star)) {
                parser.leaf(Kind::Star);
            } else {
                parser.expression()?;
                if parser.is_word(K::AS) {
                    let alias = parser.mark();
                    parser.bump();
                    parser.expect_label()?;
                    parser.close(alias, Kind::Alias);
                } else if match parser.symbol() {
                    Symbol::Name => true,
                    Symbol::Keyword(word) => word.is_bare_label(),
                    _ => false,
                } {
                    parser.leaf(Kind::Alias);
                }
            }
            parser.close(target, Kind::Target);
            Ok(())
        })?;
        self.close(mark, Kind::Targets);
        Ok(())
    }

    /// `FROM … AS OF SYSTEM TIME …`
    pub(crate) fn from(&mut self) -> Parsed {
        let mark = self.mark();
        self.bump();
        self.list(Self::source)?;
        if self.are(&[K::AS, K::OF, K::SYSTEM, K::TIME]) {
            self.as_of()?;
        }
        self.close(mark, Kind::From);
        Ok(())
    }

    fn as_of(&mut self) -> Parsed {
        let mark = self.mark();
        self.at += 4;
        self.expression()?;
        self.close(mark, Kind::AsOf);
        Ok(())
    }

    pub(crate) fn where_clause(&mut self) -> Parsed {
        if self.is_word(K::WHERE) {
            let mark = self.mark();
            self.bump();
            self.expression()?;
            self.close(mark, Kind::Where);
        }
        Ok(())
    }

    fn group_by(&mut self) -> Parsed {
        let mark = self.mark();
        self.bump();
        self.expect_word(K::BY, "BY")?;
        if self.is_word(K::DISTINCT) || self.is_word(K::ALL) {
            return Err(self.foreign("GROUP BY DISTINCT"));
        }
        self.list(|parser| {
            if parser.are(&[K::GROUPING, K::SETS]) {
                return Err(parser.foreign("GROUPING SETS"));
            }
            if parser.ahead(1) == Symbol::Open {
                if parser.is_word(K::ROLLUP) {
                    return Err(parser.foreign("ROLLUP"));
                }
                if parser.is_word(K::CUBE) {
                    return Err(parser.foreign("CUBE"));
                }
            }
            parser.expression()
        })?;
        self.close(mark, Kind::GroupBy);
        Ok(())
    }

    fn windows(&mut self) -> Parsed {
        let mark = self.mark();
        self.bump();
        self.list(|parser| {
            let window = parser.mark();
            if !parser.is_name_ahead(0, Category::Column) {
                return Err(parser.error("a name"));
            }
            parser.bump();
            parser.expect_word(K::AS, "AS")?;
            parser.window()?;
            parser.close(window, Kind::WindowDefinition);
            Ok(())
        })?;
        self.close(mark, Kind::WindowClause);
        Ok(())
    }
}
