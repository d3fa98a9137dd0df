-- information_schema.columns with CockroachDB's columns and texts, and the hidden rowid of a table without a
-- primary key.
CALL crdb_internal.replace_view('information_schema', 'columns', $view$
SELECT pg_catalog.current_database()::text AS table_catalog, n.nspname::text AS table_schema,
  c.relname::text AS table_name, a.attname::text AS column_name, a.comment AS column_comment,
  a.attnum::int8 AS ordinal_position,
  CASE WHEN a.attidentity <> '' OR a.adbin IS NOT NULL THEN
    CASE WHEN crdb_internal.is_users(n.nspname) THEN crdb_internal.shown_default(c.oid, a.attname::text,
        crdb_internal.sql_type(a.atttypid, a.atttypmod, a.attstorage),
        pg_catalog.pg_get_expr(a.adbin, c.oid), a.attgenerated, a.attidentity)
      ELSE pg_catalog.pg_get_expr(a.adbin, c.oid) END
    WHEN a.attnum = 32767 THEN 'unique_rowid()' END AS column_default,
  CASE WHEN a.attnotnull THEN 'NO' ELSE 'YES' END AS is_nullable,
  CASE WHEN y.typelem <> 0 AND y.typlen = -1 THEN 'ARRAY'
    WHEN y.typtype = 'd' AND y.typnamespace = 'information_schema'::regnamespace
      THEN CASE y.typbasetype WHEN 'name'::regtype THEN 'text' ELSE pg_catalog.format_type(y.typbasetype, NULL) END
    WHEN y.typnamespace = 'pg_catalog'::regnamespace THEN pg_catalog.format_type(a.atttypid, NULL)
    ELSE 'USER-DEFINED' END AS data_type,
  CASE WHEN a.atttypid IN ('varchar'::regtype, 'bpchar'::regtype) AND a.atttypmod > 4 THEN a.atttypmod - 4
    WHEN a.atttypid = 'bpchar'::regtype AND a.atttypmod = 5 THEN 1
    WHEN a.atttypid = '"char"'::regtype THEN 1
    WHEN a.atttypid IN ('bit'::regtype, 'varbit'::regtype) AND a.atttypmod > 0 THEN a.atttypmod END::int8
    AS character_maximum_length,
  CASE WHEN a.atttypid IN ('varchar'::regtype, 'bpchar'::regtype) AND a.atttypmod > 4 THEN 4 * (a.atttypmod - 4)
    WHEN a.atttypid = '"char"'::regtype THEN 4 END::int8 AS character_octet_length,
  CASE a.atttypid WHEN 'int2'::regtype THEN 16 WHEN 'int4'::regtype THEN 32 WHEN 'int8'::regtype THEN 64
    WHEN 'float4'::regtype THEN 24 WHEN 'float8'::regtype THEN 53
    WHEN 'numeric'::regtype THEN CASE WHEN a.atttypmod >= 4 THEN ((a.atttypmod - 4) >> 16) & 65535 END END::int8
    AS numeric_precision,
  CASE WHEN a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'float4'::regtype, 'float8'::regtype) THEN 2
    WHEN a.atttypid = 'numeric'::regtype THEN 10 END::int8 AS numeric_precision_radix,
  CASE WHEN a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype) THEN 0
    WHEN a.atttypid = 'numeric'::regtype AND a.atttypmod >= 4 THEN (a.atttypmod - 4) & 2047 END::int8 AS numeric_scale,
  CASE WHEN a.atttypid = 'date'::regtype THEN 0
    WHEN a.atttypid IN ('time'::regtype, 'timetz'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype)
      THEN CASE WHEN a.atttypmod < 0 THEN 6 ELSE a.atttypmod END
    WHEN a.atttypid = 'interval'::regtype
      THEN CASE WHEN a.atttypmod < 0 OR a.atttypmod & 65535 = 65535 THEN 6 ELSE a.atttypmod & 65535 END END::int8
    AS datetime_precision,
  CASE WHEN a.atttypid = 'interval'::regtype THEN pg_catalog.upper(crdb_internal.substring(
    pg_catalog.format_type(a.atttypid, a.atttypmod), 'interval[()0-9]* (.*)$')) END AS interval_type,
  NULL::int8 AS interval_precision,
  NULL::text AS character_set_catalog, NULL::text AS character_set_schema, NULL::text AS character_set_name,
  CASE WHEN l.collname IS NOT NULL THEN pg_catalog.current_database()::text END AS collation_catalog,
  CASE WHEN l.collname IS NOT NULL THEN 'pg_catalog' END AS collation_schema, l.collname::text AS collation_name,
  NULL::text AS domain_catalog, NULL::text AS domain_schema, NULL::text AS domain_name,
  pg_catalog.current_database()::text AS udt_catalog,
  CASE WHEN y.typtype = 'd' THEN 'pg_catalog' ELSE u.nspname::text END AS udt_schema,
  CASE WHEN y.typtype = 'd' AND y.typnamespace = 'information_schema'::regnamespace
    THEN CASE y.typbasetype WHEN 'int4'::regtype THEN 'int4' ELSE 'text' END
    ELSE y.typname::text END AS udt_name,
  NULL::text AS scope_catalog, NULL::text AS scope_schema, NULL::text AS scope_name,
  NULL::int8 AS maximum_cardinality, NULL::text AS dtd_identifier, NULL::text AS is_self_referencing,
  CASE WHEN a.attidentity <> '' THEN 'YES' ELSE 'NO' END AS is_identity,
  CASE a.attidentity WHEN 'a' THEN 'ALWAYS' WHEN 'd' THEN 'BY DEFAULT' END AS identity_generation,
  q.seqstart::text AS identity_start, q.seqincrement::text AS identity_increment,
  q.seqmax::text AS identity_maximum, q.seqmin::text AS identity_minimum,
  CASE WHEN q.seqcycle THEN 'YES' WHEN a.attidentity <> '' THEN 'NO' END AS identity_cycle,
  CASE WHEN a.attgenerated <> '' THEN 'YES' ELSE 'NO' END AS is_generated,
  CASE WHEN a.attgenerated <> '' THEN crdb_internal.shown_expression(pg_catalog.pg_get_expr(a.adbin, c.oid), c.oid,
      crdb_internal.sql_type(a.atttypid, a.atttypmod, a.attstorage), '')
    ELSE '' END AS generation_expression,
  CASE WHEN c.relkind IN ('r', 'p') AND a.attgenerated = '' AND crdb_internal.is_users(n.nspname) THEN 'YES'
    ELSE 'NO' END AS is_updatable,
  CASE a.attnum WHEN 32767 THEN 'YES' ELSE 'NO' END AS is_hidden,
  CASE WHEN y.typtype = 'd' AND y.typnamespace = 'information_schema'::regnamespace
    THEN CASE y.typbasetype WHEN 'int4'::regtype THEN 'INT4' ELSE 'STRING' END
    ELSE crdb_internal.sql_type(a.atttypid, a.atttypmod, a.attstorage)
      || coalesce(' COLLATE ' || pg_catalog.quote_ident(l.collname), '') END AS crdb_sql_type
FROM (
  SELECT a.attrelid, a.attname, a.attnum::int4 AS attnum, a.atttypid, a.atttypmod, a.attnotnull, a.attidentity,
    a.attgenerated, a.attstorage, a.attcollation, d.adbin,
    (SELECT o.description FROM pg_catalog.pg_description o WHERE o.objoid = a.attrelid
     AND o.classoid = 'pg_catalog.pg_class'::regclass AND o.objsubid = a.attnum) AS comment
  FROM pg_catalog.pg_attribute a
  LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  SELECT t.oid, 'rowid', 32767, 'int8'::regtype, -1, true, ''::"char", ''::"char", 'p'::"char", 0::oid, NULL, NULL
  FROM pg_catalog.pg_class t
  WHERE t.relkind IN ('r', 'p') AND t.oid >= 16384::oid AND NOT t.relispartition
    AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_index i WHERE i.indrelid = t.oid AND i.indisprimary)
    AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_attribute a WHERE a.attrelid = t.oid AND a.attname = 'rowid')
) AS a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_type y ON y.oid = a.atttypid JOIN pg_catalog.pg_namespace u ON u.oid = y.typnamespace
LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation AND a.attcollation <> y.typcollation
LEFT JOIN (
  pg_catalog.pg_depend e JOIN pg_catalog.pg_sequence q ON q.seqrelid = e.objid
) ON a.attidentity <> '' AND e.classid = 'pg_catalog.pg_class'::regclass AND e.deptype = 'i'
  AND e.refclassid = 'pg_catalog.pg_class'::regclass AND e.refobjid = a.attrelid AND e.refobjsubid = a.attnum
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT pg_catalog.pg_is_other_temp_schema(n.oid)
  AND NOT crdb_internal.is_own(n.nspname, c.relname)
  AND (pg_catalog.pg_has_role(c.relowner, 'USAGE') OR CASE a.attnum
    WHEN 32767 THEN pg_catalog.has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, REFERENCES')
    ELSE pg_catalog.has_column_privilege(c.oid, a.attnum::int2, 'SELECT, INSERT, UPDATE, REFERENCES') END)
-- In their order, as they come from a cluster: knex asks for none.
ORDER BY n.nspname, c.relname, a.attnum
$view$);

-- Where earlier versions had them; users' views may read them.
DO $$
BEGIN
  DROP VIEW IF EXISTS crdb_internal.columns;
EXCEPTION WHEN dependent_objects_still_exist THEN
  NULL;
END
$$;
