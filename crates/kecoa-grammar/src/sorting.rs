//! ORDER BY, LIMIT, OFFSET, FETCH and FOR UPDATE.

use crate::keyword::Keyword as K;
use crate::kind::Kind;
use crate::parser::{Parsed, Parser};
use crate::symbol::{Operator, Symbol};

impl Parser<'_, '_> {
    /// `ORDER BY …`
    pub(crate) fn order_by(&mut self) -> Parsed {
        let mark = self.mark();
        self.expect_word(K::ORDER, "ORDER BY")?;
        self.expect_word(K::BY, "BY")?;
        self.list(Self::sort_key)?;
        self.close(mark, Kind::OrderBy);
        Ok(())
    }

    fn sort_key(&mut self) -> Parsed {
        let mark = self.mark();
        if self.is_word(K::INDEX) || self.are(&[K::PRIMARY, K::KEY]) {
            let index = self.eat_word(K::INDEX);
            if !index {
                self.at += 2;
            }
            self.relation_name()?;
            if index {
                if !self.eat_operator(Operator::At) {
                    return Err(self.error("@"));
                }
                self.expect_label()?;
            }
            self.eat_any(&[K::ASC, K::DESC]);
            self.close(mark, Kind::SortIndex);
            return Ok(());
        }
        self.expression()?;
        if self.is_word(K::USING) {
            return Err(self.foreign("ORDER BY … USING"));
        }
        let head = self.at;
        let directed = self.eat_any(&[K::ASC, K::DESC]);
        if self.is_word(K::NULLS) {
            let nulls = self.mark();
            self.bump();
            if !self.eat_any(&[K::FIRST, K::LAST]) {
                return Err(self.error("FIRST or LAST"));
            }
            self.close(nulls, Kind::Nulls);
        }
        if directed {
            self.close_with(mark, Kind::SortKey, head);
        } else {
            self.close(mark, Kind::SortKey);
        }
        Ok(())
    }

    /// LIMIT, OFFSET and FETCH in any order; whether there was one.
    pub(crate) fn limits(&mut self) -> Parsed<bool> {
        let start = self.at;
        loop {
            let mark = self.mark();
            match self.symbol() {
                Symbol::Keyword(K::LIMIT) => {
                    self.bump();
                    if !self.eat_word(K::ALL) {
                        self.expression()?;
                    }
                    if self.is(Symbol::Comma) {
                        return Err(self.error("the end of LIMIT"));
                    }
                    self.close(mark, Kind::Limit);
                }
                Symbol::Keyword(K::OFFSET) => {
                    self.bump();
                    self.expression()?;
                    self.eat_any(&[K::ROW, K::ROWS]);
                    self.close(mark, Kind::Offset);
                }
                Symbol::Keyword(K::FETCH) => {
                    self.bump();
                    if !self.eat_any(&[K::FIRST, K::NEXT]) {
                        return Err(self.error("FIRST or NEXT"));
                    }
                    if !matches!(self.symbol(), Symbol::Keyword(K::ROW | K::ROWS)) {
                        if self.is(Symbol::Operator(Operator::Sum)) {
                            self.bump();
                        }
                        self.primary()?;
                    }
                    if !self.eat_any(&[K::ROW, K::ROWS]) {
                        return Err(self.error("ROW or ROWS"));
                    }
                    if self.are(&[K::WITH, K::TIES]) {
                        return Err(self.foreign("FETCH … WITH TIES"));
                    }
                    self.expect_word(K::ONLY, "ONLY")?;
                    self.close(mark, Kind::Fetch);
                }
                _ => return Ok(self.at > start),
            }
        }
    }

    /// `FOR UPDATE …`, as often as it stands; whether there was one.
    pub(crate) fn locking(&mut self) -> Parsed<bool> {
        let start = self.at;
        while self.is_word(K::FOR) {
            let mark = self.mark();
            self.bump();
            if self.eat_words(&[K::READ, K::ONLY]) {
                self.close(mark, Kind::Locking);
                continue;
            }
            let known = self.eat_any(&[K::UPDATE, K::SHARE])
                || self.eat_words(&[K::NO, K::KEY, K::UPDATE])
                || self.eat_words(&[K::KEY, K::SHARE]);
            if !known {
                return Err(self.error("UPDATE or SHARE"));
            }
            if self.eat_word(K::OF) {
                self.list(Self::relation_name)?;
            }
            if !self.eat_word(K::NOWAIT) {
                self.eat_words(&[K::SKIP, K::LOCKED]);
            }
            self.close(mark, Kind::Locking);
        }
        Ok(self.at > start)
    }
}
