//! INSERT, UPSERT, UPDATE and DELETE.

use crate::keyword::Keyword as K;
use crate::kind::Kind;
use crate::parser::{Mark, Parsed, Parser};
use crate::symbol::{Operator, Symbol};

impl Parser<'_, '_> {
    /// `INSERT INTO …`, `UPSERT INTO …`; `mark` is in front of a WITH.
    pub(crate) fn insert(&mut self, mark: Mark) -> Parsed {
        let head = self.at;
        self.bump();
        self.expect_word(K::INTO, "INTO")?;
        let table = self.mark();
        if self.is(Symbol::OpenBracket) {
            return Err(self.not_held());
        }
        self.relation_name()?;
        if self.is_word(K::AS) {
            let alias = self.mark();
            self.bump();
            self.expect_name()?;
            self.close(alias, Kind::Alias);
        }
        self.close(table, Kind::Table);
        let values = self.mark();
        if self.eat_words(&[K::DEFAULT, K::VALUES]) {
            self.close(values, Kind::DefaultValues);
        } else {
            if self.is(Symbol::Open) && !self.starts_query(1) && self.ahead(1) != Symbol::Open {
                self.names()?;
            }
            if self.is_word(K::OVERRIDING) {
                self.at += 2;
                self.expect_word(K::VALUE, "VALUE")?;
            }
            let values = self.is_word(K::VALUES) || self.is(Symbol::Open);
            if !values && !self.starts_query(0) {
                return Err(self.error("VALUES or a query"));
            }
            self.query()?;
        }
        if self.are(&[K::ON, K::CONFLICT]) {
            self.on_conflict()?;
        }
        self.returning()?;
        self.close_with(mark, Kind::Insert, head);
        Ok(())
    }

    fn on_conflict(&mut self) -> Parsed {
        let mark = self.mark();
        self.at += 2;
        if self.eat_words(&[K::ON, K::CONSTRAINT]) {
            self.expect_name()?;
        } else if self.is(Symbol::Open) {
            let target = self.mark();
            self.bump();
            self.list(|parser| {
                if !parser.is(Symbol::Open) {
                    parser.expect_name()?;
                    if parser.is(Symbol::Comma) || parser.is(Symbol::Close) {
                        return Ok(());
                    }
                }
                Err(parser.foreign("an index's expressions in ON CONFLICT (only its columns)"))
            })?;
            self.expect(Symbol::Close, ")")?;
            self.where_clause()?;
            self.close(target, Kind::ConflictTarget);
        }
        self.expect_word(K::DO, "DO")?;
        if !self.eat_word(K::NOTHING) {
            self.expect_word(K::UPDATE, "NOTHING or UPDATE")?;
            self.set_clause()?;
            self.where_clause()?;
        }
        self.close(mark, Kind::OnConflict);
        Ok(())
    }

    fn set_clause(&mut self) -> Parsed {
        let mark = self.mark();
        self.expect_word(K::SET, "SET")?;
        self.list(|parser| {
            let assignment = parser.mark();
            if parser.is(Symbol::Open) {
                parser.names()?;
            } else {
                parser.expect_name()?;
                if parser.is(Symbol::OpenBracket) || parser.is(Symbol::Dot) {
                    return Err(parser.foreign("assignment to a part of a column"));
                }
            }
            if !parser.eat_operator(Operator::Equal) {
                return Err(parser.error("="));
            }
            if parser.last_kind() == Some(Kind::Names) && parser.is_word(K::ROW) {
                return Err(parser.foreign("ROW in SET (write its brackets alone)"));
            }
            parser.expression()?;
            parser.close(assignment, Kind::Assignment);
            Ok(())
        })?;
        self.close(mark, Kind::Set);
        Ok(())
    }

    /// `UPDATE …`; `mark` is in front of a WITH.
    pub(crate) fn update(&mut self, mark: Mark) -> Parsed {
        let head = self.at;
        self.bump();
        self.changed_table()?;
        self.set_clause()?;
        if self.is_word(K::FROM) {
            self.from()?;
        }
        self.end_of_change()?;
        self.close_with(mark, Kind::Update, head);
        Ok(())
    }

    /// `DELETE …`; `mark` is in front of a WITH.
    pub(crate) fn delete(&mut self, mark: Mark) -> Parsed {
        let head = self.at;
        self.bump();
        if self.is_word(K::BATCH) {
            let batch = self.mark();
            self.bump();
            if self.eat(Symbol::Open) {
                self.list(|parser| {
                    parser.expect_word(K::SIZE, "SIZE")?;
                    parser.expression()
                })?;
                self.expect(Symbol::Close, ")")?;
            }
            self.close(batch, Kind::Batch);
        }
        self.expect_word(K::FROM, "FROM")?;
        self.changed_table()?;
        if self.is_word(K::USING) {
            let using = self.mark();
            self.bump();
            self.list(Self::source)?;
            self.close(using, Kind::Using);
        }
        self.end_of_change()?;
        self.close_with(mark, Kind::Delete, head);
        Ok(())
    }

    fn end_of_change(&mut self) -> Parsed {
        if self.is_word(K::WHERE) && self.ahead(1) == Symbol::Keyword(K::CURRENT) {
            // CURRENT OF a cursor: PostgreSQL's.
            if self.ahead(2) == Symbol::Keyword(K::OF) {
                return Err(self.foreign("WHERE CURRENT OF"));
            }
        }
        self.where_clause()?;
        if self.is_word(K::ORDER) {
            self.order_by()?;
        }
        self.limits()?;
        self.returning()
    }

    fn returning(&mut self) -> Parsed {
        if self.is_word(K::RETURNING) {
            let mark = self.mark();
            self.bump();
            if self.is_word(K::WITH) && self.ahead(1) == Symbol::Open {
                return Err(self.foreign("RETURNING WITH"));
            }
            if !self.eat_word(K::NOTHING) {
                self.targets()?;
            }
            self.close(mark, Kind::Returning);
        }
        Ok(())
    }
}
