//! `let` of a command.

use ::bson::{RawDocument, RawDocumentBuf};

use super::parsed::Expression;
use super::parser::malformed;
use super::scope::Scope;
use super::variables::Variables;
use crate::error::Error;
use crate::value::Value;

impl Variables {
    /// The same with the variables of a command's `let`; `scope` gets their names. A later one may use an earlier
    /// one.
    ///
    /// # Errors
    ///
    /// Those of the expressions that the values are, and 4890500 if one reads a field.
    pub fn with_let(mut self, declared: &RawDocument, scope: &mut Scope) -> Result<Self, Error> {
        let nothing = RawDocumentBuf::new();
        for field in declared {
            let (name, value) = field.map_err(malformed)?;
            let named = scope.clone().with_user_variable(name.as_str())?;
            let expression = Expression::parse(value, &scope.clone().without_documents())?;
            let value = expression.evaluate(&nothing, &self)?;
            let value = value.map(Value::into_owned);
            self = self.bind(name.as_str(), value);
            *scope = named;
        }
        Ok(self)
    }
}
