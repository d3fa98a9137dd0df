//! `$out` and `$merge` that are refused.

use crate::support::*;

const REFUSED: &[(&str, i32)] = &[
    ("[{$out: 1}]", 16990),
    ("[{$out: {}}]", 40414),
    ("[{$out: {db: 'a'}}]", 40414),
    ("[{$out: {db: 'a', coll: 1}}]", 14),
    ("[{$out: {db: 'a', coll: 'b', x: 1}}]", 40415),
    ("[{$out: 'x'}, {$match: {}}]", 40601),
    ("[{$merge: 'x'}, {$match: {}}]", 40601),
    ("[{$out: 'a'}, {$out: 'b'}]", 40601),
    ("[{$out: ''}]", 73),
    ("[{$out: 'system.x'}]", 17385),
    ("[{$out: {db: 'admin', coll: 'x'}}]", 31321),
    ("[{$merge: 1}]", 14),
    ("[{$merge: null}]", 14),
    ("[{$merge: []}]", 14),
    ("[{$merge: {}}]", 40414),
    ("[{$merge: {into: 1}}]", 51178),
    ("[{$merge: {into: 'x', on: 1}}]", 51186),
    ("[{$merge: {into: 'x', on: []}}]", 51187),
    ("[{$merge: {into: 'x', on: [1]}}]", 51134),
    ("[{$merge: {into: 'x', on: ['a', 'a']}}]", 31465),
    ("[{$merge: {into: 'x', whenMatched: 1}}]", 51191),
    ("[{$merge: {into: 'x', whenMatched: 'x'}}]", 2),
    ("[{$merge: {into: 'x', whenNotMatched: 'x'}}]", 2),
    ("[{$merge: {into: 'x', whenNotMatched: 1}}]", 14),
    ("[{$merge: {into: 'x', let: {a: 1}}}]", 51199),
    ("[{$merge: {into: 'x', whenMatched: 'fail', whenNotMatched: 'discard'}}]", 51181),
    ("[{$merge: {into: 'x', whenMatched: [{$match: {}}]}}]", 72),
    ("[{$merge: {into: 'x', y: 1}}]", 40415),
    ("[{$merge: ''}]", 73),
    ("[{$merge: 'system.x'}]", 31319),
    ("[{$merge: {into: {db: 'admin', coll: 'x'}}}]", 31320),
    ("[{$merge: {into: {db: 'config', coll: 'x'}}}]", 31320),
    ("[{$merge: {into: {db: 'a'}}}]", 40414),
    ("[{$merge: {into: {coll: 1}}}]", 14),
    ("[{$merge: {into: {coll: 'x', y: 1}}}]", 40415),
    ("[{$merge: {into: 'x', on: {a: 1}}}]", 51186),
    ("[{$merge: {into: 'x', on: [['a']]}}]", 51134),
    ("[{$merge: {into: 'x', on: [null]}}]", 51134),
    ("[{$merge: {into: 'x', let: 1, whenMatched: []}}]", 14),
    ("[{$merge: {into: 'x', let: {new: 1}, whenMatched: []}}]", 51273),
    ("[{$merge: {into: 'x', let: {new: '$x'}, whenMatched: []}}]", 51273),
    ("[{$merge: {into: 'x', let: {A: 1}, whenMatched: []}}]", 9),
    ("[{$merge: {into: 'x', whenMatched: 'keepExisting', whenNotMatched: 'discard'}}]", 51181),
    ("[{$merge: {into: 'x', whenMatched: 'keepExisting', whenNotMatched: 'fail'}}]", 51181),
    ("[{$merge: {into: 'x', whenMatched: 'fail', whenNotMatched: 'fail'}}]", 51181),
    ("[{$merge: {into: 'x', let: {a: 1}, whenMatched: 'fail', whenNotMatched: 'fail'}}]", 51181),
    ("[{$merge: {into: 'x', whenMatched: [{$group: {_id: 1}}]}}]", 72),
    ("[{$merge: {into: 'x', whenMatched: [{$nothing: 1}]}}]", 40324),
];

#[test]
fn writes_are_refused() {
    for (pipeline, number) in REFUSED {
        match parse(pipeline) {
            Ok(_) => panic!("{pipeline} was accepted"),
            Err(error) => assert_eq!(error.code().number(), *number, "{pipeline}: {error}"),
        }
    }
}
