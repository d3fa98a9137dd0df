//! Expressions: operators, by precedence climbing. What stands between them is [`crate::primary`]'s.

use crate::keyword::Keyword as K;
use crate::kind::Kind;
use crate::parser::{Mark, Parsed, Parser};
use crate::precedence::level;
use crate::symbol::{Operator, Symbol};

/// What PostgreSQL alone tests with IS.
const FOREIGN_TESTS: [(&str, &str); 7] = [
    ("JSON", "IS JSON"),
    ("DOCUMENT", "IS DOCUMENT"),
    ("NORMALIZED", "IS NORMALIZED"),
    ("NFC", "IS NORMALIZED"),
    ("NFD", "IS NORMALIZED"),
    ("NFKC", "IS NORMALIZED"),
    ("NFKD", "IS NORMALIZED"),
];

/// What may stand in an expression.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Anything.
    Any,
    /// No AND, OR, NOT, IN, LIKE, BETWEEN: the first bound of BETWEEN, and POSITION's operands.
    Restricted,
}

impl Parser<'_, '_> {
    /// An expression of any kind.
    pub(crate) fn expression(&mut self) -> Parsed {
        self.deeper(Self::bracketed_expression)
    }

    /// An expression in brackets that are counted as a level already.
    pub(crate) fn bracketed_expression(&mut self) -> Parsed {
        self.operand(0, Form::Any)
    }

    /// An expression without AND, IN and the like.
    pub(crate) fn restricted_expression(&mut self) -> Parsed {
        self.deeper(|parser| parser.operand(level::IS, Form::Restricted))
    }

    /// `expression, …`
    pub(crate) fn expressions(&mut self) -> Parsed {
        self.list(Self::expression)
    }

    fn operand(&mut self, minimum: u8, form: Form) -> Parsed {
        self.within(|parser| {
            let mark = parser.mark();
            parser.prefixed(form)?;
            parser.operators(mark, minimum, form)
        })
    }

    /// Goes on behind a primary that began at `mark` as far as an expression goes.
    pub(crate) fn rest_of_expression(&mut self, mark: Mark) -> Parsed {
        self.postfix(mark)?;
        self.operators(mark, 0, Form::Any)
    }

    fn prefixed(&mut self, form: Form) -> Parsed {
        let mark = self.mark();
        let head = self.at;
        let (kind, minimum) = match self.symbol() {
            Symbol::Keyword(K::NOT) if form == Form::Any => (Kind::Not, level::NOT),
            Symbol::Operator(Operator::Sum | Operator::Tilde) => (Kind::Prefix, level::SIGN),
            Symbol::Operator(Operator::Root) => (Kind::Prefix, level::SHIFT + 1),
            _ => {
                self.primary()?;
                return self.postfix(mark);
            }
        };
        self.bump();
        self.operand(minimum, form)?;
        self.close_with(mark, kind, head);
        Ok(())
    }

    /// Casts, which bind tighter than all others.
    fn postfix(&mut self, mark: Mark) -> Parsed {
        loop {
            let kind = match self.symbol() {
                Symbol::Cast => Kind::Cast,
                Symbol::Annotation => Kind::Annotation,
                _ => return Ok(()),
            };
            let head = self.at;
            self.bump();
            self.type_name()?;
            self.close_with(mark, kind, head);
        }
    }

    fn operators(&mut self, mark: Mark, minimum: u8, form: Form) -> Parsed {
        // The level of an operator that may not follow itself, if the last one was such.
        let mut once = 0;
        loop {
            let head = self.at;
            match self.symbol() {
                Symbol::Operator(operator) => {
                    let Some((level, nonassociative)) = operator.level() else { return Ok(()) };
                    if level < minimum {
                        return Ok(());
                    }
                    self.not_again(level, once)?;
                    self.bump();
                    self.symbolic(mark, head, level, form)?;
                    once = if nonassociative { level } else { 0 };
                }
                Symbol::Keyword(K::OPERATOR) if self.ahead(1) == Symbol::Open => {
                    if level::OPERATOR < minimum {
                        return Ok(());
                    }
                    self.named_operator()?;
                    self.symbolic(mark, head, level::OPERATOR, form)?;
                    once = 0;
                }
                Symbol::Keyword(word) => {
                    let Some(level) = self.word_level(word, form) else { return Ok(()) };
                    if level < minimum {
                        return Ok(());
                    }
                    self.not_again(level, once)?;
                    self.word(mark, word, form)?;
                    once = if matches!(level, level::IS | level::LIKE | level::OVERLAPS) {
                        level
                    } else {
                        0
                    };
                }
                // A cast of more than a primary: `a COLLATE b::c`.
                Symbol::Cast | Symbol::Annotation if level::CAST >= minimum => {
                    self.postfix(mark)?
                }
                _ => return Ok(()),
            }
        }
    }

    fn not_again(&self, level: u8, once: u8) -> Parsed {
        if level == once { Err(self.error("the end of the expression")) } else { Ok(()) }
    }

    /// Behind an operator of symbols: ANY, SOME, ALL, or an operand.
    fn symbolic(&mut self, mark: Mark, head: usize, level: u8, form: Form) -> Parsed {
        if form == Form::Any && self.eat_any(&[K::ANY, K::SOME, K::ALL]) {
            self.operand(level::JOIN + 1, form)?;
            self.close_with(mark, Kind::Quantified, head);
        } else {
            self.operand(level + 1, form)?;
            self.close_with(mark, Kind::Binary, head);
        }
        Ok(())
    }

    /// `OPERATOR(schema.+)`
    fn named_operator(&mut self) -> Parsed {
        self.bump();
        self.bump();
        while self.is_label_ahead(0) {
            self.bump();
            self.expect(Symbol::Dot, ".")?;
        }
        match self.symbol() {
            Symbol::Operator(_) | Symbol::Other => self.bump(),
            _ => return Err(self.error("an operator")),
        }
        self.expect(Symbol::Close, ")")
    }

    /// The level of an operator that is a word; `None` when the word is none here.
    fn word_level(&self, word: K, form: Form) -> Option<u8> {
        let level = match word {
            K::OR => level::OR,
            K::AND => level::AND,
            K::ISNULL | K::NOTNULL => level::IS,
            K::LIKE | K::ILIKE | K::IN | K::BETWEEN => level::LIKE,
            K::SIMILAR if self.ahead(1) == Symbol::Keyword(K::TO) => level::LIKE,
            K::NOT => match self.ahead(1) {
                Symbol::Keyword(K::LIKE | K::ILIKE | K::IN | K::BETWEEN | K::SIMILAR) => {
                    level::LIKE
                }
                _ => return None,
            },
            K::OVERLAPS => level::OVERLAPS,
            K::IS => return Some(level::IS),
            K::AT if self.ahead(1) == Symbol::Keyword(K::TIME) => level::AT,
            K::COLLATE => level::COLLATE,
            _ => return None,
        };
        (form == Form::Any).then_some(level)
    }

    fn word(&mut self, mark: Mark, word: K, form: Form) -> Parsed {
        let head = self.at;
        let negated = word == K::NOT;
        if negated {
            self.bump();
        }
        let verb = match self.symbol() {
            Symbol::Keyword(verb) => verb,
            _ => word,
        };
        self.bump();
        let kind = match verb {
            K::OR => {
                self.operand(level::OR + 1, form)?;
                Kind::Or
            }
            K::AND => {
                self.operand(level::AND + 1, form)?;
                Kind::And
            }
            K::IS => return self.is_something(mark, head, form),
            K::ISNULL | K::NOTNULL => Kind::Is,
            K::LIKE | K::ILIKE | K::SIMILAR => {
                if verb == K::SIMILAR {
                    self.expect_word(K::TO, "TO")?;
                }
                if self.eat_any(&[K::ANY, K::SOME, K::ALL]) {
                    self.operand(level::JOIN + 1, form)?;
                    self.close_with(mark, Kind::Quantified, head);
                    return Ok(());
                }
                self.operand(level::LIKE + 1, form)?;
                if self.eat_word(K::ESCAPE) {
                    self.operand(level::ESCAPE + 1, form)?;
                }
                Kind::Like
            }
            K::IN => {
                self.in_list()?;
                Kind::In
            }
            K::BETWEEN => {
                self.eat_any(&[K::SYMMETRIC, K::ASYMMETRIC]);
                self.restricted_expression()?;
                self.expect_word(K::AND, "AND")?;
                self.operand(level::LIKE + 1, form)?;
                Kind::Between
            }
            K::OVERLAPS => {
                self.operand(level::OVERLAPS + 1, form)?;
                Kind::Overlaps
            }
            K::AT => {
                self.expect_word(K::TIME, "TIME ZONE")?;
                self.expect_word(K::ZONE, "ZONE")?;
                self.operand(level::AT + 1, form)?;
                Kind::AtTimeZone
            }
            _ => {
                // COLLATE: a name, perhaps qualified.
                self.expect_label()?;
                while self.eat(Symbol::Dot) {
                    self.expect_label()?;
                }
                Kind::Collate
            }
        };
        self.close_with(mark, kind, head);
        Ok(())
    }

    fn is_something(&mut self, mark: Mark, head: usize, form: Form) -> Parsed {
        self.eat_word(K::NOT);
        if self.eat_words(&[K::DISTINCT, K::FROM]) {
            self.operand(level::IS + 1, form)?;
            self.close_with(mark, Kind::IsDistinct, head);
            return Ok(());
        }
        if self.eat_word(K::OF) {
            self.expect(Symbol::Open, "(")?;
            self.list(Self::type_name)?;
            self.expect(Symbol::Close, ")")?;
        } else if form == Form::Restricted
            || !self.eat_any(&[K::NULL, K::TRUE, K::FALSE, K::UNKNOWN, K::NAN])
        {
            let foreign = FOREIGN_TESTS.iter().find(|(word, _)| self.statement.is(self.at, word));
            if let Some((_, what)) = foreign {
                return Err(self.foreign(what));
            }
            return Err(self.error("NULL, TRUE, FALSE, UNKNOWN, NAN or DISTINCT FROM"));
        }
        self.close_with(mark, Kind::Is, head);
        Ok(())
    }

    /// What follows IN: a query or a list.
    fn in_list(&mut self) -> Parsed {
        let mark = self.mark();
        if !self.is(Symbol::Open) {
            return Err(self.error("("));
        }
        if self.ahead(1) == Symbol::Close {
            self.bump();
            self.bump();
            self.close(mark, Kind::InList);
            return Ok(());
        }
        if self.starts_query(1) {
            return self.query_in_brackets();
        }
        let mut query = false;
        self.bump();
        let inner = self.mark();
        if self.is(Symbol::Open) {
            // `IN ((SELECT 1) UNION SELECT 2)`, or a tuple.
            self.primary()?;
            query = self.last_kind() == Some(Kind::Subquery) && self.query_goes_on();
            if query {
                self.rest_of_query(inner)?;
            } else {
                self.rest_of_expression(inner)?;
            }
        } else {
            self.expression()?;
        }
        while !query && self.eat(Symbol::Comma) {
            if self.is(Symbol::Close) {
                break;
            }
            self.expression()?;
        }
        self.expect(Symbol::Close, ")")?;
        self.close(mark, if query { Kind::Subquery } else { Kind::InList });
        Ok(())
    }
}
