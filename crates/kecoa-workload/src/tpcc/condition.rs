//! Consistency conditions 1 to 4 (clause 3.3.2), and that no order is lost.

use crate::error::Error;
use crate::invariant::{self, Check};
use crate::options::Name;
use crate::schema::{Settings, setting};
use crate::statements::Statements;

const FIRST: &str = "\
    SELECT w_id, w_ytd, sum(d_ytd)::INT8 \
    FROM kecoa_tpcc.warehouse JOIN kecoa_tpcc.district ON d_w_id = w_id \
    GROUP BY w_id, w_ytd HAVING w_ytd <> sum(d_ytd) ORDER BY w_id";
const SECOND: &str = "\
    SELECT d_w_id, d_id, d_next_o_id - 1, o.last, n.last FROM kecoa_tpcc.district \
    LEFT JOIN (SELECT o_w_id, o_d_id, max(o_id) AS last \
               FROM kecoa_tpcc.orders GROUP BY o_w_id, o_d_id) AS o \
    ON o_w_id = d_w_id AND o_d_id = d_id \
    LEFT JOIN (SELECT no_w_id, no_d_id, max(no_o_id) AS last \
               FROM kecoa_tpcc.new_order GROUP BY no_w_id, no_d_id) AS n \
    ON no_w_id = d_w_id AND no_d_id = d_id \
    WHERE d_next_o_id - 1 IS DISTINCT FROM o.last OR d_next_o_id - 1 <> n.last \
    ORDER BY d_w_id, d_id";
const THIRD: &str = "\
    SELECT no_w_id, no_d_id, max(no_o_id) - min(no_o_id) + 1, count(*)::INT8 \
    FROM kecoa_tpcc.new_order GROUP BY no_w_id, no_d_id \
    HAVING max(no_o_id) - min(no_o_id) + 1 <> count(*) ORDER BY no_w_id, no_d_id";
const FOURTH: &str = "\
    SELECT o_w_id, o_d_id, o.lines, coalesce(l.lines, 0) \
    FROM (SELECT o_w_id, o_d_id, sum(o_ol_cnt)::INT8 AS lines \
          FROM kecoa_tpcc.orders GROUP BY o_w_id, o_d_id) AS o \
    LEFT JOIN (SELECT ol_w_id, ol_d_id, count(*)::INT8 AS lines \
               FROM kecoa_tpcc.order_line GROUP BY ol_w_id, ol_d_id) AS l \
    ON ol_w_id = o_w_id AND ol_d_id = o_d_id \
    WHERE o.lines IS DISTINCT FROM l.lines ORDER BY o_w_id, o_d_id";
const ORDERS: &str = "\
    SELECT count(*)::INT8, (SELECT coalesce(sum(writes), 0)::INT8 FROM kecoa_tpcc.workers) \
    FROM kecoa_tpcc.orders";

/// Checks them.
pub(crate) async fn checks(
    statements: &mut impl Statements,
    settings: &Settings,
) -> Result<Vec<Check>, Error> {
    let first = "W_YTD is the sum of D_YTD";
    let first = invariant::none(statements, "condition 1", first, FIRST, |row| {
        let (warehouse, ytd, sum): (i64, i64, i64) = row.read()?;
        Ok(format!("warehouse {warehouse}: W_YTD is {ytd}, the sum of D_YTD {sum}"))
    });
    let first = first.await?;
    let second = "D_NEXT_O_ID is behind the last order";
    let second = invariant::none(statements, "condition 2", second, SECOND, |row| {
        let (warehouse, district): (i64, i64) = (row.get(0)?, row.get(1)?);
        let (last, order): (i64, Option<i64>) = (row.get(2)?, row.get(3)?);
        let undelivered: Option<i64> = row.get(4)?;
        let shown =
            |number: Option<i64>| number.map_or_else(|| "none".to_owned(), |n| n.to_string());
        Ok(format!(
            "warehouse {warehouse}, district {district}: D_NEXT_O_ID - 1 is {last}, the last order {}, the last \
             new order {}",
            shown(order),
            shown(undelivered)
        ))
    });
    let second = second.await?;
    let third = "new orders have no gap";
    let third = invariant::none(statements, "condition 3", third, THIRD, |row| {
        let (warehouse, district, span, count): (i64, i64, i64, i64) = row.read()?;
        Ok(format!(
            "warehouse {warehouse}, district {district}: new orders span {span} numbers, and there are {count}"
        ))
    });
    let third = third.await?;
    let fourth = "orders have all of their lines";
    let fourth = invariant::none(statements, "condition 4", fourth, FOURTH, |row| {
        let (warehouse, district, expected, found): (i64, i64, i64, i64) = row.read()?;
        Ok(format!(
            "warehouse {warehouse}, district {district}: expected {expected} order lines, found {found}"
        ))
    });
    let fourth = fourth.await?;
    let expected = setting(settings, "orders", Name::Tpcc)?;
    let (orders, placed): (i64, i64) = statements.query_one(ORDERS, &[]).await?.read()?;
    let expected = expected + placed;
    let all = match orders == expected {
        true => Check::holds("orders", orders.to_string()),
        false => Check::violated(
            "orders",
            format!("expected the {expected} orders that were placed, found {orders}"),
        ),
    };
    Ok(vec![first, second, third, fourth, all])
}
