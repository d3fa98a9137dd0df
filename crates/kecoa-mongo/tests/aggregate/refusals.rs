//! Pipelines that are refused, and the numbers of their errors.

use crate::support::*;

const REFUSED: &[(&str, i32)] = &[
    ("[1]", 14),
    ("['x']", 14),
    ("[null]", 14),
    ("[[]]", 14),
    ("[{}]", 40323),
    ("[{$match: {}, $limit: 1}]", 40323),
    ("[{$nothing: 1}]", 40324),
    ("[{match: {}}]", 40324),
    ("[{'': {}}]", 40324),
    ("[{$Match: {}}]", 40324),
    // $limit, $skip
    ("[{$limit: 0}]", 15958),
    ("[{$limit: -1}]", 5107201),
    ("[{$limit: 'x'}]", 5107201),
    ("[{$limit: 1.5}]", 5107201),
    ("[{$limit: null}]", 5107201),
    ("[{$limit: true}]", 5107201),
    ("[{$limit: NaN}]", 5107201),
    ("[{$limit: {}}]", 5107201),
    ("[{$limit: 1e300}]", 5107201),
    ("[{$skip: -1}]", 5107200),
    ("[{$skip: 'x'}]", 5107200),
    ("[{$skip: 1.5}]", 5107200),
    ("[{$skip: null}]", 5107200),
    ("[{$skip: []}]", 5107200),
    ("[{$skip: Infinity}]", 5107200),
    // $match
    ("[{$match: 1}]", 15959),
    ("[{$match: 'x'}]", 15959),
    ("[{$match: null}]", 15959),
    ("[{$match: []}]", 15959),
    ("[{$match: {$nothing: 1}}]", 2),
    ("[{$match: {a: {$nothing: 1}}}]", 2),
    // $project and so on
    ("[{$project: 1}]", 15969),
    ("[{$project: 'x'}]", 15969),
    ("[{$project: []}]", 15969),
    ("[{$project: {}}]", 51272),
    ("[{$project: {a: 1, b: 0}}]", 31254),
    ("[{$project: {a: {}}}]", 51270),
    ("[{$project: {a: {$nothing: 1}}}]", 31325),
    ("[{$addFields: 1}]", 40272),
    ("[{$set: 'x'}]", 40272),
    ("[{$addFields: []}]", 40272),
    ("[{$set: {}}]", 40177),
    ("[{$set: {$a: 1}}]", 16410),
    ("[{$set: {a: {}}}]", 40180),
    ("[{$unset: 1}]", 31002),
    ("[{$unset: {}}]", 31002),
    ("[{$unset: []}]", 31119),
    ("[{$unset: [1]}]", 31120),
    ("[{$unset: ''}]", 40352),
    ("[{$unset: '$a'}]", 16410),
    ("[{$unset: 'a.'}]", 40353),
    ("[{$unset: ['a', 'a']}]", 31250),
    ("[{$unset: ['a', 'a.b']}]", 31249),
    ("[{$unset: ['a.b', 'a']}]", 31250),
    // $sort
    ("[{$sort: 1}]", 15973),
    ("[{$sort: 'a'}]", 15973),
    ("[{$sort: []}]", 15973),
    ("[{$sort: {}}]", 15976),
    ("[{$sort: {a: 2}}]", 15975),
    ("[{$sort: {a: 0}}]", 15975),
    ("[{$sort: {a: 'x'}}]", 15974),
    ("[{$sort: {a: null}}]", 15974),
    ("[{$sort: {a: 1, a: 1}}]", 7472500),
    ("[{$sort: {'': 1}}]", 40352),
    ("[{$sort: {$a: 1}}]", 16410),
    ("[{$sort: {'a.': 1}}]", 40353),
    // $count
    ("[{$count: 1}]", 40156),
    ("[{$count: null}]", 40156),
    ("[{$count: ''}]", 40157),
    ("[{$count: '$a'}]", 40158),
    ("[{$count: 'a.b'}]", 40160),
    ("[{$count: '_id'}]", 9039800),
    ("[{$count: 'a\\0b'}]", 40159),
    // $group
    ("[{$group: 1}]", 15947),
    ("[{$group: []}]", 15947),
    ("[{$group: {}}]", 15955),
    ("[{$group: {a: {$sum: 1}}}]", 15955),
    ("[{$group: {_id: 1, _id: 2}}]", 15948),
    ("[{$group: {_id: 1, a: 1}}]", 40234),
    ("[{$group: {_id: 1, a: {}}}]", 40234),
    ("[{$group: {_id: 1, a: 'x'}}]", 40234),
    ("[{$group: {_id: 1, a: {b: 1}}}]", 40234),
    ("[{$group: {_id: 1, a: {$sum: 1, $avg: 1}}}]", 40238),
    ("[{$group: {_id: 1, 'a.b': {$sum: 1}}}]", 40235),
    ("[{$group: {_id: 1, $a: {$sum: 1}}}]", 40236),
    ("[{$group: {_id: 1, a: {$nothing: 1}}}]", 15952),
    ("[{$group: {_id: 1, a: {$sum: [1, 2]}}}]", 40237),
    ("[{$group: {_id: 1, a: {$avg: []}}}]", 40237),
    ("[{$group: {_id: 1, a: {$min: [1, 2]}}}]", 40237),
    ("[{$group: {_id: 1, a: {$push: [1, 2]}}}]", 40237),
    ("[{$group: {_id: 1, a: {$first: [1, 2]}}}]", 40237),
    ("[{$group: {_id: 1, a: {$mergeObjects: []}}}]", 40237),
    ("[{$group: {_id: 1, a: {$stdDevPop: [1, 2]}}}]", 40237),
    ("[{$group: {_id: 1, a: {$addToSet: [1, 2]}}}]", 40237),
    ("[{$group: {_id: {$nothing: 1}}}]", 168),
    ("[{$group: {_id: 1, a: {$sum: {$nothing: 1}}}}]", 168),
    ("[{$group: {_id: '$'}}]", 16872),
    ("[{$group: {_id: '$$nothing'}}]", 17276),
    ("[{$group: {_id: 1, a: {$count: 1}}}]", 14),
    ("[{$group: {_id: 1, a: {$count: {a: 1}}}}]", 14),
    ("[{$group: {_id: {a: 1}}}]", 17390),
    ("[{$group: {_id: {a: '$x', b: true}}}]", 17390),
    ("[{$group: {_id: {a: 0.5}}}]", 17390),
    ("[{$group: {_id: 1, 'a.b': 1}}]", 40234),
    ("[{$group: {_id: 1, $a: 1}}]", 40234),
    ("[{$group: {_id: 1, a: {$sum: ['$v']}}}]", 40237),
    ("[{$group: {_id: 1, a: {$push: []}}}]", 40237),
    ("[{$group: {_id: 1, a: {$count: []}}}]", 40237),
    ("[{$group: {_id: 1, a: {$median: []}}}]", 40237),
    ("[{$group: {_id: 1, a: {$nothing: []}}}]", 40237),
    // $firstN and so on
    ("[{$group: {_id: 1, a: {$firstN: 1}}}]", 5787801),
    ("[{$group: {_id: 1, a: {$minN: []}}}]", 40237),
    ("[{$group: {_id: 1, a: {$minN: 1}}}]", 5787900),
    ("[{$group: {_id: 1, a: {$maxN: 'x'}}}]", 5787900),
    ("[{$group: {_id: 1, a: {$lastN: null}}}]", 5787801),
    ("[{$group: {_id: 1, a: {$firstN: {n: 1}}}}]", 5787907),
    ("[{$group: {_id: 1, a: {$lastN: {input: 1}}}}]", 5787906),
    ("[{$group: {_id: 1, a: {$firstN: {n: 1, input: 1, x: 1}}}}]", 5787901),
    // $top and so on
    ("[{$group: {_id: 1, a: {$top: 1}}}]", 5788001),
    ("[{$group: {_id: 1, a: {$top: {output: 1}}}}]", 5788005),
    ("[{$group: {_id: 1, a: {$top: {sortBy: {a: 1}}}}}]", 5788004),
    ("[{$group: {_id: 1, a: {$topN: {sortBy: {a: 1}, output: 1}}}}]", 5788003),
    ("[{$group: {_id: 1, a: {$top: {n: 1, sortBy: {a: 1}, output: 1}}}}]", 5788002),
    ("[{$group: {_id: 1, a: {$topN: {n: 1, sortBy: {a: 1}, output: 1, x: 1}}}}]", 5788002),
    ("[{$group: {_id: 1, a: {$topN: {n: 1, sortBy: 1, output: 1}}}}]", 10065),
    ("[{$group: {_id: 1, a: {$bottom: {sortBy: {a: 2}, output: 1}}}}]", 15975),
    ("[{$group: {_id: 1, a: {$bottom: {sortBy: {a: 'x'}, output: 1}}}}]", 15974),
    ("[{$group: {_id: 1, a: {$bottom: {sortBy: null, output: 1}}}}]", 10065),
    ("[{$group: {_id: 1, a: {$bottomN: {n: 1, sortBy: {a: 2}}}}}]", 5788004),
    ("[{$group: {_id: 1, a: {$topN: {n: {$nothing: 1}, sortBy: {a: 1}, output: 1}}}}]", 168),
    // $percentile
    ("[{$group: {_id: 1, a: {$median: 1}}}]", 7436100),
    ("[{$group: {_id: 1, a: {$percentile: 1}}}]", 7429703),
    ("[{$group: {_id: 1, a: {$median: {input: 1}}}}]", 40414),
    ("[{$group: {_id: 1, a: {$median: {method: 'approximate'}}}}]", 40414),
    ("[{$group: {_id: 1, a: {$median: {input: 1, method: 'x'}}}}]", 2),
    ("[{$group: {_id: 1, a: {$median: {input: 1, method: 1}}}}]", 14),
    ("[{$group: {_id: 1, a: {$median: {input: 1, p: [1], method: 'approximate'}}}}]", 40415),
    ("[{$group: {_id: 1, a: {$percentile: {input: 1, method: 'approximate'}}}}]", 40414),
    ("[{$group: {_id: 1, a: {$percentile: {input: 1, p: [], method: 'approximate'}}}}]", 7750301),
    ("[{$group: {_id: 1, a: {$percentile: {input: 1, p: 1, method: 'approximate'}}}}]", 7750301),
    (
        "[{$group: {_id: 1, a: {$percentile: {input: 1, p: ['x'], method: 'approximate'}}}}]",
        7750302,
    ),
    ("[{$group: {_id: 1, a: {$percentile: {input: 1, p: [2], method: 'approximate'}}}}]", 7750303),
    ("[{$group: {_id: 1, a: {$percentile: {input: 1, p: [-1], method: 'approximate'}}}}]", 7750303),
    ("[{$group: {_id: 1, a: {$percentile: {input: 1, p: '$x', method: 'approximate'}}}}]", 7750300),
    // $sortByCount
    ("[{$sortByCount: 1}]", 40149),
    ("[{$sortByCount: null}]", 40149),
    ("[{$sortByCount: 'a'}]", 40148),
    ("[{$sortByCount: {}}]", 40147),
    ("[{$sortByCount: {a: 1}}]", 40147),
    ("[{$sortByCount: {$nothing: 1}}]", 168),
    // $unwind
    ("[{$unwind: 1}]", 15981),
    ("[{$unwind: null}]", 15981),
    ("[{$unwind: []}]", 15981),
    ("[{$unwind: ''}]", 28812),
    ("[{$unwind: {}}]", 28812),
    ("[{$unwind: {path: 1}}]", 28808),
    ("[{$unwind: {path: ''}}]", 28812),
    ("[{$unwind: 'a'}]", 28818),
    ("[{$unwind: {path: 'a'}}]", 28818),
    ("[{$unwind: {path: '$a', preserveNullAndEmptyArrays: 1}}]", 28809),
    ("[{$unwind: {path: '$a', includeArrayIndex: 1}}]", 28810),
    ("[{$unwind: {path: '$a', includeArrayIndex: ''}}]", 28810),
    ("[{$unwind: {path: '$a', includeArrayIndex: '$i'}}]", 28822),
    ("[{$unwind: {path: '$a', x: 1}}]", 28811),
    ("[{$unwind: '$'}]", 40352),
    ("[{$unwind: '$a.'}]", 40353),
    ("[{$unwind: '$a..b'}]", 15998),
    ("[{$unwind: '$$a'}]", 16410),
    // $sample
    ("[{$sample: 1}]", 28745),
    ("[{$sample: {}}]", 28749),
    ("[{$sample: {size: 'x'}}]", 28746),
    ("[{$sample: {size: -1}}]", 28747),
    ("[{$sample: {size: 0}}]", 28747),
    ("[{$sample: {size: 1, x: 1}}]", 28748),
    // $replaceRoot
    ("[{$replaceRoot: 1}]", 40229),
    ("[{$replaceRoot: 'x'}]", 40229),
    ("[{$replaceRoot: {}}]", 40414),
    ("[{$replaceRoot: {newRoot: '$a', x: 1}}]", 40415),
    ("[{$replaceRoot: {x: 1}}]", 40415),
    ("[{$replaceWith: {$nothing: 1}}]", 168),
    // $facet
    ("[{$facet: 1}]", 40169),
    ("[{$facet: {}}]", 40169),
    ("[{$facet: []}]", 40169),
    ("[{$facet: {a: 1}}]", 40170),
    ("[{$facet: {a: {}}}]", 40170),
    ("[{$facet: {a: [1]}}]", 40171),
    ("[{$facet: {'a.b': []}}]", 16412),
    ("[{$facet: {$a: []}}]", 16410),
    ("[{$facet: {a: [{$facet: {b: []}}]}}]", 40600),
    ("[{$facet: {a: [{$out: 'x'}]}}]", 40600),
    ("[{$facet: {a: [{$merge: 'x'}]}}]", 40600),
    ("[{$facet: {a: [{$collStats: {}}]}}]", 40600),
    ("[{$facet: {a: [{$indexStats: {}}]}}]", 40600),
    ("[{$facet: {a: [{$nothing: 1}]}}]", 40324),
    ("[{$facet: {a: [{}]}}]", 40323),
    // $bucket
    ("[{$bucket: 1}]", 40201),
    ("[{$bucket: {}}]", 40198),
    ("[{$bucket: {groupBy: '$a'}}]", 40198),
    ("[{$bucket: {boundaries: [1, 2]}}]", 40198),
    ("[{$bucket: {groupBy: 1, boundaries: [1, 2]}}]", 40202),
    ("[{$bucket: {groupBy: 'a', boundaries: [1, 2]}}]", 40202),
    ("[{$bucket: {groupBy: {a: 1}, boundaries: [1, 2]}}]", 40202),
    ("[{$bucket: {groupBy: '$a', boundaries: 1}}]", 40200),
    ("[{$bucket: {groupBy: '$a', boundaries: []}}]", 40192),
    ("[{$bucket: {groupBy: '$a', boundaries: [1]}}]", 40192),
    ("[{$bucket: {groupBy: '$a', boundaries: ['$x', 1]}}]", 40191),
    ("[{$bucket: {groupBy: '$a', boundaries: [1, 'x']}}]", 40193),
    ("[{$bucket: {groupBy: '$a', boundaries: [2, 1]}}]", 40194),
    ("[{$bucket: {groupBy: '$a', boundaries: [1, 1]}}]", 40194),
    ("[{$bucket: {groupBy: '$a', boundaries: [1, 2], default: '$x'}}]", 40195),
    ("[{$bucket: {groupBy: '$a', boundaries: [1, 3], default: 2}}]", 40199),
    ("[{$bucket: {groupBy: '$a', boundaries: [1, 3], default: 1}}]", 40199),
    ("[{$bucket: {groupBy: '$a', boundaries: [1, 2], output: 1}}]", 40196),
    ("[{$bucket: {groupBy: '$a', boundaries: [1, 2], x: 1}}]", 40197),
    // $bucketAuto
    ("[{$bucketAuto: 1}]", 40240),
    ("[{$bucketAuto: {}}]", 40246),
    ("[{$bucketAuto: {groupBy: '$a'}}]", 40246),
    ("[{$bucketAuto: {groupBy: 1, buckets: 1}}]", 40239),
    ("[{$bucketAuto: {groupBy: '$a', buckets: 'x'}}]", 40241),
    ("[{$bucketAuto: {groupBy: '$a', buckets: 1.5}}]", 40242),
    ("[{$bucketAuto: {groupBy: '$a', buckets: 9999999999L}}]", 40242),
    ("[{$bucketAuto: {groupBy: '$a', buckets: 0}}]", 40243),
    ("[{$bucketAuto: {groupBy: '$a', buckets: -1}}]", 40243),
    ("[{$bucketAuto: {groupBy: '$a', buckets: 1, output: 1}}]", 40244),
    ("[{$bucketAuto: {groupBy: '$a', buckets: 1, x: 1}}]", 40245),
    ("[{$bucketAuto: {groupBy: '$a', buckets: 1, granularity: 1}}]", 40261),
    ("[{$bucketAuto: {groupBy: '$a', buckets: 1, granularity: 'x'}}]", 40257),
    ("[{$bucketAuto: {groupBy: '$', buckets: 1}}]", 40239),
    ("[{$bucketAuto: {groupBy: {}, buckets: 1}}]", 40239),
    ("[{$bucketAuto: {buckets: 0}}]", 40246),
    (
        "[{$bucketAuto: {groupBy: '$a', buckets: 1, output: {r: {$firstN: {n: '$a', input: 1}}}}}]",
        4544714,
    ),
    // $lookup
    ("[{$lookup: 1}]", 9),
    ("[{$lookup: {}}]", 9),
    ("[{$lookup: {from: 1, localField: 'a', foreignField: 'b', as: 'c'}}]", 9),
    ("[{$lookup: {from: 'x', localField: 'a', foreignField: 'b'}}]", 9),
    ("[{$lookup: {from: 'x', localField: 'a', as: 'c'}}]", 9),
    ("[{$lookup: {from: 'x', as: 'c'}}]", 9),
    ("[{$lookup: {localField: 'a', foreignField: 'b', as: 'c'}}]", 9),
    ("[{$lookup: {from: 'x', localField: 'a', foreignField: 'b', as: 'c', x: 1}}]", 9),
    ("[{$lookup: {from: 'x', pipeline: 1, as: 'c'}}]", 14),
    ("[{$lookup: {from: 'x', let: 1, pipeline: [], as: 'c'}}]", 9),
    ("[{$lookup: {from: 'x', pipeline: [{$out: 'y'}], as: 'c'}}]", 51047),
    ("[{$lookup: {from: 'x', pipeline: [{$merge: 'y'}], as: 'c'}}]", 51047),
    ("[{$lookup: {from: 'x', localField: 'a', foreignField: 'b', as: '$c'}}]", 16410),
    ("[{$lookup: {from: 'x', localField: '$a', foreignField: 'b', as: 'c'}}]", 16410),
    ("[{$lookup: {from: '', pipeline: [], as: 'c'}}]", 73),
    ("[{$lookup: {from: 'x', let: {A: 1}, pipeline: [], as: 'c'}}]", 9),
    // $unionWith, $graphLookup
    ("[{$unionWith: 1}]", 9),
    ("[{$unionWith: {coll: 1}}]", 14),
    ("[{$unionWith: {coll: 'x', y: 1}}]", 40415),
    ("[{$unionWith: {}}]", 9),
    ("[{$unionWith: {coll: 'x', pipeline: [{$out: 'y'}]}}]", 31441),
    ("[{$graphLookup: 1}]", 9),
    ("[{$graphLookup: {}}]", 9),
    ("[{$graphLookup: {from: 1}}]", 9),
    ("[{$graphLookup: {from: null}}]", 9),
    ("[{$graphLookup: {from: ''}}]", 73),
    ("[{$graphLookup: {as: 1, from: 1}}]", 9),
    ("[{$graphLookup: {from: 'x'}}]", 40105),
    ("[{$graphLookup: {from: 'x', as: 1}}]", 40103),
    ("[{$graphLookup: {from: 'x', connectFromField: 1}}]", 40103),
    ("[{$graphLookup: {from: 'x', connectToField: null}}]", 40103),
    ("[{$graphLookup: {from: 'x', depthField: 1}}]", 40103),
    ("[{$graphLookup: {from: 'x', depthField: '$d'}}]", 16410),
    ("[{$graphLookup: {from: 'x', x: 1}}]", 40104),
    ("[{$graphLookup: {from: 'x', maxDepth: 'x'}}]", 40100),
    ("[{$graphLookup: {from: 'x', maxDepth: -1}}]", 40101),
    ("[{$graphLookup: {from: 'x', maxDepth: 1.5}}]", 40102),
    ("[{$graphLookup: {from: 'x', restrictSearchWithMatch: 1}}]", 40185),
    (
        "[{$graphLookup: {from: 'x', startWith: 1, connectFromField: 'a', connectToField: 'b'}}]",
        40105,
    ),
    (
        "[{$graphLookup: {from: 'x', startWith: 1, connectFromField: '$a', connectToField: 'b', as: 'c'}}]",
        16410,
    ),
    (
        "[{$graphLookup: {from: 'x', startWith: 1, connectFromField: 'a', connectToField: 'b', as: '$c'}}]",
        16410,
    ),
    // What is wrong first
    ("[{$limit: 'x'}, {$nothing: 1}]", 40324),
    ("[{$limit: 'x'}, {}]", 40323),
    ("[{$nothing: 1}, 5]", 14),
    ("[{$match: {}}, {$collStats: {}}, {$limit: 'x'}]", 5107201),
    ("[{$match: {}}, {$documents: []}]", 40602),
    ("[{$facet: {a: [{$facet: {b: []}}, {$limit: 0}]}}]", 15958),
    ("[{$facet: {a: [{$lookup: {from: 'x', as: 'r', pipeline: [{$facet: {a: []}}]}}]}}]", 40600),
    ("[{$facet: {a: [{$unionWith: {coll: 'x', pipeline: [{$collStats: {}}]}}]}}]", 40600),
    ("[{$facet: {a: [{$geoNear: {}}]}}]", 238),
    // Positions
    ("[{$match: {}}, {$collStats: {}}]", 40602),
    ("[{$match: {}}, {$indexStats: {}}]", 40602),
    ("[{$match: {}}, {$currentOp: {}}]", 40602),
    ("[{$match: {}}, {$listSessions: {}}]", 40602),
    ("[{$match: {}}, {$listLocalSessions: {}}]", 40602),
    ("[{$match: {}}, {$changeStream: {}}]", 40602),
    ("[{$match: {}}, {$documents: []}]", 40602),
    // Sources
    ("[{$collStats: 1}]", 5447000),
    ("[{$collStats: {x: 1}}]", 40415),
    ("[{$collStats: {count: 1}}]", 14),
    ("[{$indexStats: 1}]", 28803),
    ("[{$indexStats: {a: 1}}]", 28803),
    ("[{$currentOp: 1}]", 9),
    ("[{$currentOp: {x: 1}}]", 9),
    ("[{$currentOp: {allUsers: 1}}]", 9),
    ("[{$listSessions: 1}]", 14),
    ("[{$listLocalSessions: {x: 1}}]", 40415),
    ("[{$listSessions: {allUsers: 1}}]", 14),
    ("[{$listSessions: {users: 1}}]", 14),
    ("[{$changeStream: 1}]", 50808),
    ("[{$documents: []}]", 73),
    ("[{$documents: 1}]", 5858203),
    ("[{$documents: {a: 1}}]", 5858203),
    ("[{$documents: [1]}]", 40228),
];

/// A pipeline, documents, the number of the error with which it fails while it runs.
const FAILS: &[(&str, &str, i32)] = &[
    ("[{$replaceRoot: {newRoot: '$a'}}]", "[{a: 1}]", 40228),
    ("[{$replaceRoot: {newRoot: '$a'}}]", "[{}]", 40228),
    ("[{$replaceRoot: {newRoot: '$a'}}]", "[{a: null}]", 40228),
    ("[{$replaceWith: '$a'}]", "[{a: []}]", 40228),
    ("[{$redact: '$a'}]", "[{a: 1}]", 17053),
    ("[{$redact: '$a'}]", "[{}]", 17053),
    ("[{$project: {a: '$$PRUNE'}}]", "[{}]", 17276),
    ("[{$redact: '$$KEEP'}, {$set: {a: '$$KEEP'}}]", "[{}]", 17276),
    ("[{$redact: 'x'}]", "[{}]", 17053),
    ("[{$bucket: {groupBy: '$a', boundaries: [0, 5]}}]", "[{a: 9}]", 40066),
    ("[{$bucket: {groupBy: '$a', boundaries: [0, 5]}}]", "[{}]", 40066),
    ("[{$group: {_id: null, a: {$mergeObjects: '$v'}}}]", "[{v: 1}]", 40400),
    ("[{$group: {_id: null, a: {$firstN: {n: '$_id', input: 1}}}}]", "[{v: 1}]", 5787902),
    ("[{$group: {_id: {n: -1}, a: {$firstN: {n: '$n', input: 1}}}}]", "[{v: 1}]", 17390),
    ("[{$group: {_id: {n: '$v'}, a: {$firstN: {n: '$n', input: 1}}}}]", "[{v: -1}]", 5787908),
    ("[{$group: {_id: {n: '$v'}, a: {$firstN: {n: '$m', input: 1}}}}]", "[{v: 1}]", 5787902),
    ("[{$group: {_id: null, a: {$firstN: {n: 0, input: 1}}}}]", "[{v: 1}]", 5787908),
    ("[{$group: {_id: null, a: {$maxN: {n: -1, input: 1}}}}]", "[{v: 1}]", 5787908),
    ("[{$group: {_id: null, a: {$maxN: {n: 'x', input: 1}}}}]", "[{v: 1}]", 5787902),
    ("[{$group: {_id: null, a: {$maxN: {n: 1.5, input: 1}}}}]", "[{v: 1}]", 5787903),
    ("[{$group: {_id: null, a: {$maxN: {n: null, input: 1}}}}]", "[{v: 1}]", 5787902),
    (
        "[{$group: {_id: null, a: {$bottomN: {n: 0, sortBy: {a: 1}, output: 1}}}}]",
        "[{v: 1}]",
        5787908,
    ),
    ("[{$bucketAuto: {groupBy: '$a', buckets: 1, granularity: 'R5'}}]", "[{a: 'x'}]", 40258),
    ("[{$bucketAuto: {groupBy: '$a', buckets: 1, granularity: 'R5'}}]", "[{}]", 40258),
    ("[{$bucketAuto: {groupBy: '$a', buckets: 1, granularity: 'R5'}}]", "[{a: NaN}]", 40259),
    ("[{$bucketAuto: {groupBy: '$a', buckets: 1, granularity: 'R5'}}]", "[{a: -1}]", 40260),
    ("[{$sort: {a: 1, b: 1}}]", "[{a: [1], b: [1]}]", 2),
];

#[test]
fn pipelines_are_refused() {
    let mut wrong = Vec::new();
    for (pipeline, number) in REFUSED {
        match parse(pipeline) {
            Ok(_) => wrong.push(format!("{pipeline} was accepted, not {number}")),
            Err(error) if error.code().number() != *number => {
                wrong.push(format!("{pipeline}: expected {number}, found {error}"));
            }
            Err(_) => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn pipelines_fail() {
    for (pipeline, input, number) in FAILS {
        let (found, message) = failure(pipeline, input);
        assert_eq!(found, *number, "{pipeline} on {input}: {message}");
    }
}

#[test]
fn search_is_for_atlas() {
    for stage in ["$search", "$searchMeta", "$vectorSearch", "$listSearchIndexes"] {
        let error = parse(&format!("[{{{stage}: {{}}}}]")).unwrap_err();
        assert!(error.message().contains("Atlas"), "{error}");
    }
}

#[test]
fn a_pipeline_may_not_be_too_long_or_too_deep() {
    let stages = |count: usize| format!("[{}]", vec!["{$skip: 0}"; count].join(", "));
    assert!(parse(&stages(1000)).is_ok());
    assert_eq!(parse(&stages(1001)).unwrap_err().code().number(), 7_749_501);
    let nested = |count: usize| {
        let mut pipeline = "[]".to_owned();
        for _ in 0..count {
            pipeline = format!("[{{$unionWith: {{coll: 'x', pipeline: {pipeline}}}}}]");
        }
        pipeline
    };
    assert!(parse(&nested(20)).is_ok());
    assert_eq!(parse(&nested(21)).unwrap_err().code().number(), 232);
}

#[test]
fn messages_name_the_stage() {
    let cases = [
        (
            "[{$project: {a: 1, b: 0}}]",
            "Invalid $project :: caused by :: Cannot do exclusion on field b in inclusion projection",
        ),
        (
            "[{$set: {$a: 1}}]",
            "Invalid $set :: caused by :: FieldPath field names may not start with '$'. Consider using $getField or $setField.",
        ),
        (
            "[{$unset: ''}]",
            "Invalid $unset :: caused by :: FieldPath cannot be constructed with empty string",
        ),
        ("[{$nothing: 1}]", "Unrecognized pipeline stage name: '$nothing'"),
        ("[{}]", "A pipeline stage specification object must contain exactly one field."),
        ("[{$limit: 0}]", "the limit must be positive"),
        ("[{$set: 'x'}]", "$set specification stage must be an object, got string"),
    ];
    for (pipeline, message) in cases {
        assert_eq!(parse(pipeline).unwrap_err().message(), message, "{pipeline}");
    }
}
