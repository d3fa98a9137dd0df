//! The tables, and what they have at first (clauses 1.3 and 4.3.3). The server makes the rows: what is random in
//! the specification is a function of the row's number here.

use kecoa::blocking::Client;

use super::size::{
    CUSTOMERS, DISTRICT_YTD, DISTRICTS, ITEMS, LAST_NAMES, ORDERS, SYLLABLES, UNDELIVERED,
};
use crate::error::Error;
use crate::options::Name;
use crate::schema;

const TABLES: [&str; 9] = [
    "warehouse (w_id INT8 PRIMARY KEY, w_name TEXT NOT NULL, w_tax INT8 NOT NULL, w_ytd INT8 NOT NULL)",
    "district (d_w_id INT8, d_id INT8, d_name TEXT NOT NULL, d_tax INT8 NOT NULL, d_ytd INT8 NOT NULL, \
     d_next_o_id INT8 NOT NULL, PRIMARY KEY (d_w_id, d_id))",
    "customer (c_w_id INT8, c_d_id INT8, c_id INT8, c_first TEXT NOT NULL, c_last TEXT NOT NULL, \
     c_credit TEXT NOT NULL, c_discount INT8 NOT NULL, c_balance INT8 NOT NULL, c_ytd_payment INT8 NOT NULL, \
     c_payment_cnt INT8 NOT NULL, c_delivery_cnt INT8 NOT NULL, c_data TEXT NOT NULL, \
     PRIMARY KEY (c_w_id, c_d_id, c_id))",
    "history (h_c_id INT8 NOT NULL, h_c_d_id INT8 NOT NULL, h_c_w_id INT8 NOT NULL, h_d_id INT8 NOT NULL, \
     h_w_id INT8 NOT NULL, h_date TIMESTAMPTZ NOT NULL, h_amount INT8 NOT NULL)",
    "orders (o_w_id INT8, o_d_id INT8, o_id INT8, o_c_id INT8 NOT NULL, o_entry_d TIMESTAMPTZ NOT NULL, \
     o_carrier_id INT8, o_ol_cnt INT8 NOT NULL, o_all_local BOOL NOT NULL, PRIMARY KEY (o_w_id, o_d_id, o_id))",
    "new_order (no_w_id INT8, no_d_id INT8, no_o_id INT8, PRIMARY KEY (no_w_id, no_d_id, no_o_id))",
    "order_line (ol_w_id INT8, ol_d_id INT8, ol_o_id INT8, ol_number INT8, ol_i_id INT8 NOT NULL, \
     ol_supply_w_id INT8 NOT NULL, ol_delivery_d TIMESTAMPTZ, ol_quantity INT8 NOT NULL, ol_amount INT8 NOT NULL, \
     PRIMARY KEY (ol_w_id, ol_d_id, ol_o_id, ol_number))",
    "item (i_id INT8 PRIMARY KEY, i_name TEXT NOT NULL, i_price INT8 NOT NULL, i_data TEXT NOT NULL)",
    "stock (s_w_id INT8, s_i_id INT8, s_quantity INT8 NOT NULL, s_ytd INT8 NOT NULL, s_order_cnt INT8 NOT NULL, \
     s_remote_cnt INT8 NOT NULL, s_data TEXT NOT NULL, PRIMARY KEY (s_w_id, s_i_id))",
];

/// Makes and fills the tables.
pub(crate) fn init(
    client: &mut Client,
    warehouses: i64,
    progress: &mut dyn FnMut(i64),
) -> Result<(), Error> {
    schema::create(client, Name::Tpcc, &TABLES)?;
    client.batch(
        "CREATE INDEX customer_by_last ON kecoa_tpcc.customer (c_w_id, c_d_id, c_last, c_first)",
    )?;
    client.batch(
        "CREATE INDEX orders_by_customer ON kecoa_tpcc.orders (o_w_id, o_d_id, o_c_id, o_id)",
    )?;
    let items = "INSERT INTO kecoa_tpcc.item (i_id, i_name, i_price, i_data) \
                 SELECT i, 'item ' || i::TEXT, 100 + i * 7919 % 9901, md5(i::TEXT) \
                 FROM generate_series($1::INT8, $2::INT8) AS g (i)";
    schema::fill(client, items, ITEMS, &mut |_| {})?;
    let of_warehouses = of_warehouses();
    for (at, insert) in of_warehouses.iter().enumerate() {
        let is_last = at + 1 == of_warehouses.len();
        // A warehouse a piece.
        schema::fill_by(client, insert, warehouses, 1, &mut |loaded| {
            if is_last {
                progress(loaded);
            }
        })?;
    }
    let orders = warehouses * DISTRICTS * ORDERS;
    schema::complete(client, Name::Tpcc, &[("warehouses", warehouses), ("orders", orders)])
}

/// The statements that fill what each warehouse has of its own, whose number is between `$1` and `$2`.
fn of_warehouses() -> [String; 7] {
    let ytd = DISTRICT_YTD * DISTRICTS;
    let each = "generate_series($1::INT8, $2::INT8) AS a (w)";
    let districts = format!("{each} CROSS JOIN generate_series(1, {DISTRICTS}) AS b (d)");
    let next = ORDERS + 1;
    let delivered = ORDERS - UNDELIVERED;
    let syllables = SYLLABLES.map(|syllable| format!("'{syllable}'")).join(", ");
    let lines = format!(
        "{districts} CROSS JOIN generate_series(1, {ORDERS}) AS e (o) CROSS JOIN generate_series(1, 15) AS f (l)"
    );
    [
        format!(
            "INSERT INTO kecoa_tpcc.warehouse (w_id, w_name, w_tax, w_ytd) \
             SELECT w, 'warehouse ' || w::TEXT, w * 613 % 2001, {ytd} FROM {each}"
        ),
        format!(
            "INSERT INTO kecoa_tpcc.district (d_w_id, d_id, d_name, d_tax, d_ytd, d_next_o_id) \
             SELECT w, d, 'district ' || d::TEXT, (w * 10 + d) * 613 % 2001, {DISTRICT_YTD}, {next} FROM {districts}"
        ),
        format!(
            "INSERT INTO kecoa_tpcc.customer (c_w_id, c_d_id, c_id, c_first, c_last, c_credit, c_discount, \
             c_balance, c_ytd_payment, c_payment_cnt, c_delivery_cnt, c_data) \
             SELECT w, d, c, md5((w * 1000 + d * 100 + c)::TEXT), \
             'BARBAR' || (ARRAY[{syllables}])[1 + (c - 1) % {LAST_NAMES}], \
             CASE WHEN c % 10 = 0 THEN 'BC' ELSE 'GC' END, c * 613 % 5001, -1000, 1000, 1, 0, md5(c::TEXT) \
             FROM {districts} CROSS JOIN generate_series(1, {CUSTOMERS}) AS e (c)"
        ),
        format!(
            "INSERT INTO kecoa_tpcc.stock (s_w_id, s_i_id, s_quantity, s_ytd, s_order_cnt, s_remote_cnt, s_data) \
             SELECT w, i, 10 + i * 7919 % 91, 0, 0, 0, md5(i::TEXT) \
             FROM {each} CROSS JOIN generate_series(1, {ITEMS}) AS b (i)"
        ),
        // Each customer has an order; which one is a permutation, since 7 and 30 have no common divisor.
        format!(
            "INSERT INTO kecoa_tpcc.orders (o_w_id, o_d_id, o_id, o_c_id, o_entry_d, o_carrier_id, o_ol_cnt, \
             o_all_local) SELECT w, d, o, 1 + o * 7 % {CUSTOMERS}, now(), \
             CASE WHEN o <= {delivered} THEN 1 + o % 10 END, 5 + o % 11, true \
             FROM {districts} CROSS JOIN generate_series(1, {ORDERS}) AS e (o)"
        ),
        format!(
            "INSERT INTO kecoa_tpcc.order_line (ol_w_id, ol_d_id, ol_o_id, ol_number, ol_i_id, ol_supply_w_id, \
             ol_delivery_d, ol_quantity, ol_amount) \
             SELECT w, d, o, l, 1 + (o * 131 + l * 17) % {ITEMS}, w, CASE WHEN o <= {delivered} THEN now() END, 5, \
             CASE WHEN o <= {delivered} THEN 0 ELSE 1 + (o * 7919 + l) % 999999 END \
             FROM {lines} WHERE l <= 5 + o % 11"
        ),
        format!(
            "INSERT INTO kecoa_tpcc.new_order (no_w_id, no_d_id, no_o_id) SELECT w, d, o \
             FROM {districts} CROSS JOIN generate_series({}, {ORDERS}) AS e (o)",
            delivered + 1
        ),
    ]
}
