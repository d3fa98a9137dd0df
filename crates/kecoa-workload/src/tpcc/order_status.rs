//! The order-status transaction (clause 2.6).

use fastrand::Rng;

use super::customer::{self, Customer};
use super::size;
use crate::error::BodyError;
use crate::statements::Statements;

const CUSTOMER: &str = "\
    SELECT c_balance, c_first, c_last FROM kecoa_tpcc.customer \
    WHERE c_w_id = $1 AND c_d_id = $2 AND c_id = $3";
const LATEST: &str = "\
    SELECT o_id FROM kecoa_tpcc.orders \
    WHERE o_w_id = $1 AND o_d_id = $2 AND o_c_id = $3 ORDER BY o_id DESC LIMIT 1";
const LINES: &str = "\
    SELECT ol_i_id, ol_supply_w_id, ol_quantity, ol_amount, ol_delivery_d \
    FROM kecoa_tpcc.order_line WHERE ol_w_id = $1 AND ol_d_id = $2 AND ol_o_id = $3";

/// A customer asks for the last order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Input {
    warehouse: i64,
    district: i64,
    customer: Customer,
}

pub(super) fn draw(random: &mut Rng, home: i64) -> Input {
    Input { warehouse: home, district: size::district(random), customer: customer::draw(random) }
}

pub(super) async fn run(input: &Input, tx: &mut impl Statements) -> Result<(), BodyError> {
    let Input { warehouse, district, customer } = input;
    let id = customer::find(customer, *warehouse, *district, tx).await?;
    tx.query_one(CUSTOMER, &[warehouse, district, &id]).await?;
    if let Some(row) = tx.query(LATEST, &[warehouse, district, &id]).await?.first() {
        tx.query(LINES, &[warehouse, district, &row.get::<i64>(0)?]).await?;
    }
    Ok(())
}
