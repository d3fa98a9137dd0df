//! Amounts of money.

/// A `money`: an amount in the smallest unit of the server's `lc_monetary`, cents in most.
///
/// Its text form is that of the locales `C` and `en_US`: `-$1,234.56`. Others print other signs in
/// other places, and are refused; the binary form is the same in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(pub i64);
