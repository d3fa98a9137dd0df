//! Regular expressions in PCRE's syntax, beside texts.

use kecoa_mongo::interrupt::Interrupt;
use kecoa_mongo::query::Pattern;

/// Pattern, options, texts in which it is found, texts in which it is not.
type Case = (&'static str, &'static str, &'static [&'static str], &'static [&'static str]);

const CASES: &[Case] = &[
    ("abc", "", &["abc", "xabcx"], &["ABC", "ab c", ""]),
    ("abc", "i", &["ABC", "xaBcx"], &["ab"]),
    ("äö", "i", &["ÄÖ", "äö"], &["ao"]),
    ("^b", "", &["b", "bc"], &["a\nb"]),
    ("^b", "m", &["b", "a\nb"], &["ab"]),
    ("a$", "", &["a", "ba", "a\n"], &["a\nb", "ab"]),
    ("a$", "m", &["a", "a\nb", "a\n"], &["ab"]),
    ("a\\z", "", &["a"], &["ab"]),
    ("a\\Z", "", &["a", "a\n"], &["ab"]),
    ("\\Aa", "m", &["a", "a\nb"], &["b\na"]),
    ("a.c", "", &["abc", "a\rc"], &["a\nc", "ac"]),
    ("a.c", "s", &["abc", "a\nc"], &["ac"]),
    ("a b # comment\n c", "x", &["abc"], &["a b c", "a b # comment\n c"]),
    ("a\\ b", "x", &["a b"], &["ab"]),
    ("[a b]", "x", &["a", " "], &["#"]),
    ("a", "u", &["a"], &["b"]),
    ("a", "imsxu", &["A"], &["b"]),
    ("(?i)abc", "", &["ABC"], &["ab"]),
    ("a(?i)b", "", &["aB", "ab"], &["AB"]),
    ("(?s).\\n.", "", &["a\nb", "\n\n\n"], &["ab"]),
    ("(?m)^b$", "", &["a\nb\nc"], &["abc"]),
    ("(?x) a b ", "", &["ab"], &["a b"]),
    ("(?:ab)+c", "", &["ababc"], &["c"]),
    ("(a)(b)\\2\\1", "", &["abba"], &["abab"]),
    ("(?<x>a)\\k<x>", "", &["aa"], &["ab"]),
    ("(?P<x>a)(?P=x)", "", &["aa"], &["ab"]),
    ("a(?=b)", "", &["ab"], &["ac"]),
    ("a(?!b)", "", &["ac", "a"], &["ab"]),
    ("(?<=a)b", "", &["ab"], &["cb"]),
    ("(?<!a)b", "", &["cb", "b"], &["ab"]),
    ("(?>a+)b", "", &["aab"], &["aac"]),
    ("(?>a+)ab", "", &[], &["aaab"]),
    ("a++b", "", &["aab"], &["c"]),
    ("a*?b", "", &["b", "aab"], &["a"]),
    ("a{2}", "", &["aa", "aaa"], &["a"]),
    ("a{2,}$", "", &["aa", "aaa"], &["a"]),
    ("^a{1,2}$", "", &["a", "aa"], &["aaa", ""]),
    ("a{", "", &["a{"], &["a"]),
    ("a{b}", "", &["a{b}"], &["ab"]),
    ("a{,2}", "", &["a{,2}"], &["a"]),
    ("{\"a\": 1}", "", &["{\"a\": 1}"], &["a"]),
    ("\\d+", "", &["1", "a23"], &["a", "\u{663}"]),
    ("^\\D$", "", &["a", "\u{663}"], &["1"]),
    ("^\\w+$", "", &["aZ_9"], &["ä", "a-b", ""]),
    ("^\\W$", "", &["ä", "-"], &["a", "_"]),
    ("^\\s$", "", &[" ", "\t", "\n", "\u{b}", "\u{c}", "\r"], &["\u{a0}", "a"]),
    ("^\\S$", "", &["a", "\u{a0}"], &[" "]),
    ("^\\h$", "", &[" ", "\t", "\u{a0}"], &["\n", "a"]),
    ("^\\v$", "", &["\u{b}", "\r", "\u{2028}"], &[" "]),
    ("a\\Rb", "", &["a\nb", "a\r\nb", "a\rb"], &["a b"]),
    ("a\\Nb", "s", &["axb"], &["a\nb"]),
    ("\\bfoo\\b", "", &["foo", "a foo b", "foo-bar"], &["foobar", "xfoo", "foo_"]),
    ("\\bé", "", &["aé"], &["é", " é"]),
    ("\\Boo\\B", "", &["fooo"], &["foo", "oo"]),
    ("[abc]", "", &["b"], &["d"]),
    ("[^abc]", "", &["d"], &["a", "abc"]),
    ("[a-c]", "", &["b"], &["d", "-"]),
    ("[a-]", "", &["-", "a"], &["b"]),
    ("[-a]", "", &["-", "a"], &["b"]),
    ("[]a]", "", &["]", "a"], &["b"]),
    ("[^]a]", "", &["b"], &["]", "a"]),
    ("[[a]", "", &["[", "a"], &["b"]),
    ("[a&&b]", "", &["a", "b", "&"], &["c"]),
    ("[a~~b]", "", &["~"], &["c"]),
    ("[\\w.]+$", "", &["a.b"], &["a b!"]),
    ("^[\\d\\s]+$", "", &["1 2"], &["a"]),
    ("^[^\\d]$", "", &["a"], &["1"]),
    ("^[\\W_]$", "", &["-", "_"], &["a"]),
    ("^[\\D]$", "", &["a"], &["1"]),
    ("[[:alpha:]]", "", &["a"], &["1", ":"]),
    ("[[:digit:]a]", "", &["1", "a"], &["b"]),
    ("[[:^alpha:]]", "", &["1"], &["a"]),
    ("[\\]]", "", &["]"], &["a"]),
    ("[\\\\]", "", &["\\"], &["a"]),
    ("[\\x41]", "", &["A"], &["B"]),
    ("[\\b]", "", &["\u{8}"], &["b"]),
    ("[a#]", "x", &["#"], &["b"]),
    ("\\x41", "", &["A"], &["B"]),
    ("\\x{1F600}", "", &["😀"], &["A"]),
    ("\\e", "", &["\u{1b}"], &["e"]),
    ("\\cA", "", &["\u{1}"], &["A"]),
    ("\\101", "", &["A"], &["B"]),
    ("\\060", "", &["0"], &["1"]),
    ("\\Qa.b\\E.", "", &["a.bc"], &["axbc", "a.b"]),
    ("\\Qa.b", "", &["a.b"], &["axb"]),
    ("\\/a\\/", "", &["/a/"], &["a"]),
    ("\\-\\.\\@\\<\\>", "", &["-.@<>"], &["-x@<>"]),
    ("\\p{L}", "", &["ä", "a"], &["1"]),
    ("\\p{Lu}", "", &["Ä"], &["ä"]),
    ("\\pL", "", &["ä"], &["1"]),
    ("\\P{L}", "", &["1"], &["a"]),
    ("\\p{Greek}", "", &["α"], &["a"]),
    ("a(?#comment)b", "", &["ab"], &["a"]),
    ("a|b", "", &["b"], &["c"]),
    ("^(?:a|b|)$", "", &["", "a"], &["c"]),
    ("", "", &["", "a"], &[]),
    (".*", "", &["", "a"], &[]),
    ("^.$", "", &["ä", "😀"], &["ab", ""]),
    ("(*UTF8)ä", "", &["ä"], &["a"]),
    ("^(?=.*\\d)(?=.*[a-z]).{4,8}$", "", &["abc1"], &["abcd", "ab1"]),
    ("^[\\w.+-]+@[\\w-]+\\.[\\w.-]+$", "", &["a.b@c.de"], &["a@b", "@c.de"]),
    ("\\$\\d", "", &["$5"], &["5"]),
    ("^\\^", "", &["^"], &["a"]),
    ("a\\Kb", "", &["ab"], &["b"]),
    ("(a)?(?(1)b|c)", "", &["ab", "c"], &["d"]),
];

#[test]
fn tables() {
    let mut count = 0;
    let mut wrong = Vec::new();
    for (pattern, options, yes, no) in CASES {
        let compiled = match Pattern::new(pattern, options) {
            Ok(compiled) => compiled,
            Err(error) => {
                wrong.push(format!("{pattern}: {error}"));
                continue;
            }
        };
        for (texts, expected) in [(yes, true), (no, false)] {
            for text in *texts {
                count += 1;
                if compiled.is_match(text, &Interrupt::default()).unwrap() != expected {
                    wrong.push(format!("/{pattern}/{options} on {text:?}: expected {expected}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(count > 250, "{count}");
}

#[test]
fn refusals() {
    for pattern in [
        "(", ")", "[", "[a", "*a", "+", "?", "a**b(", "(?<n>a", "\\", "(?z)", "a{2}{", "[z-a]",
        "\\p{Foo}",
    ] {
        match Pattern::new(pattern, "") {
            // PCRE takes an open brace for itself.
            Ok(_) => assert_eq!(pattern, "a{2}{"),
            Err(error) => assert_eq!(error.code().number(), 51091, "{pattern}"),
        }
    }
    for options in ["g", "I", "ii?", "y", " "] {
        assert_eq!(Pattern::new("a", options).unwrap_err().code().number(), 51108, "{options}");
    }
    assert_eq!(Pattern::new("a\0", "").unwrap_err().code().number(), 2);
    assert_eq!(Pattern::new("a", "\0").unwrap_err().code().number(), 51108);
    assert_eq!(Pattern::new(&"a".repeat(40_000), "").unwrap_err().code().number(), 2);
}

#[test]
fn a_search_that_takes_too_many_steps_is_given_up() {
    let slow = Pattern::new("^(?=(a+)+$)\\1x", "").unwrap();
    let error = slow.is_match(&("a".repeat(40) + "b"), &Interrupt::default()).err();
    assert!(error.is_none_or(|error| error.code().number() == 51156));
    let slow = Pattern::new("(?:(a+)\\1?)+$(?<=b)", "").unwrap();
    let found = slow.is_match(&("a".repeat(2000) + "c"), &Interrupt::default());
    assert_eq!(found.unwrap_err().code().number(), 51156);
}
