//! Calls of functions, and functions with a syntax of their own.

use crate::keyword::Keyword as K;
use crate::kind::Kind;
use crate::parser::{Parsed, Parser};
use crate::symbol::{Operator, Symbol};

impl Parser<'_, '_> {
    /// A call whose name has `length` tokens, with FILTER and OVER. The head is the opening bracket.
    pub(crate) fn call(&mut self, length: usize) -> Parsed {
        let mark = self.mark();
        self.at += length;
        let head = self.at;
        self.bump();
        if self.is(Symbol::Operator(Operator::Star)) && self.ahead(1) == Symbol::Close {
            self.bump();
        } else if !self.is(Symbol::Close) {
            let distinct = self.is_word(K::DISTINCT);
            self.eat_any(&[K::ALL, K::DISTINCT]);
            self.list(|parser| {
                if parser.is_word(K::VARIADIC) {
                    return Err(parser.foreign("VARIADIC"));
                }
                if parser.is_label_ahead(0)
                    && (parser.statement.is_mark(parser.at + 1, "=>")
                        || parser.statement.is_mark(parser.at + 1, ":="))
                {
                    return Err(parser.foreign("arguments with a name (=>)"));
                }
                parser.expression()
            })?;
            if self.is_word(K::ORDER) {
                if distinct {
                    return Err(self.foreign("ORDER BY in an aggregate with DISTINCT"));
                }
                self.order_by()?;
            }
        }
        self.expect(Symbol::Close, ")")?;
        if self.are(&[K::WITHIN, K::GROUP]) {
            let within = self.mark();
            self.at += 2;
            self.expect(Symbol::Open, "(")?;
            self.order_by()?;
            self.expect(Symbol::Close, ")")?;
            self.close(within, Kind::WithinGroup);
        }
        if self.is_word(K::FILTER) && self.ahead(1) == Symbol::Open {
            let filter = self.mark();
            self.at += 2;
            self.expect_word(K::WHERE, "WHERE")?;
            self.expression()?;
            self.expect(Symbol::Close, ")")?;
            self.close(filter, Kind::Filter);
        }
        if self.is_word(K::OVER) {
            let over = self.mark();
            self.bump();
            if self.is(Symbol::Open) {
                self.window()?;
            } else {
                self.expect_name()?;
            }
            self.close(over, Kind::Over);
        }
        self.close_with(mark, Kind::Call, head);
        Ok(())
    }

    /// A function with a syntax of its own: true if there was one.
    pub(crate) fn special_function(&mut self, word: K) -> Parsed<bool> {
        let mark = self.mark();
        let called = self.ahead(1) == Symbol::Open;
        match word {
            K::CURRENT_DATE
            | K::CURRENT_SCHEMA
            | K::CURRENT_CATALOG
            | K::CURRENT_TIMESTAMP
            | K::CURRENT_TIME
            | K::LOCALTIMESTAMP
            | K::LOCALTIME
            | K::CURRENT_USER
            | K::CURRENT_ROLE
            | K::SESSION_USER
            | K::USER => {
                self.bump();
                if called {
                    self.bump();
                    if !self.is(Symbol::Close) {
                        self.expression()?;
                    }
                    self.expect(Symbol::Close, ")")?;
                }
            }
            // It tells sets of a GROUP BY apart.
            K::GROUPING if called => return Err(self.foreign("GROUPING")),
            K::CAST if called => {
                self.at += 2;
                self.expression()?;
                self.expect_word(K::AS, "AS")?;
                self.type_name()?;
                self.expect(Symbol::Close, ")")?;
                self.close(mark, Kind::CastCall);
                return Ok(true);
            }
            K::ANNOTATE_TYPE if called => {
                self.at += 2;
                self.expression()?;
                self.expect(Symbol::Comma, ",")?;
                self.type_name()?;
                self.expect(Symbol::Close, ")")?;
            }
            K::IF
            | K::IFERROR
            | K::ISERROR
            | K::NULLIF
            | K::IFNULL
            | K::COALESCE
            | K::GREATEST
            | K::LEAST
                if called =>
            {
                self.at += 2;
                self.expressions()?;
                self.expect(Symbol::Close, ")")?;
            }
            K::EXTRACT | K::EXTRACT_DURATION if called => {
                self.at += 2;
                if self.ahead(1) == Symbol::Keyword(K::FROM) {
                    if !self.is_label_ahead(0) && !self.is(Symbol::Text) {
                        return Err(self.error("a part of a time"));
                    }
                    self.at += 2;
                    self.expression()?;
                } else {
                    self.expressions()?;
                }
                self.expect(Symbol::Close, ")")?;
            }
            K::OVERLAY | K::SUBSTRING if called => {
                self.at += 2;
                if !self.is(Symbol::Close) {
                    self.expression()?;
                    while self.eat_any(&[K::PLACING, K::FROM, K::FOR]) || self.eat(Symbol::Comma) {
                        self.expression()?;
                    }
                }
                self.expect(Symbol::Close, ")")?;
            }
            K::POSITION if called => {
                self.at += 2;
                self.restricted_expression()?;
                self.expect_word(K::IN, "IN")?;
                self.restricted_expression()?;
                self.expect(Symbol::Close, ")")?;
            }
            K::TRIM if called => {
                self.at += 2;
                self.eat_any(&[K::BOTH, K::LEADING, K::TRAILING]);
                if !self.eat_word(K::FROM) {
                    self.expression()?;
                    if !self.eat_word(K::FROM) {
                        while self.eat(Symbol::Comma) {
                            self.expression()?;
                        }
                        self.expect(Symbol::Close, ")")?;
                        self.close(mark, Kind::Special);
                        return Ok(true);
                    }
                }
                self.expressions()?;
                self.expect(Symbol::Close, ")")?;
            }
            K::COLLATION if self.ahead(1) == Symbol::Keyword(K::FOR) => {
                self.at += 2;
                self.expect(Symbol::Open, "(")?;
                self.expression()?;
                self.expect(Symbol::Close, ")")?;
            }
            _ => return Ok(false),
        }
        self.close(mark, Kind::Special);
        Ok(true)
    }

    /// `(name PARTITION BY … ORDER BY … frame)`
    pub(crate) fn window(&mut self) -> Parsed {
        let mark = self.mark();
        self.expect(Symbol::Open, "(")?;
        let frame = matches!(self.symbol(), Symbol::Keyword(K::RANGE | K::ROWS | K::GROUPS));
        let partition = self.are(&[K::PARTITION, K::BY]);
        if self.is_name() && !frame && !partition {
            self.bump();
        }
        if self.are(&[K::PARTITION, K::BY]) {
            let partition = self.mark();
            self.at += 2;
            self.expressions()?;
            self.close(partition, Kind::PartitionBy);
        }
        if self.is_word(K::ORDER) {
            self.order_by()?;
        }
        if let Symbol::Keyword(K::RANGE | K::ROWS | K::GROUPS) = self.symbol() {
            self.frame()?;
        }
        self.expect(Symbol::Close, ")")?;
        self.close(mark, Kind::WindowSpec);
        Ok(())
    }

    fn frame(&mut self) -> Parsed {
        let mark = self.mark();
        self.bump();
        if self.eat_word(K::BETWEEN) {
            self.frame_bound()?;
            self.expect_word(K::AND, "AND")?;
        }
        self.frame_bound()?;
        if self.eat_word(K::EXCLUDE) {
            let known = self.eat_words(&[K::CURRENT, K::ROW])
                || self.eat_words(&[K::NO, K::OTHERS])
                || self.eat_any(&[K::GROUP, K::TIES]);
            if !known {
                return Err(self.error("CURRENT ROW, GROUP, TIES or NO OTHERS"));
            }
        }
        self.close(mark, Kind::Frame);
        Ok(())
    }

    fn frame_bound(&mut self) -> Parsed {
        if self.eat_words(&[K::CURRENT, K::ROW]) {
            return Ok(());
        }
        let bounded = !matches!(
            (self.symbol(), self.ahead(1)),
            (Symbol::Keyword(K::UNBOUNDED), Symbol::Keyword(K::PRECEDING | K::FOLLOWING))
        );
        if bounded {
            // Its end must not be taken for the start of an AND.
            self.restricted_expression()?;
        } else {
            self.bump();
        }
        if self.eat_any(&[K::PRECEDING, K::FOLLOWING]) {
            Ok(())
        } else {
            Err(self.error("PRECEDING or FOLLOWING"))
        }
    }
}
