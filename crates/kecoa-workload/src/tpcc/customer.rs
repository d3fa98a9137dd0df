//! A customer, by number or by last name (clauses 2.5.1.2 and 2.6.1.2).

use fastrand::Rng;

use super::size;
use crate::error::BodyError;
use crate::random::happens;
use crate::statements::Statements;

const BY_LAST: &str = "\
    SELECT c_id FROM kecoa_tpcc.customer \
    WHERE c_w_id = $1 AND c_d_id = $2 AND c_last = $3 ORDER BY c_first";

/// Who it is, within a district.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Customer {
    Number(i64),
    LastName(String),
}

/// 60% by last name.
pub(super) fn draw(random: &mut Rng) -> Customer {
    match happens(random, 0.6) {
        true => Customer::LastName(size::last_name(random)),
        false => Customer::Number(size::customer(random)),
    }
}

/// The customer's number: of several with a last name, the one in the middle.
pub(super) async fn find(
    customer: &Customer,
    warehouse: i64,
    district: i64,
    tx: &mut impl Statements,
) -> Result<i64, BodyError> {
    let name = match customer {
        Customer::Number(number) => return Ok(*number),
        Customer::LastName(name) => name,
    };
    let rows = tx.query(BY_LAST, &[&warehouse, &district, name]).await?;
    let middle = rows.len().div_ceil(2).saturating_sub(1);
    let row = rows.get(middle);
    let row = row.ok_or_else(|| BodyError::Refused(format!("no customer {name}")))?;
    Ok(row.get(0)?)
}
