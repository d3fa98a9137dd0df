//! How many arguments an operator takes, and which it takes by name.

use crate::notation;
use crate::support::{SAMPLES, check, evaluate, lines};

fn run(context: &str, expression: &str, expected: &str) -> bool {
    let nothing = notation::document("{a: 1}");
    let found = evaluate(&notation::value(expression), &nothing);
    if expected == "ok" { found.is_ok() } else { check(context, expected, &found) }
}

/// Lines `least most code names`: the operators that take so many arguments, and the error of fewer and of more.
#[test]
fn numbers_of_arguments() {
    let (mut count, mut failed) = (0, 0);
    for line in lines(include_str!("arity.txt")) {
        let mut words = line.split_whitespace();
        let least: usize = words.next().unwrap().parse().unwrap();
        let most: usize = words.next().unwrap().parse().unwrap();
        let code = format!("!{}", words.next().unwrap());
        for name in words {
            for arguments in [0, least - 1, most + 1, most + 2] {
                if arguments >= least && arguments <= most || arguments > 20 {
                    continue;
                }
                let list = vec!["'$a'"; arguments].join(", ");
                failed += usize::from(!run(name, &format!("{{{name}: [{list}]}}"), &code));
                count += 1;
            }
            if least > 1 {
                failed += usize::from(!run(name, &format!("{{{name}: '$a'}}"), &code));
                count += 1;
            }
        }
    }
    assert_eq!(failed, 0, "of {count} cases");
    assert_eq!(count, 410);
}

/// Lines `names | error of no object | error of an unknown field | field: value = error without it | ...`; a field
/// without an error may be left out.
#[test]
fn arguments_by_name() {
    let (mut count, mut failed) = (0, 0);
    let mut case = |context: &str, expression: String, expected: &str| {
        failed += usize::from(!run(context, &expression, expected));
        count += 1;
    };
    for line in lines(include_str!("arguments.txt")) {
        let parts: Vec<&str> = line.split(" | ").collect();
        let (names, no_object, unknown) = (parts[0], parts[1], parts[2]);
        let fields: Vec<(&str, Option<&str>)> = parts[3..]
            .iter()
            .map(|part| match part.split_once(" = ") {
                Some((field, code)) => (field, Some(code)),
                None => (*part, None),
            })
            .collect();
        let all = |without: Option<usize>| {
            let kept = fields.iter().enumerate().filter(|(index, _)| Some(*index) != without);
            kept.map(|(_, (field, _))| *field).collect::<Vec<_>>().join(", ")
        };
        for name in names.split_whitespace() {
            if no_object != "-" {
                for (sample, value) in SAMPLES {
                    if sample != "object" && !value.is_empty() {
                        let expression = format!("{{{name}: {value}}}");
                        case(&format!("{name} of {sample}"), expression, &format!("!{no_object}"));
                    }
                }
            }
            let expression = format!("{{{name}: {{{}, zz: 1}}}}", all(None));
            case(&format!("{name} with a field more"), expression, &format!("!{unknown}"));
            for (index, (field, code)) in fields.iter().enumerate() {
                let expression = format!("{{{name}: {{{}}}}}", all(Some(index)));
                let expected = code.map_or("ok".to_owned(), |code| format!("!{code}"));
                case(&format!("{name} without {field}"), expression, &expected);
            }
        }
    }
    assert_eq!(failed, 0, "of {count} cases");
    assert_eq!(count, 929);
}
