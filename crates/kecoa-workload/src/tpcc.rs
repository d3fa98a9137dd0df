//! `tpcc`: the five transactions of TPC-C on less data, and its consistency conditions 1 to 4.
//!
//! By the specification's clauses, from <https://www.tpc.org/tpcc/>, revision 5.11, but for what is scaled down
//! ([`size`]): a hundredth of the customers, orders and items. Money is in cents, taxes and discounts in
//! hundredths of a percent. There are no terminals: no keying and think times.

mod condition;
mod customer;
mod delivery;
mod load;
mod new_order;
mod order_status;
mod payment;
mod size;
mod stock_level;

use fastrand::Rng;

pub(crate) use self::condition::checks;
pub(crate) use self::load::init;
use crate::error::{BodyError, Error};
use crate::options::Name;
use crate::schema::{Settings, setting};
use crate::statements::Statements;

/// Warehouses that are set up.
#[derive(Debug)]
pub(crate) struct Tpcc {
    warehouses: i64,
}

/// One of the five transactions, with its input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Profile {
    NewOrder(new_order::Input),
    Payment(payment::Input),
    OrderStatus(order_status::Input),
    Delivery(delivery::Input),
    StockLevel(stock_level::Input),
}

impl Tpcc {
    pub(crate) fn new(settings: &Settings) -> Result<Tpcc, Error> {
        Ok(Tpcc { warehouses: setting(settings, "warehouses", Name::Tpcc)?.max(1) })
    }

    /// In the shares of clause 5.2.3: at least 43% payments and 4% of three others. Workers are spread over the
    /// warehouses.
    pub(crate) fn draw(&self, random: &mut Rng, worker: u32) -> Profile {
        let home = i64::from(worker) % self.warehouses + 1;
        match random.u32(..100) {
            0..45 => Profile::NewOrder(new_order::draw(random, home, self.warehouses)),
            45..88 => Profile::Payment(payment::draw(random, home, self.warehouses)),
            88..92 => Profile::OrderStatus(order_status::draw(random, home)),
            92..96 => Profile::Delivery(delivery::draw(random, home)),
            _ => Profile::StockLevel(stock_level::draw(random, home)),
        }
    }

    pub(crate) async fn run(
        &self,
        profile: &Profile,
        tx: &mut impl Statements,
    ) -> Result<(), BodyError> {
        match profile {
            Profile::NewOrder(input) => new_order::run(input, tx).await,
            Profile::Payment(input) => payment::run(input, tx).await,
            Profile::OrderStatus(input) => order_status::run(input, tx).await,
            Profile::Delivery(input) => delivery::run(input, tx).await,
            Profile::StockLevel(input) => stock_level::run(input, tx).await,
        }
    }
}

impl Profile {
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Profile::NewOrder(_) => "new order",
            Profile::Payment(_) => "payment",
            Profile::OrderStatus(_) => "order status",
            Profile::Delivery(_) => "delivery",
            Profile::StockLevel(_) => "stock level",
        }
    }

    pub(crate) fn writes(&self) -> bool {
        !matches!(self, Profile::OrderStatus(_) | Profile::StockLevel(_))
    }

    /// Orders are what is counted.
    pub(crate) fn orders(&self) -> i64 {
        i64::from(matches!(self, Profile::NewOrder(_)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::of_worker;

    #[test]
    fn shares_are_those_of_the_specification() {
        let tpcc = Tpcc { warehouses: 3 };
        let mut random = of_worker(1, 4);
        let mut payments = 0;
        for _ in 0..10_000 {
            let profile = tpcc.draw(&mut random, 4);
            payments += u32::from(profile.kind() == "payment");
            if let Profile::NewOrder(input) = profile {
                assert_eq!(input.warehouse, 2);
            }
        }
        // Six standard deviations.
        assert!((4_000..4_600).contains(&payments), "{payments}");
    }
}
