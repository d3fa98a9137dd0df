//! The stock-level transaction (clause 2.8).

use fastrand::Rng;

use super::size;
use crate::error::BodyError;
use crate::random::between;
use crate::statements::Statements;

const NEXT: &str = "SELECT d_next_o_id FROM kecoa_tpcc.district WHERE d_w_id = $1 AND d_id = $2";
const LOW: &str = "\
    SELECT count(DISTINCT s_i_id)::INT8 \
    FROM kecoa_tpcc.order_line JOIN kecoa_tpcc.stock ON s_w_id = ol_w_id AND s_i_id = ol_i_id \
    WHERE ol_w_id = $1 AND ol_d_id = $2 AND ol_o_id >= $3 AND ol_o_id < $4 AND s_quantity < $5";
/// How many of the last orders are looked at.
const ORDERS: i64 = 20;

/// Somebody asks which items of the last orders are about to run out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Input {
    warehouse: i64,
    district: i64,
    threshold: i64,
}

pub(super) fn draw(random: &mut Rng, home: i64) -> Input {
    Input { warehouse: home, district: size::district(random), threshold: between(random, 10, 20) }
}

pub(super) async fn run(input: &Input, tx: &mut impl Statements) -> Result<(), BodyError> {
    let Input { warehouse, district, threshold } = input;
    let next: i64 = tx.query_one(NEXT, &[warehouse, district]).await?.get(0)?;
    tx.query_one(LOW, &[warehouse, district, &(next - ORDERS), &next, threshold]).await?;
    Ok(())
}
