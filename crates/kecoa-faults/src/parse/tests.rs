//! Plans that are read, and what is said of those that are not.

use super::*;
use proptest::prelude::*;

fn plan(text: &str) -> Plan {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn the_example_is_read_and_printed() {
    let text = "drop:0.01, delay:5ms@0.1,split , stall:client@1234, error:40001@commit:0.2, \
                error:57P01@\"UPDATE \"\"a\"\" :,@\":5%, stall:forever@server, reset:1";
    let read = plan(text);
    assert_eq!(
        read.to_string(),
        "drop:0.01, delay:5ms:0.1, split, stall@client@1234, error:40001@commit:0.2, \
         error:57P01@\"UPDATE \"\"a\"\" :,@\":0.05, stall@server, reset"
    );
    assert_eq!(plan(&read.to_string()), read);
    assert_eq!(read.faults().len(), 8);
    assert_eq!(read.faults()[3].location, Location::Byte(Direction::Client, 1234));
    assert_eq!(read.faults()[0].probability.millionths(), 10_000);
}

#[test]
fn errors_say_what_was_expected_and_found() {
    for (text, complaint) in [
        (
            "",
            "fault 1 at byte 0: expected drop, reset, truncate, split, delay, stall or error, found nothing",
        ),
        (
            "explode",
            "expected drop, reset, truncate, split, delay, stall or error, found \"explode\"",
        ),
        (
            "drop, ",
            "fault 2 at byte 6: expected drop, reset, truncate, split, delay, stall or error, found the end",
        ),
        ("drop drop", "fault 1 at byte 5: expected `,`, `:`, `@` or the end, found \"drop\""),
        ("delay", "expected a duration for the delay (delay:5ms), found the end"),
        ("delay:5h", "expected a duration up to an hour (500us, 5ms, 2s), a probability"),
        ("delay:3601s", "expected a duration up to an hour"),
        ("drop:5ms", "expected a probability (0.1, 10%), client"),
        ("drop:1.5", "expected a probability"),
        ("drop:0.0000001", "expected a probability"),
        ("drop:101%", "expected a probability"),
        ("drop:0.1:0.2", "fault 1 at byte 9: expected each kind of part once, found \"0.2\""),
        ("drop@12", "expected a direction with the position: client or server"),
        ("drop@client@12@#3", "expected either a byte or a message"),
        ("drop@client@#0", "expected a probability"),
        ("drop@commit@client", "expected either a place or a direction with its position"),
        (
            "truncate@client@12",
            "expected a message (@#3): only drop, reset, delay and stall take a byte",
        ),
        ("error", "expected an SQLSTATE (error:40001), found the end"),
        (
            "error:4000",
            "expected an SQLSTATE of five digits and capital letters, no success, found \"4000\"",
        ),
        ("error:00000", "expected an SQLSTATE"),
        ("error:40001", "expected where the error comes: @startup"),
        ("error:40001@server", "expected where the error comes"),
        ("error:40001@after-commit", "expected an error after COMMIT that leaves its outcome open"),
        ("error:40001@\"COMMIT", "expected text and a closing `\"`, found \"COMMIT\""),
        ("error:40001@\" \"", "expected some text of a statement between the quotes"),
        ("drop:times=0", "expected a probability"),
    ] {
        let error = text.parse::<Plan>().unwrap_err().to_string();
        assert!(error.contains(complaint), "{text}: {error}");
    }
    assert!("drop,".repeat(65).parse::<Plan>().is_err());
    assert!(" ".repeat(TEXT_LIMIT + 1).parse::<Plan>().is_err());
}

#[test]
fn the_plans_of_the_documents_are_read() {
    for text in [
        include_str!("../../../../docs/en/reference/fault-injection.md"),
        include_str!("../../../../docs/id/reference/fault-injection.md"),
    ] {
        let blocks = text.split("```text\n").skip(1);
        let plans: Vec<&str> = blocks
            .map(|block| block.split("```").next().unwrap())
            .filter(|block| !block.starts_with('#'))
            .flat_map(str::lines)
            .collect();
        assert!(plans.len() > 5);
        plans.into_iter().for_each(|text| drop(plan(text)));
    }
}

fn any_time() -> impl Strategy<Value = Duration> {
    (0_u64..3_600_000_000).prop_map(Duration::from_micros)
}

fn any_fault() -> impl Strategy<Value = Fault> {
    let direction = prop_oneof![Just(Direction::Client), Just(Direction::Server)];
    let kind = prop_oneof![
        Just(Kind::Drop),
        Just(Kind::Reset),
        Just(Kind::Truncate),
        Just(Kind::Split),
        any_time().prop_map(Kind::Delay),
        Just(Kind::Stall(None)),
        any_time().prop_map(|time| Kind::Stall(Some(time))),
        "[3-9A-Z][0-9A-Z]{4}".prop_map(|code| Kind::Error(code_of(&code))),
    ];
    let location = prop_oneof![
        Just(Location::Messages(None)),
        direction.clone().prop_map(|d| Location::Messages(Some(d))),
        (direction.clone(), 1_u64..).prop_map(|(d, n)| Location::Message(d, n)),
        (direction, any::<u64>()).prop_map(|(d, n)| Location::Byte(d, n)),
        Just(Location::Startup),
        Just(Location::Statement),
        "[ -~é\"]*x[ -~é\"]*".prop_map(Location::Text),
        Just(Location::Commit),
        Just(Location::AfterCommit),
    ];
    let probability = (0_u32..=1_000_000).prop_map(Probability);
    let times = proptest::option::of(1_u32..);
    let connection = proptest::option::of(1_u64..);
    (kind, location, probability, times, connection).prop_filter_map(
        "not every kind has every place",
        |(kind, location, probability, times, connection)| {
            let fits = match (&kind, &location) {
                (
                    Kind::Error(_),
                    Location::Messages(_) | Location::Message(..) | Location::Byte(..),
                ) => false,
                (Kind::Error(code), Location::AfterCommit) => code.class() != "40",
                (Kind::Truncate | Kind::Split, Location::Byte(..)) => false,
                _ => true,
            };
            fits.then_some(Fault { kind, location, probability, times, connection })
        },
    )
}

fn code_of(text: &str) -> SqlState {
    SqlState::from_bytes(text.as_bytes()).unwrap()
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back(faults in proptest::collection::vec(any_fault(), 1..8)) {
        let plan = Plan { faults };
        prop_assert_eq!(plan.to_string().parse::<Plan>(), Ok(plan));
    }

    #[test]
    fn no_text_trips_the_reader(text in "[a-z0-9:@,.%#\"= é-]{0,60}") {
        if let Ok(plan) = text.parse::<Plan>() {
            prop_assert_eq!(plan.to_string().parse::<Plan>(), Ok(plan));
        }
    }
}
