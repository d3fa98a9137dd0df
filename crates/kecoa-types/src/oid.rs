//! Object identifiers of PostgreSQL's built-in types, as in `pg_type.dat` of PostgreSQL 18.
//!
//! CockroachDB uses the same numbers for the types it shares with PostgreSQL; its own, which an
//! extension would bring to PostgreSQL under other numbers, are at the end. Types created in a
//! database (enumerations, domains, extensions) have numbers of their own and are not here.

/// Defines the constants and the look-ups from one table.
macro_rules! oids {
    ($($name:ident = $oid:literal, $sql:literal $(, $array:ident = $array_oid:literal)?;)*) => {
        $(
            #[doc = concat!("`", $sql, "`")]
            pub const $name: u32 = $oid;
            $(
                #[doc = concat!("Array of `", $sql, "`")]
                pub const $array: u32 = $array_oid;
            )?
        )*

        /// The type of the elements of a built-in array type.
        ///
        /// `int2vector` and `oidvector` are not arrays here: their text form is not an array's.
        #[must_use]
        pub const fn element_of(array: u32) -> Option<u32> {
            match array {
                $($($array_oid => Some($oid),)?)*
                _ => None,
            }
        }

        /// The array type whose elements are of a built-in type.
        #[must_use]
        pub const fn array_of(element: u32) -> Option<u32> {
            match element {
                $($($oid => Some($array_oid),)?)*
                _ => None,
            }
        }

        /// The name of a built-in type as `pg_type.typname` has it: `int4`, `_int4`.
        #[must_use]
        pub const fn name_of(oid: u32) -> Option<&'static str> {
            match oid {
                $($oid => Some($sql), $($array_oid => Some(concat!("_", $sql)),)?)*
                _ => None,
            }
        }
    };
}

/// What separates the elements of an array in text form: `;` for `box`, `:` for `geometry` and
/// `geography`, `,` for all others.
#[must_use]
pub const fn delimiter_of(array: u32) -> u8 {
    match array {
        BOX_ARRAY => b';',
        GEOMETRY_ARRAY | GEOGRAPHY_ARRAY => b':',
        _ => b',',
    }
}

/// The built-in range and multirange whose bounds are of a type; 0 and 0 where there are none.
#[must_use]
pub const fn ranges_of(bound: u32) -> (u32, u32) {
    match bound {
        INT4 => (INT4RANGE, INT4MULTIRANGE),
        INT8 => (INT8RANGE, INT8MULTIRANGE),
        NUMERIC => (NUMRANGE, NUMMULTIRANGE),
        TIMESTAMP => (TSRANGE, TSMULTIRANGE),
        TIMESTAMPTZ => (TSTZRANGE, TSTZMULTIRANGE),
        DATE => (DATERANGE, DATEMULTIRANGE),
        _ => (0, 0),
    }
}

/// The type of the bounds of a built-in range or multirange.
#[must_use]
pub const fn bound_of(range: u32) -> Option<u32> {
    Some(match range {
        INT4RANGE | INT4MULTIRANGE => INT4,
        INT8RANGE | INT8MULTIRANGE => INT8,
        NUMRANGE | NUMMULTIRANGE => NUMERIC,
        TSRANGE | TSMULTIRANGE => TIMESTAMP,
        TSTZRANGE | TSTZMULTIRANGE => TIMESTAMPTZ,
        DATERANGE | DATEMULTIRANGE => DATE,
        _ => return None,
    })
}

/// Whether the type is a built-in range, and no multirange.
#[must_use]
pub const fn is_range(oid: u32) -> bool {
    matches!(oid, INT4RANGE | INT8RANGE | NUMRANGE | TSRANGE | TSTZRANGE | DATERANGE)
}

/// The first oid of what is created in a database (PostgreSQL's `FirstNormalObjectId`).
const FIRST_OWN: u32 = 16_384;

/// Whether a type is one of a database's own: an enumeration, a type of an extension.
pub(crate) const fn is_own(oid: u32) -> bool {
    oid >= FIRST_OWN && name_of(oid).is_none()
}

oids! {
    BOOL = 16, "bool", BOOL_ARRAY = 1000;
    BYTEA = 17, "bytea", BYTEA_ARRAY = 1001;
    CHAR = 18, "char", CHAR_ARRAY = 1002;
    NAME = 19, "name", NAME_ARRAY = 1003;
    INT8 = 20, "int8", INT8_ARRAY = 1016;
    INT2 = 21, "int2", INT2_ARRAY = 1005;
    INT2VECTOR = 22, "int2vector", INT2VECTOR_ARRAY = 1006;
    INT4 = 23, "int4", INT4_ARRAY = 1007;
    REGPROC = 24, "regproc", REGPROC_ARRAY = 1008;
    TEXT = 25, "text", TEXT_ARRAY = 1009;
    OID = 26, "oid", OID_ARRAY = 1028;
    TID = 27, "tid", TID_ARRAY = 1010;
    XID = 28, "xid", XID_ARRAY = 1011;
    CID = 29, "cid", CID_ARRAY = 1012;
    OIDVECTOR = 30, "oidvector", OIDVECTOR_ARRAY = 1013;
    PG_DDL_COMMAND = 32, "pg_ddl_command";
    JSON = 114, "json", JSON_ARRAY = 199;
    XML = 142, "xml", XML_ARRAY = 143;
    PG_NODE_TREE = 194, "pg_node_tree";
    TABLE_AM_HANDLER = 269, "table_am_handler";
    INDEX_AM_HANDLER = 325, "index_am_handler";
    POINT = 600, "point", POINT_ARRAY = 1017;
    LSEG = 601, "lseg", LSEG_ARRAY = 1018;
    PATH = 602, "path", PATH_ARRAY = 1019;
    BOX = 603, "box", BOX_ARRAY = 1020;
    POLYGON = 604, "polygon", POLYGON_ARRAY = 1027;
    LINE = 628, "line", LINE_ARRAY = 629;
    CIDR = 650, "cidr", CIDR_ARRAY = 651;
    FLOAT4 = 700, "float4", FLOAT4_ARRAY = 1021;
    FLOAT8 = 701, "float8", FLOAT8_ARRAY = 1022;
    UNKNOWN = 705, "unknown";
    CIRCLE = 718, "circle", CIRCLE_ARRAY = 719;
    MACADDR8 = 774, "macaddr8", MACADDR8_ARRAY = 775;
    MONEY = 790, "money", MONEY_ARRAY = 791;
    MACADDR = 829, "macaddr", MACADDR_ARRAY = 1040;
    INET = 869, "inet", INET_ARRAY = 1041;
    ACLITEM = 1033, "aclitem", ACLITEM_ARRAY = 1034;
    BPCHAR = 1042, "bpchar", BPCHAR_ARRAY = 1014;
    VARCHAR = 1043, "varchar", VARCHAR_ARRAY = 1015;
    DATE = 1082, "date", DATE_ARRAY = 1182;
    TIME = 1083, "time", TIME_ARRAY = 1183;
    TIMESTAMP = 1114, "timestamp", TIMESTAMP_ARRAY = 1115;
    TIMESTAMPTZ = 1184, "timestamptz", TIMESTAMPTZ_ARRAY = 1185;
    INTERVAL = 1186, "interval", INTERVAL_ARRAY = 1187;
    TIMETZ = 1266, "timetz", TIMETZ_ARRAY = 1270;
    BIT = 1560, "bit", BIT_ARRAY = 1561;
    VARBIT = 1562, "varbit", VARBIT_ARRAY = 1563;
    NUMERIC = 1700, "numeric", NUMERIC_ARRAY = 1231;
    REFCURSOR = 1790, "refcursor", REFCURSOR_ARRAY = 2201;
    REGPROCEDURE = 2202, "regprocedure", REGPROCEDURE_ARRAY = 2207;
    REGOPER = 2203, "regoper", REGOPER_ARRAY = 2208;
    REGOPERATOR = 2204, "regoperator", REGOPERATOR_ARRAY = 2209;
    REGCLASS = 2205, "regclass", REGCLASS_ARRAY = 2210;
    REGTYPE = 2206, "regtype", REGTYPE_ARRAY = 2211;
    RECORD = 2249, "record", RECORD_ARRAY = 2287;
    CSTRING = 2275, "cstring", CSTRING_ARRAY = 1263;
    ANY = 2276, "any";
    ANYARRAY = 2277, "anyarray";
    VOID = 2278, "void";
    TRIGGER = 2279, "trigger";
    LANGUAGE_HANDLER = 2280, "language_handler";
    INTERNAL = 2281, "internal";
    ANYELEMENT = 2283, "anyelement";
    ANYNONARRAY = 2776, "anynonarray";
    UUID = 2950, "uuid", UUID_ARRAY = 2951;
    TXID_SNAPSHOT = 2970, "txid_snapshot", TXID_SNAPSHOT_ARRAY = 2949;
    FDW_HANDLER = 3115, "fdw_handler";
    PG_LSN = 3220, "pg_lsn", PG_LSN_ARRAY = 3221;
    TSM_HANDLER = 3310, "tsm_handler";
    PG_NDISTINCT = 3361, "pg_ndistinct";
    PG_DEPENDENCIES = 3402, "pg_dependencies";
    ANYENUM = 3500, "anyenum";
    TSVECTOR = 3614, "tsvector", TSVECTOR_ARRAY = 3643;
    TSQUERY = 3615, "tsquery", TSQUERY_ARRAY = 3645;
    GTSVECTOR = 3642, "gtsvector", GTSVECTOR_ARRAY = 3644;
    REGCONFIG = 3734, "regconfig", REGCONFIG_ARRAY = 3735;
    REGDICTIONARY = 3769, "regdictionary", REGDICTIONARY_ARRAY = 3770;
    JSONB = 3802, "jsonb", JSONB_ARRAY = 3807;
    ANYRANGE = 3831, "anyrange";
    EVENT_TRIGGER = 3838, "event_trigger";
    INT4RANGE = 3904, "int4range", INT4RANGE_ARRAY = 3905;
    NUMRANGE = 3906, "numrange", NUMRANGE_ARRAY = 3907;
    TSRANGE = 3908, "tsrange", TSRANGE_ARRAY = 3909;
    TSTZRANGE = 3910, "tstzrange", TSTZRANGE_ARRAY = 3911;
    DATERANGE = 3912, "daterange", DATERANGE_ARRAY = 3913;
    INT8RANGE = 3926, "int8range", INT8RANGE_ARRAY = 3927;
    JSONPATH = 4072, "jsonpath", JSONPATH_ARRAY = 4073;
    REGNAMESPACE = 4089, "regnamespace", REGNAMESPACE_ARRAY = 4090;
    REGROLE = 4096, "regrole", REGROLE_ARRAY = 4097;
    REGCOLLATION = 4191, "regcollation", REGCOLLATION_ARRAY = 4192;
    INT4MULTIRANGE = 4451, "int4multirange", INT4MULTIRANGE_ARRAY = 6150;
    NUMMULTIRANGE = 4532, "nummultirange", NUMMULTIRANGE_ARRAY = 6151;
    TSMULTIRANGE = 4533, "tsmultirange", TSMULTIRANGE_ARRAY = 6152;
    TSTZMULTIRANGE = 4534, "tstzmultirange", TSTZMULTIRANGE_ARRAY = 6153;
    DATEMULTIRANGE = 4535, "datemultirange", DATEMULTIRANGE_ARRAY = 6155;
    INT8MULTIRANGE = 4536, "int8multirange", INT8MULTIRANGE_ARRAY = 6157;
    ANYMULTIRANGE = 4537, "anymultirange";
    ANYCOMPATIBLEMULTIRANGE = 4538, "anycompatiblemultirange";
    PG_BRIN_BLOOM_SUMMARY = 4600, "pg_brin_bloom_summary";
    PG_BRIN_MINMAX_MULTI_SUMMARY = 4601, "pg_brin_minmax_multi_summary";
    PG_MCV_LIST = 5017, "pg_mcv_list";
    PG_SNAPSHOT = 5038, "pg_snapshot", PG_SNAPSHOT_ARRAY = 5039;
    XID8 = 5069, "xid8", XID8_ARRAY = 271;
    ANYCOMPATIBLE = 5077, "anycompatible";
    ANYCOMPATIBLEARRAY = 5078, "anycompatiblearray";
    ANYCOMPATIBLENONARRAY = 5079, "anycompatiblenonarray";
    ANYCOMPATIBLERANGE = 5080, "anycompatiblerange";
    GEOMETRY = 90000, "geometry", GEOMETRY_ARRAY = 90001;
    GEOGRAPHY = 90002, "geography", GEOGRAPHY_ARRAY = 90003;
    PGVECTOR = 90006, "vector", PGVECTOR_ARRAY = 90007;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_and_elements_are_inverse() {
        for oid in 0..100_000 {
            if let Some(array) = array_of(oid) {
                assert_eq!(element_of(array), Some(oid));
            }
            if let Some(element) = element_of(oid) {
                assert_eq!(array_of(element), Some(oid));
                assert!(name_of(oid).is_some_and(|name| name.starts_with('_')));
            }
        }
    }

    #[test]
    fn well_known_numbers() {
        assert_eq!(INT8, 20);
        assert_eq!(element_of(INT8_ARRAY), Some(INT8));
        assert_eq!(array_of(TIMESTAMPTZ), Some(1185));
        assert_eq!(name_of(1700), Some("numeric"));
        assert_eq!(name_of(1231), Some("_numeric"));
        assert_eq!(name_of(100_000), None);
        assert_eq!(element_of(TEXT), None);
        assert_eq!(delimiter_of(BOX_ARRAY), b';');
    }
}
