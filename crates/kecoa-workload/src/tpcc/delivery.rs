//! The delivery transaction (clause 2.7): the oldest order of each district, in one transaction.

use fastrand::Rng;

use super::size::DISTRICTS;
use crate::error::BodyError;
use crate::random::between;
use crate::statements::Statements;

const OLDEST: &str = "\
    SELECT no_o_id FROM kecoa_tpcc.new_order \
    WHERE no_w_id = $1 AND no_d_id = $2 ORDER BY no_o_id LIMIT 1";
const DELIVER: &str = "\
    DELETE FROM kecoa_tpcc.new_order \
    WHERE no_w_id = $1 AND no_d_id = $2 AND no_o_id = $3";
const ORDER: &str = "\
    UPDATE kecoa_tpcc.orders SET o_carrier_id = $4 \
    WHERE o_w_id = $1 AND o_d_id = $2 AND o_id = $3 RETURNING o_c_id";
const LINES: &str = "\
    UPDATE kecoa_tpcc.order_line SET ol_delivery_d = now() \
    WHERE ol_w_id = $1 AND ol_d_id = $2 AND ol_o_id = $3";
const AMOUNT: &str = "\
    SELECT coalesce(sum(ol_amount), 0)::INT8 FROM kecoa_tpcc.order_line \
    WHERE ol_w_id = $1 AND ol_d_id = $2 AND ol_o_id = $3";
const CUSTOMER: &str = "\
    UPDATE kecoa_tpcc.customer \
    SET c_balance = c_balance + $4, c_delivery_cnt = c_delivery_cnt + 1 \
    WHERE c_w_id = $1 AND c_d_id = $2 AND c_id = $3";

/// A carrier takes orders of a warehouse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Input {
    warehouse: i64,
    carrier: i64,
}

pub(super) fn draw(random: &mut Rng, home: i64) -> Input {
    Input { warehouse: home, carrier: between(random, 1, 10) }
}

pub(super) async fn run(input: &Input, tx: &mut impl Statements) -> Result<(), BodyError> {
    let Input { warehouse, carrier } = input;
    for district in 1..=DISTRICTS {
        let rows = tx.query(OLDEST, &[warehouse, &district]).await?;
        // Clause 2.7.4.2: a district without such an order is left out.
        let Some(row) = rows.first() else { continue };
        let order: i64 = row.get(0)?;
        tx.execute(DELIVER, &[warehouse, &district, &order]).await?;
        let row = tx.query_one(ORDER, &[warehouse, &district, &order, carrier]).await?;
        let customer: i64 = row.get(0)?;
        tx.execute(LINES, &[warehouse, &district, &order]).await?;
        let amount: i64 = tx.query_one(AMOUNT, &[warehouse, &district, &order]).await?.get(0)?;
        tx.execute(CUSTOMER, &[warehouse, &district, &customer, &amount]).await?;
    }
    Ok(())
}
