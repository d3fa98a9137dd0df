//! Paths, the order of fields, conflicts, `_id`, `$rename`, the texts of errors.

use crate::support::{Case, check, message};

#[test]
fn new_fields_come_in_the_order_of_their_names() {
    let cases: [Case<'_>; 14] = [
        ("{_id: 1}", "{$set: {c: 1, a: 2, b: 3}}", "{_id: 1, a: 2, b: 3, c: 1}"),
        ("{_id: 1, b: 0}", "{$set: {c: 1, a: 2, b: 3}}", "{_id: 1, b: 3, a: 2, c: 1}"),
        (
            "{_id: 1}",
            "{$set: {\"10\": 1, \"9\": 2, \"1\": 3}}",
            "{_id: 1, \"1\": 3, \"9\": 2, \"10\": 1}",
        ),
        ("{_id: 1}", "{$set: {\"a.10\": 1, \"a.9\": 2}}", "{_id: 1, a: {\"9\": 2, \"10\": 1}}"),
        ("{_id: 1}", "{$set: {b: 1}, $inc: {a: 2}}", "{_id: 1, a: 2, b: 1}"),
        ("{_id: 1}", "{$inc: {b: 1}, $set: {a: 2}}", "{_id: 1, a: 2, b: 1}"),
        ("{_id: 1}", "{$set: {\"b.y\": 1, \"b.x\": 2, a: 3}}", "{_id: 1, a: 3, b: {x: 2, y: 1}}"),
        ("{_id: 1}", "{$push: {b: 1}, $set: {c: 2}, $inc: {a: 1}}", "{_id: 1, a: 1, b: [1], c: 2}"),
        ("{_id: 1, a: {z: 1}}", "{$set: {\"a.y\": 2, \"a.z\": 3}}", "{_id: 1, a: {z: 3, y: 2}}"),
        ("{_id: 1, a: 1, b: 2, c: 3}", "{$unset: {b: 1}}", "{_id: 1, a: 1, c: 3}"),
        ("{_id: 1, a: 1, b: 2}", "{$rename: {a: \"c\"}, $set: {b: 3}}", "{_id: 1, b: 3, c: 1}"),
        ("{_id: 1, a: 1}", "{$rename: {a: \"c\"}, $set: {b: 3}}", "{_id: 1, b: 3, c: 1}"),
        ("{_id: 1}", "{$set: {B: 1, a: 2, A: 3}}", "{_id: 1, A: 3, B: 1, a: 2}"),
        ("{a: 1, _id: 1}", "{$set: {a: 2}}", "{a: 2, _id: 1}"),
    ];
    check(&cases);
}

#[test]
fn a_path_leads_through_documents_and_arrays() {
    let cases: [Case<'_>; 34] = [
        ("{a: {b: {c: 1}}}", "{$set: {\"a.b.c\": 2}}", "{a: {b: {c: 2}}}"),
        ("{a: {b: {c: 1}}}", "{$set: {\"a.b.d\": 2}}", "{a: {b: {c: 1, d: 2}}}"),
        ("{a: {}}", "{$set: {\"a.b.d\": 2}}", "{a: {b: {d: 2}}}"),
        ("{a: [1, 2]}", "{$set: {\"a.0\": 5}}", "{a: [5, 2]}"),
        ("{a: [1, 2]}", "{$set: {\"a.2\": 5}}", "{a: [1, 2, 5]}"),
        ("{a: [1, 2]}", "{$set: {\"a.4\": 5}}", "{a: [1, 2, null, null, 5]}"),
        ("{a: []}", "{$set: {\"a.1.b\": 5}}", "{a: [null, {b: 5}]}"),
        ("{a: [{b: 1}]}", "{$set: {\"a.0.b\": 5}}", "{a: [{b: 5}]}"),
        ("{a: [{b: 1}]}", "{$set: {\"a.0.c\": 5, \"a.1.b\": 6}}", "{a: [{b: 1, c: 5}, {b: 6}]}"),
        ("{a: [[1, 2], [3]]}", "{$set: {\"a.1.0\": 5}}", "{a: [[1, 2], [5]]}"),
        ("{a: [1]}", "{$set: {\"a.b\": 5}}", "!28"),
        ("{a: [1]}", "{$set: {\"a.-1\": 5}}", "!28"),
        ("{a: [1]}", "{$set: {\"a.01\": 5}}", "!28"),
        ("{a: [1]}", "{$set: {\"a.0.b\": 5}}", "!28"),
        ("{a: [{b: 1}]}", "{$inc: {\"a.b\": 5}}", "!28"),
        ("{a: [1]}", "{$unset: {\"a.b\": 5}}", "="),
        ("{a: [1]}", "{$pull: {\"a.b\": 5}}", "!28"),
        ("{a: [1]}", "{$pop: {\"a.7\": 1}}", "="),
        ("{a: [1]}", "{$unset: {\"a.7\": 1}}", "="),
        ("{a: [1]}", "{$pop: {\"a.0.b\": 1}}", "!28"),
        ("{a: [{b: [1]}]}", "{$push: {\"a.0.b\": 2}}", "{a: [{b: [1, 2]}]}"),
        ("{a: {\"0\": 1}}", "{$set: {\"a.0\": 2}}", "{a: {\"0\": 2}}"),
        ("{a: {\"01\": 1}}", "{$set: {\"a.1\": 2}}", "{a: {\"01\": 1, \"1\": 2}}"),
        ("{a: 1}", "{$set: {\"b.$x\": 2}}", "{a: 1, b: {$x: 2}}"),
        ("{a: 1}", "{$set: {b: {$x: 2}}}", "{a: 1, b: {$x: 2}}"),
        ("{a: 1}", "{$set: {$b: 2}}", "!52"),
        ("{a: 1}", "{$set: {\"$b.c\": 2}}", "!52"),
        ("{a: 1}", "{$rename: {a: \"$b\"}}", "!52"),
        ("{a: 1}", "{$set: {\"a b\": 2}}", "{a: 1, \"a b\": 2}"),
        ("{a: 1, a: 2}", "{$set: {a: 3}}", "{a: 3, a: 2}"),
        ("{a: 1, a: 2}", "{$unset: {a: 3}}", "{a: 2}"),
        ("{a: 1, b: 1, a: 2}", "{$set: {b: 3}}", "{a: 1, b: 3, a: 2}"),
        ("{\"\": 1}", "{$set: {a: 3}}", "{\"\": 1, a: 3}"),
        ("{a: {b: 1, b: 2}}", "{$set: {c: {d: 1, d: 2}}}", "{a: {b: 1, b: 2}, c: {d: 1, d: 2}}"),
    ];
    check(&cases);
}

#[test]
fn two_operators_may_not_meet() {
    let updates = [
        "{$set: {a: 1}, $inc: {a: 1}}",
        "{$set: {a: 1, a: 1}}",
        "{$set: {a: 1, \"a.b\": 1}}",
        "{$set: {\"a.b\": 1, a: 1}}",
        "{$set: {\"a.b\": 1}, $unset: {a: 1}}",
        "{$set: {\"a.b.c\": 1}, $push: {\"a.b\": 1}}",
        "{$push: {a: 1}, $pull: {a: 1}}",
        "{$set: {\"a.$\": 1, \"a.$.b\": 1}}",
        "{$set: {\"a.$[]\": 1}, $inc: {\"a.$[]\": 1}}",
        "{$set: {\"a.$[]\": 1, \"a.0\": 1}}",
        "{$set: {\"a.0\": 1, \"a.$[]\": 1}}",
        "{$set: {\"a.$[].b\": 1, \"a.$.b\": 1}}",
        "{$set: {\"a.$[]\": 1, a: 1}}",
        "{$rename: {a: \"b\"}, $set: {a: 1}}",
        "{$rename: {a: \"b\"}, $set: {b: 1}}",
        "{$rename: {a: \"b\"}, $set: {\"b.c\": 1}}",
        "{$rename: {a: \"b\", b: \"c\"}}",
        "{$rename: {a: \"c\", b: \"c\"}}",
        "{$set: {a: 1}, $setOnInsert: {a: 1}}",
        "{$min: {a: 1}, $max: {a: 1}}",
        "{$currentDate: {a: true}, $unset: {\"a.b\": 1}}",
    ];
    let cases: Vec<Case<'_>> =
        updates.iter().map(|update| ("{a: [1], b: 1}", *update, "!40")).collect();
    check(&cases);
    for (update, expected) in [
        ("{$set: {a: 1}, $inc: {a: 1}}", "Updating the path 'a' would create a conflict at 'a'"),
        ("{$set: {a: 1, \"a.b\": 1}}", "Updating the path 'a.b' would create a conflict at 'a'"),
        ("{$set: {\"a.b\": 1, a: 1}}", "Updating the path 'a' would create a conflict at 'a'"),
        (
            "{$set: {\"a.b.c\": 1}, $inc: {\"a.b.c.d\": 1}}",
            "Updating the path 'a.b.c.d' would create a conflict at 'a.b.c'",
        ),
    ] {
        assert_eq!(message("{}", update), expected);
    }
}

#[test]
fn the_id_stays() {
    let cases: [Case<'_>; 37] = [
        ("{_id: 1, a: 1}", "{$set: {_id: [1]}}", "!66"),
        ("{_id: 1, a: 1}", "{$set: {_id: undefined}}", "!66"),
        ("{_id: 1, a: 1}", "{$set: {_id: 1}}", "="),
        ("{_id: 1, a: 1}", "{$set: {_id: 2}}", "!66"),
        ("{_id: 1, a: 1}", "{$set: {_id: \"1\"}}", "!66"),
        ("{_id: 1, a: 1}", "{$inc: {_id: 1}}", "!66"),
        ("{_id: 1, a: 1}", "{$inc: {_id: 0}}", "="),
        ("{_id: 1, a: 1}", "{$mul: {_id: 1}}", "="),
        ("{_id: 1, a: 1}", "{$unset: {_id: 1}}", "!66"),
        ("{_id: 1, a: 1}", "{$rename: {_id: \"b\"}}", "!66"),
        ("{_id: 1, a: 1}", "{$rename: {a: \"_id\"}}", "{_id: 1}"),
        ("{_id: 1, a: 2}", "{$rename: {a: \"_id\"}}", "!66"),
        ("{_id: 1, a: 1}", "{$min: {_id: 2}}", "="),
        ("{_id: 1, a: 1}", "{$min: {_id: 0}}", "!66"),
        ("{_id: 1, a: 1}", "{$max: {_id: 2}}", "!66"),
        ("{_id: 1, a: 1}", "{$currentDate: {_id: true}}", "!66"),
        ("{_id: 1, a: 1}", "{$setOnInsert: {_id: 2}}", "="),
        ("{_id: {a: 1}, b: 1}", "{$set: {\"_id.a\": 1}}", "="),
        ("{_id: {a: 1}, b: 1}", "{$set: {\"_id.a\": 2}}", "!66"),
        ("{_id: {a: 1}, b: 1}", "{$set: {\"_id.b\": 2}}", "!66"),
        ("{_id: {a: 1}, b: 1}", "{$unset: {\"_id.a\": 2}}", "!66"),
        ("{_id: {a: 1}, b: 1}", "{$unset: {\"_id.z\": 2}}", "="),
        ("{_id: {a: 1, b: 2}}", "{$set: {_id: {b: 2, a: 1}}}", "!66"),
        ("{_id: 1}", "{$set: {\"_id.a\": 2}}", "!28"),
        ("{_id: 1}", "{$bit: {_id: {or: 2}}}", "!66"),
        ("{_id: 1}", "{$push: {_id: 2}}", "!2"),
        // An equal value of another type is another value.
        ("{_id: 1}", "{$set: {_id: 1.0}}", "!66"),
        ("{_id: 1}", "{$set: {_id: long(1)}}", "!66"),
        ("{_id: 1}", "{$set: {_id: dec(\"1\")}}", "!66"),
        ("{_id: 1}", "{$inc: {_id: 0.0}}", "!66"),
        ("{_id: 1}", "{$inc: {_id: long(0)}}", "!66"),
        ("{_id: 1}", "{$mul: {_id: 1.0}}", "!66"),
        ("{_id: 1}", "{$min: {_id: 1.0}}", "="),
        ("{_id: 1}", "{$max: {_id: long(1)}}", "="),
        ("{_id: {a: 1}}", "{$set: {_id: {a: 1}}}", "="),
        ("{_id: {a: 1}}", "{$set: {_id: {a: 1.0}}}", "!66"),
        ("{_id: {a: 1}}", "{$set: {\"_id.a\": 1.0}}", "!66"),
    ];
    check(&cases);
    assert_eq!(
        message("{_id: 1}", "{$set: {_id: 2}}"),
        "Performing an update on the path '_id' would modify the immutable field '_id'"
    );
    assert_eq!(
        message("{_id: {a: 1}}", "{$set: {\"_id.a\": 2}}"),
        "Performing an update on the path '_id.a' would modify the immutable field '_id'"
    );
}

#[test]
fn rename_moves_between_documents() {
    let cases: [Case<'_>; 30] = [
        ("{a: 1}", "{$rename: {a: \"b\"}}", "{b: 1}"),
        ("{a: 1, b: 2}", "{$rename: {a: \"b\"}}", "{b: 1}"),
        ("{b: 2, a: 1}", "{$rename: {a: \"b\"}}", "{b: 1}"),
        ("{a: 1, b: 1}", "{$rename: {a: \"b\"}}", "{b: 1}"),
        ("{b: 2}", "{$rename: {a: \"b\"}}", "="),
        ("{a: 1}", "{$rename: {a: \"x.y\"}}", "{x: {y: 1}}"),
        ("{a: {b: 1, c: 2}}", "{$rename: {\"a.b\": \"d\"}}", "{a: {c: 2}, d: 1}"),
        ("{a: {b: 1, c: 2}}", "{$rename: {\"a.b\": \"a.d\"}}", "{a: {c: 2, d: 1}}"),
        ("{a: {b: 1}}", "{$rename: {\"a.b\": \"d\"}}", "{a: {}, d: 1}"),
        ("{a: {b: 1}, c: {d: 2}}", "{$rename: {\"a.b\": \"c.d\"}}", "{a: {}, c: {d: 1}}"),
        ("{a: [1, 2]}", "{$rename: {a: \"b\"}}", "{b: [1, 2]}"),
        ("{a: [1, 2]}", "{$rename: {\"a.0\": \"b\"}}", "!2"),
        ("{a: [{b: 1}]}", "{$rename: {\"a.0.b\": \"b\"}}", "!2"),
        ("{a: [{b: 1}]}", "{$rename: {\"a.b\": \"b\"}}", "!28"),
        ("{a: [{b: 1}]}", "{$rename: {\"a.7\": \"b\"}}", "="),
        ("{a: [1], b: 2}", "{$rename: {b: \"a.0\"}}", "!2"),
        ("{a: [{c: 1}], b: 2}", "{$rename: {b: \"a.0.c\"}}", "!2"),
        ("{a: {c: [1]}, b: 2}", "{$rename: {b: \"a.c\"}}", "{a: {c: 2}}"),
        ("{a: 1, b: 2}", "{$rename: {b: \"a.c\"}}", "!28"),
        ("{a: 1}", "{$rename: {\"b.c\": \"a.c\"}}", "="),
        ("{a: 1}", "{$rename: {\"a.b\": \"c\"}}", "!28"),
        ("{a: 1, b: 2}", "{$rename: {a: \"c\", b: \"d\"}}", "{c: 1, d: 2}"),
        ("{a: 1, b: 2}", "{$rename: {a: \"d\", b: \"c\"}}", "{c: 2, d: 1}"),
        ("{a: null}", "{$rename: {a: \"b\"}}", "{b: null}"),
        ("{a: 1}", "{$rename: {a: \"a\"}}", "!2"),
        ("{a: 1}", "{$rename: {a: \"a.b\"}}", "!2"),
        ("{a: {b: 1}}", "{$rename: {\"a.b\": \"a\"}}", "!2"),
        ("{a: 1}", "{$rename: {a: 1}}", "!2"),
        ("{a: 1}", "{$rename: {a: \"b\\0c\"}}", "!2"),
        ("{a: 1}", "{$rename: {a: \"\"}}", "!56"),
    ];
    check(&cases);
    for (update, code) in [
        ("{$rename: {\"a.$\": \"b\"}}", "!2"),
        ("{$rename: {a: \"b.$\"}}", "!2"),
        ("{$rename: {\"a.$[]\": \"b\"}}", "!2"),
        ("{$rename: {a: \"b.$[]\"}}", "!2"),
        ("{$rename: {a: \"b.\"}}", "!56"),
        ("{$rename: {a: \".b\"}}", "!56"),
        ("{$rename: {\"\": \"b\"}}", "!56"),
        ("{$rename: {\"a..b\": \"b\"}}", "!56"),
        ("{$rename: {a: null}}", "!2"),
        ("{$rename: {a: {b: 1}}}", "!2"),
    ] {
        check(&[("{a: 1}", update, code)]);
    }
}

#[test]
fn errors_name_the_document_and_the_field() {
    for (document, update, expected) in [
        (
            "{_id: 1, a: \"x\"}",
            "{$inc: {a: 1}}",
            "Cannot apply $inc to a value of non-numeric type. {_id: 1} has the field 'a' of \
             non-numeric type string",
        ),
        (
            "{_id: \"k\", a: {b: null}}",
            "{$mul: {\"a.b\": 1}}",
            "Cannot apply $mul to a value of non-numeric type. {_id: \"k\"} has the field 'b' of \
             non-numeric type null",
        ),
        ("{}", "{$inc: {a: \"x\"}}", "Cannot increment with non-numeric argument: {a: \"x\"}"),
        ("{}", "{$mul: {a: null}}", "Cannot multiply with non-numeric argument: {a: null}"),
        (
            "{_id: 1, a: long(9223372036854775807)}",
            "{$inc: {a: 1}}",
            "Failed to apply $inc operations to current value ((NumberLong)9223372036854775807) \
             for document {_id: 1}",
        ),
        ("{a: 1}", "{$set: {\"a.b\": 1}}", "Cannot create field 'b' in element {a: 1}"),
        ("{a: [1, 2]}", "{$set: {\"a.b\": 1}}", "Cannot create field 'b' in element {a: [ 1, 2 ]}"),
        (
            "{a: {b: \"x\"}}",
            "{$set: {\"a.b.c.d\": 1}}",
            "Cannot create field 'c' in element {b: \"x\"}",
        ),
        (
            "{a: 1}",
            "{$pop: {\"a.b\": 1}}",
            "Cannot use the part (b) of (a.b) to traverse the element ({a: 1})",
        ),
        (
            "{_id: 1, a: 1}",
            "{$push: {a: 1}}",
            "The field 'a' must be an array but is of type int in document {_id: 1}",
        ),
        (
            "{a: {b: \"\"}}",
            "{$addToSet: {\"a.b\": 1}}",
            "Cannot apply $addToSet to non-array field. Field named 'b' has non-array type string",
        ),
        ("{a: 1}", "{$pop: {a: 1}}", "Path 'a' contains an element of non-array type 'int'"),
        ("{a: 1}", "{$pull: {a: 1}}", "Cannot apply $pull to a non-array value"),
        ("{}", "{$pop: {a: 2}}", "$pop expects 1 or -1, found: 2"),
        (
            "{}",
            "{$set: {\"a.$\": 1}}",
            "The positional operator did not find the match needed from the query.",
        ),
        (
            "{}",
            "{$set: {\"a.$[]\": 1}}",
            "The path 'a' must exist in the document in order to apply array updates.",
        ),
        (
            "{a: 1}",
            "{$set: {\"a.$[]\": 1}}",
            "Cannot apply array updates to non-array element a: 1",
        ),
        (
            "{}",
            "{$set: {\"a.\": 1}}",
            "The update path 'a.' contains an empty field name, which is not allowed.",
        ),
        (
            "{}",
            "{$foo: {a: 1}}",
            "Unknown modifier: $foo. Expected a valid update modifier or pipeline-style update \
             specified as an array",
        ),
        (
            "{}",
            "{$set: 1}",
            "Modifiers operate on fields but we found type int instead. For example: {$mod: \
             {<field>: ...}} not {$set: 1}",
        ),
    ] {
        assert_eq!(message(document, update), expected, "{update}");
    }
}
