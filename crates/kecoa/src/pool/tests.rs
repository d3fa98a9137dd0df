//! The rules in virtual time: the table of scenarios that the Python pools are held to as well, and
//! what must hold whatever happens.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;

use super::core::{Action, ConnId, Core, Failure, Reason, Refusal, WaiterId};
use super::settings::Settings;

const TABLE: &str = include_str!("scenarios.txt");

fn seconds(text: &str) -> Duration {
    Duration::from_secs_f64(text.parse().unwrap())
}

fn limit(text: &str) -> Option<Duration> {
    (text != "none").then(|| seconds(text))
}

fn made(line: &str) -> Core {
    let mut settings = Settings::default();
    let mut random = 0.5;
    for pair in line.strip_prefix("set ").unwrap().split_whitespace() {
        let (name, value) = pair.split_once('=').unwrap();
        match name {
            "min_size" => settings.min_size = value.parse().unwrap(),
            "max_size" => settings.max_size = value.parse().unwrap(),
            "max_waiting" => settings.max_waiting = value.parse().unwrap(),
            "max_lifetime" => settings.max_lifetime = limit(value),
            "lifetime_jitter" => settings.lifetime_jitter = value.parse().unwrap(),
            "max_idle" => settings.max_idle = limit(value),
            "check_after" => settings.check_after = limit(value),
            "sweep_every" => settings.sweep_every = limit(value),
            "leak_after" => settings.leak_after = limit(value),
            "first_backoff" => settings.first_backoff = seconds(value),
            "max_backoff" => settings.max_backoff = seconds(value),
            "slow_open_after" => settings.slow_open_after = seconds(value),
            "random" => random = value.parse().unwrap(),
            _ => panic!("no such setting: {name}"),
        }
    }
    settings.validate().unwrap();
    Core::new(settings, Box::new(move || random))
}

fn formatted(action: &Action) -> String {
    match action {
        Action::Open(conn) => format!("open c{}", conn.0),
        Action::Check { conn, waiter, ask } => {
            format!("check c{} w{} {}", conn.0, waiter.0, if *ask { "ask" } else { "look" })
        }
        Action::Grant { waiter, conn } => format!("grant w{} c{}", waiter.0, conn.0),
        Action::Expire(waiter) => format!("expire w{}", waiter.0),
        Action::Fail { waiter, conn } => format!("fail w{} c{}", waiter.0, conn.0),
        Action::Refuse { waiter, why } => {
            format!(
                "refuse w{} {}",
                waiter.0,
                if *why == Refusal::Full { "full" } else { "closed" }
            )
        }
        Action::Close { conn, reason } => format!("close c{} {}", conn.0, reason.as_str()),
        Action::Look(conn) => format!("look c{}", conn.0),
        Action::Leak { conn, held } => format!("leak c{} {}", conn.0, held.as_secs_f64()),
    }
}

fn figure(core: &Core, name: &str) -> String {
    let counters = core.counters();
    let value = if let Some(reason) = name.strip_prefix("closed.") {
        let reason = Reason::ALL.into_iter().find(|known| known.as_str() == reason).unwrap();
        counters.closed.get(&reason).copied().unwrap_or_default().to_string()
    } else {
        match name {
            "size" => core.size().to_string(),
            "opening" => core.opening().to_string(),
            "idle" => core.idle().to_string(),
            "waiting" => core.waiting().to_string(),
            "stale" => core.stale().to_string(),
            "opened" => counters.opened.to_string(),
            "open_failures" => counters.open_failures.to_string(),
            "checks_failed" => counters.checks_failed.to_string(),
            "checkouts" => counters.checkouts.to_string(),
            "waits" => counters.waits.to_string(),
            "wait_total" => counters.wait_total.as_secs_f64().to_string(),
            "wait_max" => counters.wait_max.as_secs_f64().to_string(),
            "timeouts" => counters.timeouts.to_string(),
            "refused" => counters.refused.to_string(),
            "leaks" => counters.leaks.to_string(),
            _ => panic!("no such figure: {name}"),
        }
    };
    format!("{name}={value}")
}

/// Makes the call of a line, and formats what follows from it.
fn answer(core: &mut Core, now: Duration, call: &str, expected: &str) -> String {
    let words: Vec<&str> = call.split_whitespace().collect();
    let word = |at: usize| words.get(at).copied().unwrap_or_default();
    let number = || word(1).trim_start_matches(['c', 'w']).parse().unwrap();
    let conn = || ConnId(number());
    match word(0) {
        "open" => core.open(now, word(1) == "dormant"),
        "close" => core.close(),
        "drain" => core.drain(now),
        "resize" => core.resize(now, word(1).parse().unwrap(), word(2).parse().unwrap()),
        "acquire" => {
            assert_eq!(core.acquire(now, Some(seconds(word(2)))), WaiterId(number()), "{call}");
        }
        "cancel" => core.cancel(now, WaiterId(number())),
        "opened" => core.opened(now, conn()),
        "failed" => {
            let failure = match word(2) {
                "busy" => Failure::Busy,
                "unreachable" => Failure::Unreachable,
                "final" => Failure::Final,
                other => panic!("no such failure: {other}"),
            };
            core.open_failed(now, conn(), failure);
        }
        "checked" => core.checked(now, conn(), word(2) == "good"),
        "release" => {
            let reason = Reason::ALL.into_iter().find(|known| known.as_str() == word(2));
            core.release(now, conn(), reason);
        }
        "lost" => core.lost(now, conn()),
        "collected" => core.collected(now, conn()),
        "tick" => core.tick(now),
        "due" => {
            return core.due().map_or("never".into(), |due| due.as_secs_f64().to_string());
        }
        "figures" => {
            let names = expected.split_whitespace().map(|pair| pair.split_once('=').unwrap().0);
            return names.map(|name| figure(core, name)).collect::<Vec<_>>().join(" ");
        }
        _ => panic!("no such call: {call}"),
    }
    core.take_actions().iter().map(formatted).collect::<Vec<_>>().join("; ")
}

#[test]
fn every_scenario_of_the_table() {
    let mut core = None;
    let mut scenario = "";
    let mut steps = 0;
    for line in TABLE.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        if let Some(name) = line.strip_prefix("scenario ") {
            scenario = name;
            continue;
        }
        if line.starts_with("set ") {
            core = Some(made(line));
            continue;
        }
        let (call, expected) = line.split_once("=>").unwrap();
        let (now, call) = call.trim().split_once(' ').unwrap();
        let found = answer(core.as_mut().unwrap(), seconds(now), call.trim(), expected.trim());
        assert_eq!(found, expected.trim(), "{scenario}: {line}");
        steps += 1;
    }
    assert!(steps > 150, "{steps}");
}

/// What a driver would know, kept beside the core to find contradictions.
#[derive(Default)]
struct Driver {
    opening: BTreeSet<ConnId>,
    open: BTreeSet<ConnId>,
    held: BTreeSet<ConnId>,
    checking: BTreeMap<ConnId, WaiterId>,
    waiting: BTreeSet<WaiterId>,
    granted: Vec<WaiterId>,
}

impl Driver {
    fn follow(&mut self, core: &mut Core) {
        for action in core.take_actions() {
            match action {
                Action::Open(conn) => assert!(self.opening.insert(conn), "opened once: {conn:?}"),
                Action::Check { conn, waiter, .. } => {
                    assert!(self.open.contains(&conn) && !self.held.contains(&conn));
                    assert!(self.checking.insert(conn, waiter).is_none(), "in check once");
                    assert!(self.waiting.contains(&waiter));
                }
                Action::Grant { waiter, conn } => {
                    self.checking.remove(&conn);
                    assert!(self.open.contains(&conn));
                    assert!(self.held.insert(conn), "checked out by one: {conn:?}");
                    assert!(self.waiting.remove(&waiter), "granted to one who waits");
                    self.granted.push(waiter);
                }
                Action::Expire(waiter)
                | Action::Fail { waiter, .. }
                | Action::Refuse { waiter, .. } => {
                    self.waiting.remove(&waiter);
                }
                Action::Close { conn, .. } => {
                    assert!(self.open.remove(&conn), "closed once: {conn:?}");
                    self.held.remove(&conn);
                    self.checking.remove(&conn);
                }
                Action::Look(conn) => {
                    assert!(self.open.contains(&conn) && !self.held.contains(&conn));
                }
                Action::Leak { conn, .. } => assert!(self.held.contains(&conn)),
            }
        }
        assert_eq!(core.size(), self.open.len());
        assert_eq!(core.opening(), self.opening.len());
        assert_eq!(core.holders().len(), self.held.len());
        assert_eq!(core.idle(), self.open.len() - self.held.len() - self.checking.len());
    }
}

fn pick<T: Copy>(from: &BTreeSet<T>, choice: u8) -> Option<T> {
    from.iter().nth(usize::from(choice) % from.len().max(1)).copied()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Whatever happens in whatever order: no connection is checked out twice, the sizes are kept to, and
    /// nobody waits while a connection is idle.
    #[test]
    fn holds_in_any_order(
        steps in prop::collection::vec((0_u8..14, any::<u8>(), 0_u64..3_000), 1..200),
        sizes in (0_usize..4, 1_usize..5),
        max_waiting in 0_usize..4,
    ) {
        let (min_size, max_size) = (sizes.0.min(sizes.1), sizes.1);
        let mut settings = Settings { min_size, max_size, max_waiting, ..Settings::default() };
        settings.max_lifetime = Some(Duration::from_secs(40));
        settings.max_idle = Some(Duration::from_secs(15));
        settings.leak_after = Some(Duration::from_secs(20));
        settings.check_after = Some(Duration::from_secs(5));
        let mut core = Core::new(settings, Box::new(|| 0.5));
        let mut driver = Driver::default();
        let mut now = Duration::ZERO;
        let mut largest = max_size;
        core.open(now, false);
        driver.follow(&mut core);
        for (what, choice, passes) in steps {
            now += Duration::from_millis(passes);
            match what {
                0..=2 => {
                    let waiter = WaiterId(core.acquire(now, Some(Duration::from_secs(8))).0);
                    driver.waiting.insert(waiter);
                }
                3 | 4 => if let Some(conn) = pick(&driver.opening, choice) {
                    driver.opening.remove(&conn);
                    driver.open.insert(conn);
                    core.opened(now, conn);
                },
                5 => if let Some(conn) = pick(&driver.opening, choice) {
                    driver.opening.remove(&conn);
                    let kinds = [Failure::Busy, Failure::Unreachable, Failure::Final];
                    core.open_failed(now, conn, kinds[usize::from(choice) % 3]);
                },
                6 | 7 => if let Some(conn) = pick(&driver.checking.keys().copied().collect(), choice) {
                    core.checked(now, conn, choice % 3 > 0);
                },
                8 | 9 => if let Some(conn) = pick(&driver.held, choice) {
                    driver.held.remove(&conn);
                    core.release(now, conn, (choice % 5 == 0).then_some(Reason::Broken));
                },
                10 => if let Some(waiter) = pick(&driver.waiting, choice) {
                    driver.waiting.remove(&waiter);
                    driver.checking.retain(|_, checked_for| *checked_for != waiter);
                    core.cancel(now, waiter);
                },
                11 => core.tick(now),
                12 => if choice % 8 == 0 {
                    core.drain(now);
                } else if let Some(conn) = pick(&driver.open, choice) {
                    core.lost(now, conn);
                },
                _ => if choice % 16 == 0 {
                    largest = usize::from(choice) / 16 % 4 + 1;
                    core.resize(now, min_size.min(largest), largest);
                } else if choice % 16 == 1 {
                    core.close();
                    driver.follow(&mut core);
                    core.open(now, false);
                },
            }
            driver.follow(&mut core);
            prop_assert!(core.waiting() == 0 || core.idle() == 0, "somebody waits for what is idle");
            if max_waiting > 0 {
                // A failed check puts one back into the line that had left it.
                prop_assert!(core.waiting() <= max_waiting + largest.max(max_size) + 4);
            }
        }
        // Time brings everything to rest: what is asked for is opened, and nobody waits for ever.
        for _ in 0..100 {
            while let Some(conn) = driver.opening.pop_first() {
                driver.open.insert(conn);
                core.opened(now, conn);
                driver.follow(&mut core);
            }
            while let Some((conn, _)) = driver.checking.first_key_value().map(|(c, w)| (*c, *w)) {
                core.checked(now, conn, true);
                driver.follow(&mut core);
            }
            while let Some(conn) = pick(&driver.held, 0) {
                driver.held.remove(&conn);
                core.release(now, conn, None);
                driver.follow(&mut core);
            }
            now = core.due().map_or(now, |due| due.max(now));
            core.tick(now);
            driver.follow(&mut core);
        }
        prop_assert_eq!(core.waiting(), 0);
        prop_assert!(core.size() + core.opening() >= core.settings().min_size);
        prop_assert_eq!(core.stale(), 0);
        prop_assert!(core.size() + core.opening() <= largest);
    }

    /// Without checks that fail, checkouts are in the order of asking.
    #[test]
    fn checks_out_in_order(steps in prop::collection::vec((0_u8..3, any::<u8>()), 1..100)) {
        let settings = Settings { min_size: 1, max_size: 3, ..Settings::default() };
        let mut core = Core::new(settings, Box::new(|| 0.5));
        let mut driver = Driver::default();
        core.open(Duration::ZERO, false);
        driver.follow(&mut core);
        for (what, choice) in steps {
            match what {
                0 => {
                    driver.waiting.insert(WaiterId(driver.granted.len() as u64 + driver.waiting.len() as u64 + 1));
                    core.acquire(Duration::ZERO, None);
                }
                1 => if let Some(conn) = pick(&driver.opening, choice) {
                    driver.opening.remove(&conn);
                    driver.open.insert(conn);
                    core.opened(Duration::ZERO, conn);
                },
                _ => if let Some(conn) = pick(&driver.held, choice) {
                    driver.held.remove(&conn);
                    core.release(Duration::ZERO, conn, None);
                },
            }
            driver.follow(&mut core);
            while let Some(conn) = driver.checking.keys().next().copied() {
                core.checked(Duration::ZERO, conn, true);
                driver.follow(&mut core);
            }
        }
        let mut sorted = driver.granted.clone();
        sorted.sort_unstable();
        prop_assert_eq!(&driver.granted, &sorted);
    }
}

#[test]
fn what_it_is_not_told_of_changes_nothing() {
    let mut core = Core::new(Settings::default(), Box::new(|| 0.5));
    core.open(Duration::ZERO, false);
    let _ = core.take_actions();
    let unknown = ConnId(99);
    core.opened(Duration::ZERO, unknown);
    core.open_failed(Duration::ZERO, unknown, Failure::Final);
    core.checked(Duration::ZERO, unknown, true);
    core.release(Duration::ZERO, ConnId(1), None);
    core.lost(Duration::ZERO, unknown);
    core.collected(Duration::ZERO, unknown);
    core.cancel(Duration::ZERO, WaiterId(99));
    assert!(core.take_actions().is_empty());
    assert_eq!(core.counters().closed, BTreeMap::new());
    assert_eq!(core.opening(), 4);
}
