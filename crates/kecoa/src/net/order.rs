//! In which order places are tried.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::address::Address;
use crate::config::Config;

/// How connections are spread over hosts, and over the addresses of each: `load_balance_hosts`.
#[derive(Debug)]
pub(super) enum Balance {
    /// In the order given.
    Given,
    /// In an order of this generator's, new for each connection.
    Random(fastrand::Rng),
    /// From where the connection before began, one further. kecoa's own.
    RoundRobin {
        /// The number of this connection.
        turn: usize,
    },
}

/// How many connections this process has spread in turn.
static TURNS: AtomicUsize = AtomicUsize::new(0);

impl Balance {
    /// What the configuration asks for.
    pub(super) fn of(config: &Config) -> Balance {
        match config.get("load_balance_hosts") {
            Some("random") => Balance::Random(fastrand::Rng::new()),
            Some("round_robin") => {
                Balance::RoundRobin { turn: TURNS.fetch_add(1, Ordering::Relaxed) }
            }
            _ => Balance::Given,
        }
    }

    pub(super) fn hosts<T>(&mut self, hosts: &mut [T]) {
        self.spread(hosts, 1);
    }

    /// Orders the addresses of one of `hosts` hosts: a round over the addresses goes one further
    /// when a round over the hosts is over, so that each address of each host gets its turn.
    pub(super) fn addresses(&mut self, addresses: &mut [Address], hosts: usize) {
        self.spread(addresses, hosts);
    }

    fn spread<T>(&mut self, items: &mut [T], slower: usize) {
        match self {
            Balance::Given => {}
            Balance::Random(random) => random.shuffle(items),
            Balance::RoundRobin { turn } => {
                let round = turn.checked_div(slower).unwrap_or(0);
                let first = round.checked_rem(items.len()).unwrap_or(0);
                items.rotate_left(first);
            }
        }
    }
}

/// Lets the two families of addresses take turns, beginning with that of the first address (RFC
/// 8305, section 4): a broken IPv6 then costs one attempt, however many addresses it has.
pub(super) fn interleave(addresses: Vec<Address>) -> Vec<Address> {
    let is_v6 = |address: &Address| matches!(address, Address::Tcp(SocketAddr::V6(_)));
    let Some(first) = addresses.first().map(is_v6) else { return addresses };
    let (same, other): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| is_v6(address) == first);
    let mut other = other.into_iter();
    let mut ordered = Vec::new();
    for address in same {
        ordered.push(address);
        ordered.extend(other.next());
    }
    ordered.extend(other);
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(list: &[&str]) -> Vec<Address> {
        list.iter().map(|text| Address::Tcp(text.parse().unwrap())).collect()
    }

    #[test]
    fn families_take_turns() {
        let cases: [(&[&str], &[&str]); 5] = [
            (&[], &[]),
            (&["10.0.0.1:1", "10.0.0.2:1"], &["10.0.0.1:1", "10.0.0.2:1"]),
            (
                &["[::1]:1", "[::2]:1", "[::3]:1", "10.0.0.1:1"],
                &["[::1]:1", "10.0.0.1:1", "[::2]:1", "[::3]:1"],
            ),
            (
                &["10.0.0.1:1", "[::1]:1", "[::2]:1", "[::3]:1"],
                &["10.0.0.1:1", "[::1]:1", "[::2]:1", "[::3]:1"],
            ),
            (
                &["[::1]:1", "[::2]:1", "10.0.0.1:1", "10.0.0.2:1"],
                &["[::1]:1", "10.0.0.1:1", "[::2]:1", "10.0.0.2:1"],
            ),
        ];
        for (given, wanted) in cases {
            assert_eq!(interleave(addresses(given)), addresses(wanted), "{given:?}");
        }
    }

    #[test]
    fn a_round_reaches_every_address_of_every_host() {
        let mut first = Vec::new();
        for turn in 0..6 {
            let mut balance = Balance::RoundRobin { turn };
            let mut hosts = ["a", "b"];
            balance.hosts(&mut hosts);
            let mut list = addresses(&["10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1"]);
            balance.addresses(&mut list, hosts.len());
            first.push((hosts[0], list[0].clone()));
        }
        for (at, pair) in first.iter().enumerate() {
            assert!(!first[..at].contains(pair), "{first:?}");
        }
    }

    #[test]
    fn every_order_is_as_likely() {
        let mut balance = Balance::Random(fastrand::Rng::with_seed(1));
        let mut counts = std::collections::BTreeMap::new();
        for _ in 0..6_000 {
            let mut hosts = [0, 1, 2];
            balance.hosts(&mut hosts);
            *counts.entry(hosts).or_insert(0_u32) += 1;
        }
        // The seed makes it the same each time; 1,000 of each are expected.
        assert_eq!(counts.len(), 6);
        assert!(counts.values().all(|count| (900..1100).contains(count)), "{counts:?}");
    }

    #[test]
    fn what_is_not_spread_stays() {
        let mut hosts = [3, 1, 2];
        Balance::Given.hosts(&mut hosts);
        assert_eq!(hosts, [3, 1, 2]);
        Balance::RoundRobin { turn: 7 }.hosts::<u8>(&mut []);
    }
}
