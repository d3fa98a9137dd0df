//! What stands between operators: literals, columns, brackets, queries, CASE, ARRAY.

use crate::keyword::{Category, Keyword as K};
use crate::kind::Kind;
use crate::parser::{Mark, Parsed, Parser};
use crate::symbol::{Operator, Symbol};

impl Parser<'_, '_> {
    /// One operand, with its subscripts.
    pub(crate) fn primary(&mut self) -> Parsed {
        let mark = self.mark();
        match self.symbol() {
            Symbol::Integer => self.leaf(Kind::Integer),
            Symbol::Decimal => self.leaf(Kind::Decimal),
            Symbol::Text => self.text(),
            Symbol::Bytes => self.leaf(Kind::Bytes),
            Symbol::Parameter => self.leaf(Kind::Parameter),
            Symbol::Open => {
                self.deeper(Self::brackets)?;
                self.fields(mark)?;
            }
            Symbol::Name => self.named(Category::Unreserved)?,
            Symbol::Keyword(word) => return self.keyword(word),
            // A column by its number, which the rules on tokens refuse with a message of its own.
            Symbol::Operator(Operator::At) if self.ahead(1) == Symbol::Integer => {
                return Err(self.not_held());
            }
            Symbol::Operator(Operator::At) => {
                return Err(self.foreign("the operator @ (write abs())"));
            }
            _ => return Err(self.error("an expression")),
        }
        self.subscripts(mark)
    }

    fn keyword(&mut self, word: K) -> Parsed {
        let mark = self.mark();
        match word {
            K::NULL => self.leaf(Kind::Null),
            K::TRUE | K::FALSE => self.leaf(Kind::Boolean),
            K::DEFAULT => {
                self.leaf(Kind::Default);
                return Ok(());
            }
            K::CASE => return self.case(),
            K::ARRAY => self.array()?,
            K::ROW if self.ahead(1) == Symbol::Open => self.row()?,
            K::EXISTS if self.ahead(1) == Symbol::Open => {
                self.bump();
                self.query_in_brackets()?;
                self.close(mark, Kind::Exists);
                return Ok(());
            }
            K::INTERVAL if matches!(self.ahead(1), Symbol::Text | Symbol::Open) => {
                self.interval()?;
            }
            _ if self.special_function(word)? => {}
            _ => self.named(word.category())?,
        }
        self.subscripts(mark)
    }

    /// A column, a call, or a literal with its type in front.
    fn named(&mut self, category: Category) -> Parsed {
        let mark = self.mark();
        if self.typed_literal()? {
            return Ok(());
        }
        if category == Category::Reserved {
            return Err(self.error("an expression"));
        }
        let mut end = 1;
        let mut star = false;
        while self.ahead(end) == Symbol::Dot {
            if self.ahead(end + 1) == Symbol::Operator(Operator::Star) {
                star = true;
                end += 2;
                break;
            }
            if !self.is_label_ahead(end + 1) {
                self.at += end + 1;
                return Err(self.error("a name"));
            }
            end += 2;
        }
        if !star && self.ahead(end) == Symbol::Open {
            return self.call(end);
        }
        if category == Category::Function {
            // A function's name without its brackets.
            self.bump();
            return Err(self.error("("));
        }
        self.at += end;
        self.close(mark, Kind::Column);
        Ok(())
    }

    /// `date '…'`: true if there was one.
    fn typed_literal(&mut self) -> Parsed<bool> {
        let mark = self.mark();
        let Some(length) = self.type_before_literal() else { return Ok(false) };
        let end = self.at + length;
        self.type_name()?;
        if self.at != end {
            return Err(self.error("a literal"));
        }
        self.text();
        self.close(mark, Kind::TypedLiteral);
        Ok(true)
    }

    /// A string, with what continues it on the next lines.
    pub(crate) fn text(&mut self) {
        let mark = self.mark();
        self.bump();
        while self.is(Symbol::Text) && self.is_on_another_line() {
            self.bump();
        }
        self.close(mark, Kind::Text);
    }

    /// `[…]` behind an operand.
    pub(crate) fn subscripts(&mut self, mark: Mark) -> Parsed {
        while self.is(Symbol::OpenBracket) {
            let head = self.at;
            self.bump();
            if !self.is(Symbol::Colon) {
                self.expression()?;
            }
            if self.eat(Symbol::Colon) && !self.is(Symbol::CloseBracket) {
                self.expression()?;
            }
            self.expect(Symbol::CloseBracket, "]")?;
            self.close_with(mark, Kind::Subscript, head);
        }
        Ok(())
    }

    /// `.name`, `.*`, `.@1` behind brackets.
    fn fields(&mut self, mark: Mark) -> Parsed {
        while self.is(Symbol::Dot) {
            let head = self.at;
            self.bump();
            if self.eat_operator(Operator::At) {
                self.expect(Symbol::Integer, "a number")?;
            } else if !self.eat_operator(Operator::Star) {
                self.expect_label()?;
            }
            self.close_with(mark, Kind::Field, head);
        }
        Ok(())
    }

    /// A query, an expression, a tuple or a labelled tuple in brackets.
    fn brackets(&mut self) -> Parsed {
        let mark = self.mark();
        if self.starts_query(1) {
            return self.query_in_brackets();
        }
        self.bump();
        if self.eat(Symbol::Close) {
            self.close(mark, Kind::Tuple);
            return Ok(());
        }
        let inner = self.mark();
        if self.is(Symbol::Open) {
            self.primary()?;
            if self.last_kind() == Some(Kind::Subquery)
                && (self.query_goes_on() || self.is(Symbol::Close))
            {
                // `((SELECT 1) UNION SELECT 2)`, `((SELECT 1))`.
                self.rest_of_query(inner)?;
                self.expect(Symbol::Close, ")")?;
                self.close(mark, Kind::Subquery);
                return Ok(());
            }
            self.rest_of_expression(inner)?;
        } else {
            self.bracketed_expression()?;
        }
        let mut kind = Kind::Paren;
        if self.eat_word(K::AS) {
            self.list(Self::expect_label)?;
            kind = Kind::LabelledTuple;
        }
        while self.eat(Symbol::Comma) {
            kind = Kind::Tuple;
            if !self.is(Symbol::Close) {
                self.expression()?;
            }
        }
        self.expect(Symbol::Close, ")")?;
        self.close(mark, kind);
        Ok(())
    }

    fn row(&mut self) -> Parsed {
        let mark = self.mark();
        self.bump();
        self.bump();
        if !self.is(Symbol::Close) {
            self.expressions()?;
        }
        self.expect(Symbol::Close, ")")?;
        self.close(mark, Kind::Row);
        Ok(())
    }

    fn array(&mut self) -> Parsed {
        let mark = self.mark();
        self.bump();
        match self.symbol() {
            Symbol::OpenBracket => self.array_brackets(mark),
            Symbol::Open if self.starts_query(1) || self.ahead(1) == Symbol::Open => {
                self.query_in_brackets()?;
                self.close(mark, Kind::ArrayQuery);
                Ok(())
            }
            // `ARRAY (1, 2)`, which PostgreSQL lacks.
            Symbol::Open => Err(self.not_held()),
            _ => Err(self.error("[ or (")),
        }
    }

    fn array_brackets(&mut self, mark: Mark) -> Parsed {
        self.deeper(|parser| {
            parser.bump();
            if !parser.is(Symbol::CloseBracket) {
                parser.list(|parser| {
                    if parser.is(Symbol::OpenBracket) {
                        let mark = parser.mark();
                        parser.array_brackets(mark)
                    } else {
                        parser.expression()
                    }
                })?;
            }
            parser.expect(Symbol::CloseBracket, "]")?;
            parser.close(mark, Kind::Array);
            Ok(())
        })
    }

    fn case(&mut self) -> Parsed {
        let mark = self.mark();
        self.bump();
        if !self.is_word(K::WHEN) {
            self.expression()?;
        }
        while self.is_word(K::WHEN) {
            let when = self.mark();
            self.bump();
            self.expression()?;
            self.expect_word(K::THEN, "THEN")?;
            self.expression()?;
            self.close(when, Kind::When);
        }
        if self.last_kind() != Some(Kind::When) {
            return Err(self.error("WHEN"));
        }
        if self.eat_word(K::ELSE) {
            self.expression()?;
        }
        self.expect_word(K::END, "END")?;
        self.close(mark, Kind::Case);
        Ok(())
    }
}
