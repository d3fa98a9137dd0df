//! Names of locales, as MongoDB writes them: `fr_CA`, `de@collation=phonebook`.

use icu_collator::CollatorPreferences;
use icu_locale_core::Locale;

/// Locales that have a collation of their own, as MongoDB's manual lists them.
const LOCALES: &[&str] = &[
    "af",
    "am",
    "ar",
    "ars",
    "as",
    "az",
    "be",
    "bg",
    "bn",
    "bo",
    "bs",
    "bs_Cyrl",
    "ca",
    "ceb",
    "chr",
    "cs",
    "cy",
    "da",
    "de",
    "de_AT",
    "dsb",
    "dz",
    "ee",
    "el",
    "en",
    "en_US",
    "en_US_POSIX",
    "eo",
    "es",
    "et",
    "fa",
    "fa_AF",
    "ff",
    "fi",
    "fil",
    "fo",
    "fr",
    "fr_CA",
    "ga",
    "gl",
    "gu",
    "ha",
    "haw",
    "he",
    "hi",
    "hr",
    "hsb",
    "hu",
    "hy",
    "id",
    "id_ID",
    "ig",
    "is",
    "it",
    "ja",
    "ka",
    "kk",
    "kl",
    "km",
    "kn",
    "ko",
    "kok",
    "ku",
    "ky",
    "lb",
    "lij",
    "lkt",
    "ln",
    "lo",
    "lt",
    "lv",
    "mk",
    "ml",
    "mn",
    "mr",
    "ms",
    "mt",
    "my",
    "nb",
    "nb_NO",
    "ne",
    "nl",
    "nn",
    "nso",
    "om",
    "or",
    "pa",
    "pa_Guru",
    "pl",
    "ps",
    "pt",
    "ro",
    "root",
    "ru",
    "sa",
    "se",
    "si",
    "sk",
    "sl",
    "smn",
    "sq",
    "sr",
    "sr_Cyrl",
    "sr_Latn",
    "sr_Latn_BA",
    "sv",
    "sw",
    "ta",
    "te",
    "th",
    "tk",
    "tn",
    "to",
    "tr",
    "ug",
    "uk",
    "ur",
    "uz",
    "vi",
    "wae",
    "wo",
    "xh",
    "yi",
    "yo",
    "zh",
    "zh_Hans",
    "zh_Hant",
    "zu",
];

/// ICU's names of variants, beside their names in BCP 47.
const VARIANTS: &[(&str, &str)] = &[
    ("standard", "standard"),
    ("search", "search"),
    ("searchjl", "searchjl"),
    ("eor", "eor"),
    ("emoji", "emoji"),
    ("phonebook", "phonebk"),
    ("traditional", "trad"),
    ("reformed", "reformed"),
    ("pinyin", "pinyin"),
    ("stroke", "stroke"),
    ("zhuyin", "zhuyin"),
    ("unihan", "unihan"),
    ("big5han", "big5han"),
    ("gb2312han", "gb2312"),
    ("dictionary", "dict"),
    ("phonetic", "phonetic"),
    ("compat", "compat"),
];

/// What a name means to the collator; `None` for an unknown one.
pub(super) fn preferences(name: &str) -> Option<CollatorPreferences> {
    let (locale, variant) = match name.split_once('@') {
        None => (name, None),
        Some((locale, keywords)) => {
            let variant = keywords.strip_prefix("collation=")?;
            (locale, Some(VARIANTS.iter().find(|(icu, _)| *icu == variant)?.1))
        }
    };
    if !LOCALES.contains(&locale) {
        return None;
    }
    let tag = match locale {
        "root" => "und".to_owned(),
        "en_US_POSIX" => "en-US-u-va-posix".to_owned(),
        _ => locale.replace('_', "-"),
    };
    let tag = match variant {
        None => tag,
        Some(variant) => format!("{tag}-u-co-{variant}"),
    };
    Some(CollatorPreferences::from(tag.parse::<Locale>().ok()?))
}

/// Whether the locale compares accents from the end of a string.
pub(super) fn is_backwards(name: &str) -> bool {
    name.split('@').next() == Some("fr_CA")
}

/// Whether the locale has the rules that all languages share, but for accents from the end.
pub(super) fn has_rules_of_root(name: &str) -> bool {
    let shared = [
        "root", "en", "en_US", "fr", "fr_CA", "de", "it", "pt", "nl", "ca", "ga", "id", "ms", "lb",
        "sw", "xh", "zu",
    ];
    shared.contains(&name)
}
