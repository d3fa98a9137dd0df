//! Words with a meaning of their own, and where each may be a name all the same.

/// Where a keyword may be a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Category {
    /// Anywhere.
    Unreserved,
    /// Of a column or a table, not of a function or type.
    Column,
    /// Of a function or type, not of a column or table.
    Function,
    /// Nowhere.
    Reserved,
}

macro_rules! keywords {
    ($($category:ident: $($word:ident)*;)*) => {
        /// A keyword that the grammar looks for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(
            non_camel_case_types,
            clippy::upper_case_acronyms,
            reason = "they read as in SQL"
        )]
        pub(crate) enum Keyword { $($($word,)*)* }

        const KEYWORDS: &[(&str, Keyword, Category)] = &[
            $($((stringify!($word), Keyword::$word, Category::$category),)*)*
        ];

        impl Keyword {
            /// Where it may be a name.
            pub(crate) fn category(self) -> Category {
                match self { $($(Self::$word)|* => Category::$category,)* }
            }
        }
    };
}

keywords! {
    Reserved: ALL ANALYSE ANALYZE AND ANY ARRAY AS ASC ASYMMETRIC BOTH CASE CAST CHECK COLLATE COLUMN
        CONCURRENTLY CONSTRAINT CREATE CURRENT_CATALOG CURRENT_DATE CURRENT_ROLE CURRENT_SCHEMA
        CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER DEFAULT DEFERRABLE DESC DISTINCT DO ELSE END
        EXCEPT FALSE FETCH FOR FOREIGN FROM GRANT GROUP HAVING IN INDEX INITIALLY INTERSECT INTO
        LATERAL LEADING LIMIT LOCALTIME LOCALTIMESTAMP NOT NOTHING NULL OFFSET ON ONLY OR ORDER
        PLACING PRIMARY REFERENCES RETURNING SELECT SESSION_USER SOME SYMMETRIC TABLE THEN TO TRAILING
        TRUE UNION UNIQUE USER USING VARIADIC WHEN WHERE WINDOW WITH;
    Function: AUTHORIZATION COLLATION CROSS FAMILY FULL ILIKE INNER IS ISNULL JOIN LEFT LIKE NATURAL
        NONE NOTNULL OUTER OVERLAPS RIGHT SIMILAR;
    Column: ANNOTATE_TYPE BETWEEN BIGINT BIT BOOLEAN BOX2D CHAR CHARACTER COALESCE DEC DECIMAL EXISTS
        EXTRACT EXTRACT_DURATION FLOAT GEOGRAPHY GEOMETRY GREATEST GROUPING IF IFERROR IFNULL INT
        INTEGER INTERVAL ISERROR LEAST NULLIF NUMERIC OVERLAY POSITION PRECISION REAL ROW SMALLINT
        STRING SUBSTRING TIME TIMESTAMP TIMESTAMPTZ TIMETZ TREAT TRIM VALUES VARBIT VARCHAR VECTOR;
    Unreserved: AT BATCH BY CONFLICT COPY CUBE CURRENT CURSOR DATE DAY DECLARE DELETE DOUBLE ESCAPE
        EXCLUDE EXPLAIN FILTER FIRST FOLLOWING GROUPS HASH HOUR INSERT INVERTED KEY LAST LOCKED LOOKUP
        MATERIALIZED MERGE MINUTE MONTH NAN NEXT NO NOWAIT NULLS OF OPERATOR ORDINALITY OTHERS OVER
        OVERRIDING PARTITION PRECEDING PREPARE RANGE READ RECURSIVE ROLLUP ROWS SECOND SET SETS SHARE
        SHOW SIZE SKIP STRAIGHT SYSTEM TIES UNBOUNDED UNKNOWN UPDATE UPSERT VALUE VARYING VERBOSE
        WITHIN WITHOUT YEAR ZONE;
}

const SLOTS: usize = 1024;

const fn hash(word: &[u8]) -> usize {
    let mut hash: u32 = 0x811c_9dc5;
    let mut at = 0;
    while at < word.len() {
        // In range: the loop's condition.
        #[expect(clippy::indexing_slicing, reason = "iterators are not const")]
        let byte = word[at] & 0xdf;
        hash = (hash ^ byte as u32).wrapping_mul(0x0100_0193);
        at += 1;
    }
    ((hash ^ (hash >> 15)) as usize) % SLOTS
}

#[expect(
    clippy::indexing_slicing,
    reason = "iterators are not const; the table is larger than the list"
)]
#[expect(
    clippy::cast_possible_truncation,
    reason = "there are fewer than 255 words, see the tests"
)]
const fn slots() -> [u8; SLOTS] {
    let mut slots = [0; SLOTS];
    let mut word = 0;
    while word < KEYWORDS.len() {
        let mut slot = hash(KEYWORDS[word].0.as_bytes());
        while slots[slot] != 0 {
            slot = (slot + 1) % SLOTS;
        }
        slots[slot] = word as u8 + 1;
        word += 1;
    }
    slots
}

/// Open addressing: a word's number, from 1; 0 is an empty slot.
static TABLE: [u8; SLOTS] = slots();

/// The longest keyword.
const LONGEST: usize = 17;

impl Keyword {
    /// The keyword that a word is, in any case.
    pub(crate) fn of(word: &[u8]) -> Option<Self> {
        if word.len() > LONGEST {
            return None;
        }
        let mut slot = hash(word);
        loop {
            let number = usize::from(*TABLE.get(slot)?);
            let (text, keyword, _) = KEYWORDS.get(number.checked_sub(1)?)?;
            if text.as_bytes().eq_ignore_ascii_case(word) {
                return Some(*keyword);
            }
            slot = (slot + 1) % SLOTS;
        }
    }

    /// Whether it may follow an expression as its name, without AS.
    pub(crate) fn is_bare_label(self) -> bool {
        use Keyword as K;
        !matches!(
            self,
            K::ARRAY
                | K::AS
                | K::CHAR
                | K::CHARACTER
                | K::COLLATE
                | K::CREATE
                | K::DAY
                | K::EXCEPT
                | K::FETCH
                | K::FILTER
                | K::FOR
                | K::FROM
                | K::GRANT
                | K::GROUP
                | K::HAVING
                | K::HOUR
                | K::INTERSECT
                | K::INTO
                | K::ISNULL
                | K::LIMIT
                | K::MINUTE
                | K::MONTH
                | K::NOTNULL
                | K::OFFSET
                | K::ON
                | K::ORDER
                | K::OVER
                | K::OVERLAPS
                | K::PRECISION
                | K::RETURNING
                | K::SECOND
                | K::TO
                | K::UNION
                | K::VARYING
                | K::WHERE
                | K::WINDOW
                | K::WITH
                | K::WITHIN
                | K::WITHOUT
                | K::YEAR
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_found_in_any_case() {
        assert!(KEYWORDS.len() < 255);
        for (text, keyword, category) in KEYWORDS {
            assert!(text.len() <= LONGEST);
            assert_eq!(Keyword::of(text.as_bytes()), Some(*keyword));
            assert_eq!(Keyword::of(text.to_ascii_lowercase().as_bytes()), Some(*keyword));
            assert_eq!(keyword.category(), *category);
        }
        for word in ["", "selec", "selects", "é", "\u{7f}", "current_timestampx", "C\u{21}R"] {
            assert_eq!(Keyword::of(word.as_bytes()), None, "{word}");
        }
    }
}
