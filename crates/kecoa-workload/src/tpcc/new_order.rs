//! The new-order transaction (clause 2.4).

use std::collections::HashMap;

use fastrand::Rng;

use super::size;
use crate::error::BodyError;
use crate::random::{between, happens};
use crate::statements::Statements;

const WAREHOUSE: &str = "SELECT w_tax FROM kecoa_tpcc.warehouse WHERE w_id = $1";
const DISTRICT: &str = "\
    UPDATE kecoa_tpcc.district SET d_next_o_id = d_next_o_id + 1 \
    WHERE d_w_id = $1 AND d_id = $2 RETURNING d_tax, d_next_o_id - 1";
const CUSTOMER: &str = "\
    SELECT c_discount, c_last, c_credit FROM kecoa_tpcc.customer \
    WHERE c_w_id = $1 AND c_d_id = $2 AND c_id = $3";
const ITEMS: &str = "SELECT i_id, i_price FROM kecoa_tpcc.item WHERE i_id = ANY ($1)";
const ORDER: &str = "\
    INSERT INTO kecoa_tpcc.orders \
    (o_w_id, o_d_id, o_id, o_c_id, o_entry_d, o_ol_cnt, o_all_local) \
    VALUES ($1, $2, $3, $4, now(), $5, $6)";
const NEW_ORDER: &str = "\
    INSERT INTO kecoa_tpcc.new_order (no_w_id, no_d_id, no_o_id) \
    VALUES ($1, $2, $3)";
const STOCK: &str = "\
    UPDATE kecoa_tpcc.stock \
    SET s_quantity = CASE WHEN s_quantity >= $3 + 10 THEN s_quantity - $3 \
    ELSE s_quantity - $3 + 91 END, \
    s_ytd = s_ytd + $3, s_order_cnt = s_order_cnt + 1, s_remote_cnt = s_remote_cnt + $4 \
    WHERE s_w_id = $1 AND s_i_id = $2";
const LINES: &str = "\
    INSERT INTO kecoa_tpcc.order_line \
    (ol_w_id, ol_d_id, ol_o_id, ol_number, ol_i_id, ol_supply_w_id, ol_quantity, ol_amount) \
    SELECT $1::INT8, $2::INT8, $3::INT8, number, item, supply, quantity, amount \
    FROM unnest($4::INT8[], $5::INT8[], $6::INT8[], $7::INT8[], $8::INT8[]) \
    AS l (number, item, supply, quantity, amount)";

/// An order of a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Input {
    pub(super) warehouse: i64,
    district: i64,
    customer: i64,
    lines: Vec<Line>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Line {
    supply: i64,
    item: i64,
    quantity: i64,
}

pub(super) fn draw(random: &mut Rng, home: i64, warehouses: i64) -> Input {
    let district = size::district(random);
    let customer = size::customer(random);
    let mut lines: Vec<Line> = (0..between(random, 5, 15))
        .map(|_| {
            let supply = match happens(random, 0.01) {
                true => size::other_warehouse(random, home, warehouses),
                false => home,
            };
            Line { supply, item: size::item(random), quantity: between(random, 1, 10) }
        })
        .collect();
    // Clause 2.4.1.4: 1% of the orders are taken back because of an item that does not exist.
    if happens(random, 0.01)
        && let Some(line) = lines.last_mut()
    {
        line.item = size::ITEMS + 1;
    }
    // Stocks are changed in the order of their keys, so that orders do not wait for each other.
    lines.sort();
    Input { warehouse: home, district, customer, lines }
}

pub(super) async fn run(input: &Input, tx: &mut impl Statements) -> Result<(), BodyError> {
    let Input { warehouse, district, customer, lines } = input;
    let _tax: i64 = tx.query_one(WAREHOUSE, &[warehouse]).await?.get(0)?;
    let row = tx.query_one(DISTRICT, &[warehouse, district]).await?;
    let (_tax, order): (i64, i64) = row.read()?;
    let row = tx.query_one(CUSTOMER, &[warehouse, district, customer]).await?;
    let _discount: i64 = row.get(0)?;
    let wanted: Vec<i64> = lines.iter().map(|line| line.item).collect();
    let mut prices: HashMap<i64, i64> = HashMap::new();
    for row in tx.query(ITEMS, &[&wanted]).await? {
        let (item, price) = row.read()?;
        prices.insert(item, price);
    }
    let count = i64::try_from(lines.len()).unwrap_or(i64::MAX);
    let is_local = lines.iter().all(|line| line.supply == *warehouse);
    tx.execute(ORDER, &[warehouse, district, &order, customer, &count, &is_local]).await?;
    tx.execute(NEW_ORDER, &[warehouse, district, &order]).await?;
    let mut amounts = Vec::with_capacity(lines.len());
    for Line { supply, item, quantity } in lines {
        let Some(price) = prices.get(item) else {
            return Err(BodyError::Refused("unused item".to_owned()));
        };
        let remote = i64::from(supply != warehouse);
        tx.execute(STOCK, &[supply, item, quantity, &remote]).await?;
        amounts.push(price * quantity);
    }
    let numbers: Vec<i64> = (1..=count).collect();
    let supplies: Vec<i64> = lines.iter().map(|line| line.supply).collect();
    let quantities: Vec<i64> = lines.iter().map(|line| line.quantity).collect();
    tx.execute(
        LINES,
        &[warehouse, district, &order, &numbers, &wanted, &supplies, &quantities, &amounts],
    )
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::of_worker;

    #[test]
    fn orders_are_as_the_specification_has_them() {
        let mut random = of_worker(1, 0);
        let orders: Vec<Input> = (0..5_000).map(|_| draw(&mut random, 2, 4)).collect();
        assert!(orders.iter().all(|order| (5..=15).contains(&order.lines.len())));
        let unused = |order: &&Input| order.lines.iter().any(|line| line.item > size::ITEMS);
        let taken_back = orders.iter().filter(unused).count();
        // 50 expected; six standard deviations are 42.
        assert!((8..=92).contains(&taken_back), "{taken_back}");
        let remote = |line: &&Line| line.supply != 2;
        assert!(orders.iter().flat_map(|order| &order.lines).filter(remote).count() > 100);
    }
}
