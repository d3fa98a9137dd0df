//! The clock never goes back.

use bson::Timestamp;
use kecoa_mongo::session::ClusterClock;

fn at(time: u32, increment: u32) -> Timestamp {
    Timestamp { time, increment }
}

#[test]
fn writes_move_it_on_and_reads_do_not() {
    let clock = ClusterClock::default();
    assert_eq!(clock.tick(100), at(100, 1));
    assert_eq!(clock.tick(100), at(100, 2));
    assert_eq!(clock.read(100), at(100, 2));
    assert_eq!(clock.read(101), at(101, 1));
    assert_eq!(clock.tick(99), at(101, 2));
    assert_eq!(clock.read(5), at(101, 2));
}

#[test]
fn a_time_from_elsewhere_moves_it_forward_only() {
    let clock = ClusterClock::default();
    clock.advance(at(200, 7));
    assert_eq!(clock.tick(100), at(200, 8));
    clock.advance(at(150, 900));
    assert_eq!(clock.read(100), at(200, 8));
    clock.advance(at(200, u32::MAX));
    assert_eq!(clock.tick(100), at(201, 1));
}
