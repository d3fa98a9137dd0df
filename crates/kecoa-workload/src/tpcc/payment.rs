//! The payment transaction (clause 2.5).

use fastrand::Rng;

use super::customer::{self, Customer};
use super::size;
use crate::error::BodyError;
use crate::random::{between, happens};
use crate::statements::Statements;

const WAREHOUSE: &str = "UPDATE kecoa_tpcc.warehouse SET w_ytd = w_ytd + $2 WHERE w_id = $1";
const DISTRICT: &str = "\
    UPDATE kecoa_tpcc.district SET d_ytd = d_ytd + $3 \
    WHERE d_w_id = $1 AND d_id = $2";
const CUSTOMER: &str = "\
    UPDATE kecoa_tpcc.customer \
    SET c_balance = c_balance - $4, c_ytd_payment = c_ytd_payment + $4, \
    c_payment_cnt = c_payment_cnt + 1, \
    c_data = CASE WHEN c_credit = 'BC' THEN left($5 || c_data, 500) ELSE c_data END \
    WHERE c_w_id = $1 AND c_d_id = $2 AND c_id = $3";
const HISTORY: &str = "\
    INSERT INTO kecoa_tpcc.history \
    (h_c_id, h_c_d_id, h_c_w_id, h_d_id, h_w_id, h_date, h_amount) \
    VALUES ($1, $2, $3, $4, $5, now(), $6)";

/// A customer pays in a district, which need not be his own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Input {
    warehouse: i64,
    district: i64,
    customer: Customer,
    customer_warehouse: i64,
    customer_district: i64,
    amount: i64,
}

pub(super) fn draw(random: &mut Rng, home: i64, warehouses: i64) -> Input {
    let district = size::district(random);
    let (customer_warehouse, customer_district) = match happens(random, 0.15) {
        true => (size::other_warehouse(random, home, warehouses), size::district(random)),
        false => (home, district),
    };
    Input {
        warehouse: home,
        district,
        customer: customer::draw(random),
        customer_warehouse,
        customer_district,
        amount: between(random, 100, 500_000),
    }
}

pub(super) async fn run(input: &Input, tx: &mut impl Statements) -> Result<(), BodyError> {
    let Input { warehouse, district, customer, customer_warehouse, customer_district, amount } =
        input;
    tx.execute(WAREHOUSE, &[warehouse, amount]).await?;
    tx.execute(DISTRICT, &[warehouse, district, amount]).await?;
    let id = customer::find(customer, *customer_warehouse, *customer_district, tx).await?;
    let data =
        format!("{id} {customer_district} {customer_warehouse} {district} {warehouse} {amount} | ");
    tx.execute(CUSTOMER, &[customer_warehouse, customer_district, &id, amount, &data]).await?;
    tx.execute(HISTORY, &[&id, customer_district, customer_warehouse, district, warehouse, amount])
        .await?;
    Ok(())
}
