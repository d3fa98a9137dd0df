//! Names of types.

use crate::keyword::{Category, Keyword as K};
use crate::kind::Kind;
use crate::parser::{Parsed, Parser};
use crate::symbol::Symbol;

impl Parser<'_, '_> {
    /// A type: name, length, array bounds.
    pub(crate) fn type_name(&mut self) -> Parsed {
        let mark = self.mark();
        if !self.is_type_name() {
            return Err(self.error("a type"));
        }
        match self.symbol() {
            Symbol::Keyword(K::DOUBLE) if self.ahead(1) == Symbol::Keyword(K::PRECISION) => {
                self.at += 2;
            }
            Symbol::Keyword(K::INTERVAL) => {
                self.bump();
                if self.is(Symbol::Open) {
                    self.modifiers()?;
                } else {
                    self.interval_fields()?;
                }
            }
            Symbol::Keyword(K::TIME | K::TIMESTAMP) => {
                self.bump();
                self.modifiers()?;
                if self.are(&[K::WITH, K::TIME, K::ZONE])
                    || self.are(&[K::WITHOUT, K::TIME, K::ZONE])
                {
                    self.at += 3;
                }
            }
            Symbol::Keyword(K::CHAR | K::CHARACTER | K::BIT) => {
                self.bump();
                self.eat_word(K::VARYING);
                self.modifiers()?;
            }
            _ => {
                self.bump();
                while self.is(Symbol::Dot) {
                    self.bump();
                    self.expect_label()?;
                }
                self.modifiers()?;
            }
        }
        self.array_bounds()?;
        self.close(mark, Kind::Type);
        Ok(())
    }

    fn is_type_name(&self) -> bool {
        self.is_name_ahead(0, Category::Column) || self.is_name_ahead(0, Category::Function)
    }

    /// `(10, 2)`, `(POINT, 4326)`
    fn modifiers(&mut self) -> Parsed {
        let ends = |symbol| matches!(symbol, Symbol::Comma | Symbol::Close);
        let plain = matches!(
            self.ahead(1),
            Symbol::Integer | Symbol::Parameter | Symbol::Name | Symbol::Keyword(_)
        );
        if !self.is(Symbol::Open) || !plain || !ends(self.ahead(2)) {
            return Ok(());
        }
        self.bump();
        self.list(|parser| match parser.symbol() {
            Symbol::Integer | Symbol::Parameter | Symbol::Name | Symbol::Keyword(_) => {
                parser.bump();
                Ok(())
            }
            Symbol::Operator(_) if parser.ahead(1) == Symbol::Integer => {
                parser.at += 2;
                Ok(())
            }
            _ => Err(parser.error("a number")),
        })?;
        self.expect(Symbol::Close, ")")
    }

    /// `[]`, `[3]`, `ARRAY`
    fn array_bounds(&mut self) -> Parsed {
        if self.eat_word(K::ARRAY) {
            return Ok(());
        }
        while self.is(Symbol::OpenBracket)
            && (self.ahead(1) == Symbol::CloseBracket
                || self.ahead(1) == Symbol::Integer && self.ahead(2) == Symbol::CloseBracket)
        {
            self.bump();
            self.eat(Symbol::Integer);
            self.bump();
        }
        Ok(())
    }

    /// `INTERVAL '1' YEAR TO MONTH`, `INTERVAL (3) '…'`
    pub(crate) fn interval(&mut self) -> Parsed {
        let mark = self.mark();
        let name = self.mark();
        self.bump();
        let precise = self.is(Symbol::Open);
        self.modifiers()?;
        self.close(name, Kind::Type);
        if !self.is(Symbol::Text) {
            return Err(self.error("a literal"));
        }
        self.text();
        if !precise {
            self.interval_fields()?;
        }
        self.close(mark, Kind::TypedLiteral);
        Ok(())
    }

    fn interval_fields(&mut self) -> Parsed {
        const FIELDS: [K; 6] = [K::YEAR, K::MONTH, K::DAY, K::HOUR, K::MINUTE, K::SECOND];
        if !self.interval_field(&FIELDS)? {
            return Ok(());
        }
        if self.is_word(K::TO) {
            self.bump();
            if !self.interval_field(&FIELDS)? {
                return Err(self.error("a part of an interval"));
            }
        }
        Ok(())
    }

    fn interval_field(&mut self, fields: &[K]) -> Parsed<bool> {
        let second = self.is_word(K::SECOND);
        let found = self.eat_any(fields);
        if second {
            self.modifiers()?;
        }
        Ok(found)
    }

    /// How many tokens of a type's name stand in front of a string here; `None` if this is no literal
    /// with a type in front.
    pub(crate) fn type_before_literal(&self) -> Option<usize> {
        if !self.is_type_name() {
            return None;
        }
        let mut end = 1;
        match self.symbol() {
            Symbol::Keyword(K::DOUBLE) if self.ahead(1) == Symbol::Keyword(K::PRECISION) => end = 2,
            Symbol::Keyword(word) if word.category() == Category::Column => {
                end += usize::from(self.ahead(end) == Symbol::Keyword(K::VARYING));
                if self.ahead(end) == Symbol::Open && self.ahead(end + 1) == Symbol::Integer {
                    end += match (self.ahead(end + 2), self.ahead(end + 3), self.ahead(end + 4)) {
                        (Symbol::Close, ..) => 3,
                        (Symbol::Comma, Symbol::Integer, Symbol::Close) => 5,
                        _ => return None,
                    };
                }
                if matches!(self.ahead(end), Symbol::Keyword(K::WITH | K::WITHOUT))
                    && self.ahead(end + 1) == Symbol::Keyword(K::TIME)
                {
                    end += 3;
                }
            }
            _ => {
                while end < 5 && self.ahead(end) == Symbol::Dot && self.is_label_ahead(end + 1) {
                    end += 2;
                }
            }
        }
        (self.ahead(end) == Symbol::Text).then_some(end)
    }
}
