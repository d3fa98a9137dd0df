-- Functions of PostgreSQL's own that CockroachDB has with other types. PostgreSQL searches
-- pg_catalog before all else, and of two functions that fit equally well it takes neither: so the
-- original goes to crdb_internal, and one that takes and gives what CockroachDB's does stands in
-- its place. What names the original by its oid (operators, casts, views) keeps it.
--
-- The rows are written into the catalog themselves: a CREATE FUNCTION each would take longer than
-- all else, and a VIRTUAL column may use functions with oids below 12000 only.
SET allow_system_table_mods = on;

-- What an earlier version put beside the originals would fit as well as they do.
UPDATE pg_proc SET pronamespace = 'crdb_internal'::regnamespace, proname = 'earlier_' || proname
WHERE pronamespace = 'pg_catalog'::regnamespace AND oid >= 12000::oid
  AND (proname = 'generate_subscripts' AND proargtypes[0] = 'int2vector'::regtype
    OR proname = 'pg_get_indexdef' AND proargtypes[1] IN ('int2'::regtype, 'int8'::regtype));

-- Functions that only PostgreSQL has: nothing stands in for them.
CREATE TEMPORARY TABLE foreign_function AS
SELECT f.name::name AS name
FROM regexp_split_to_table(btrim(current_setting('kecoa.foreign_functions'), E' \n'), E'\n') AS f(name);
RESET kecoa.foreign_functions;

-- The originals, wherever they are: this can be run again.
CREATE TEMPORARY VIEW originals AS
SELECT p.oid, p.proname, p.prolang, p.prosupport, p.prokind, p.proisstrict, p.proretset,
  p.prorettype, p.pronargs, p.proargtypes, p.proallargtypes, p.prosrc
FROM pg_catalog.pg_proc p
WHERE p.pronamespace IN ('pg_catalog'::pg_catalog.regnamespace, 'crdb_internal'::pg_catalog.regnamespace)
  AND (p.oid < 8000::oid OR p.oid BETWEEN 10000::oid AND 11999::oid)
  -- Who may call it, PostgreSQL says: nothing stands in for it.
  AND p.proacl IS NULL AND p.proname NOT IN (SELECT f.name FROM foreign_function f);

CREATE TEMPORARY TABLE replacement (
  original oid, -- what it stands in for
  source oid, -- what it has the rest from
  name name, arguments oidvector, language oid, result oid, is_strict bool, support regproc, body text
);

-- INT is 64 bits wide: what takes an int4 takes an int8, and refuses what is out of range; what
-- gives an int4 gives an int8. A C function that gives an int4 gives the int8 of the same value as
-- it is, for a Datum has 64 bits.
INSERT INTO replacement
WITH internal AS MATERIALIZED (
  -- What operators, casts, types and access methods use under a name that nobody calls.
  SELECT oprcode::oid AS oid FROM pg_operator
  UNION ALL SELECT oprrest FROM pg_operator UNION ALL SELECT oprjoin FROM pg_operator
  UNION ALL SELECT unnest(ARRAY[typinput, typoutput, typreceive, typsend, typmodin, typmodout]::oid[]) FROM pg_type
  UNION ALL SELECT castfunc FROM pg_cast UNION ALL SELECT amproc FROM pg_amproc
  UNION ALL SELECT unnest(ARRAY[aggtransfn, aggfinalfn, aggcombinefn, aggmtransfn, aggminvtransfn,
                                aggmfinalfn]::oid[]) FROM pg_aggregate
)
SELECT p.oid, p.oid, p.proname, w.arguments,
  CASE WHEN w.arguments = p.proargtypes AND p.prorettype <> 1007 THEN p.prolang ELSE 14::oid END,
  CASE p.prorettype WHEN 23 THEN 20 WHEN 1007 THEN 1016 ELSE p.prorettype END,
  -- A set of a function that is not STRICT can be inlined.
  p.proisstrict AND NOT (p.proretset AND w.arguments <> p.proargtypes),
  CASE WHEN w.arguments = p.proargtypes AND p.prorettype <> 1007 THEN p.prosupport ELSE '-' END,
  CASE WHEN w.arguments = p.proargtypes AND p.prolang = 12 AND p.prorettype <> 1007 THEN p.prosrc
    ELSE CASE WHEN p.proallargtypes IS NULL THEN 'SELECT ' ELSE 'SELECT r.* FROM ' END
      || format('crdb_internal.%I(%s)', p.proname, w.passed)
      || CASE WHEN p.proallargtypes IS NOT NULL THEN ' AS r'
           WHEN p.prorettype = 23 THEN '::pg_catalog.int8'
           WHEN p.prorettype = 1007 THEN '::pg_catalog.int8[]' ELSE '' END
  END
FROM (
  SELECT * FROM originals
  WHERE prokind = 'f' AND (prorettype IN (23, 1007) OR 23 = ANY (proargtypes::oid[]) OR 1007 = ANY (proargtypes::oid[]))
  OFFSET 0
) AS p
CROSS JOIN LATERAL (
  SELECT coalesce(string_agg(CASE a.type WHEN 23 THEN '20' WHEN 1007 THEN '1016' ELSE a.type::text END, ' '
                    ORDER BY a.n), '')::oidvector AS arguments,
    string_agg('$' || a.n || CASE a.type WHEN 23 THEN '::pg_catalog.int4'
                               WHEN 1007 THEN '::pg_catalog.int4[]' ELSE '' END, ', ' ORDER BY a.n) AS passed
  FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS a(type, n)
) AS w
WHERE (p.prorettype IN (23, 1007) OR w.arguments <> p.proargtypes)
  AND NOT (p.proretset AND p.prorettype = 23 AND w.arguments = p.proargtypes)
  AND NOT 2281 = ANY (p.proargtypes::oid[]) AND p.prorettype <> 2281
  -- Only C functions take arguments of any type.
  AND NOT (w.arguments <> p.proargtypes AND 2276 = ANY (p.proargtypes::oid[]))
  AND p.oid NOT IN (SELECT i.oid FROM internal i)
  -- libpq finds these by name and calls them with int4.
  AND p.proname !~ '^(lo_|lo(read|write)$|int4|int[28]sh[lr]$|textlen$|json_|pg_isolation_|pg_logical_slot_)'
  -- CockroachDB does not have these.
  AND p.proname NOT IN ('pg_advisory_lock', 'pg_advisory_lock_shared', 'pg_try_advisory_lock_shared')
  -- There is one for int8 already.
  AND NOT EXISTS (SELECT 1 FROM originals q
                  WHERE q.proname = p.proname AND q.proargtypes = w.arguments AND q.oid <> p.oid);

-- The other way round an int2 or an int4 fits the C function for int8 as it is.
INSERT INTO replacement
SELECT p.oid, p.oid, p.proname, p.proargtypes, p.prolang, 20, p.proisstrict, q.prosupport, q.prosrc
FROM originals p JOIN originals q
  ON q.proname = p.proname AND q.pronargs = p.pronargs AND q.prorettype = 20
WHERE p.proname IN ('generate_series', 'mod', 'abs') AND p.prorettype IN (21, 23);

-- Window functions are C functions only: the domain sees to the range of int4.
DO $$
BEGIN
  IF to_regtype('crdb_internal.int8_offset') IS NULL THEN
    CREATE DOMAIN crdb_internal.int8_offset AS int8
      CONSTRAINT in_range CHECK (VALUE BETWEEN -2147483648 AND 2147483647);
  END IF;
END
$$;
INSERT INTO replacement
SELECT p.oid, p.oid, p.proname,
  replace(' ' || p.proargtypes::text || ' ', ' 23 ',
          ' ' || 'crdb_internal.int8_offset'::regtype::oid || ' ')::oidvector,
  p.prolang, CASE p.prorettype WHEN 23 THEN 20 ELSE p.prorettype END, p.proisstrict, p.prosupport, p.prosrc
FROM originals p
WHERE p.prokind = 'w' AND 23 = ANY (p.proargtypes::oid[]);

-- extract() gives a FLOAT, as date_part() does.
INSERT INTO replacement
SELECT p.oid, p.oid, p.proname, p.proargtypes, q.prolang, q.prorettype, p.proisstrict, q.prosupport,
  CASE q.prolang WHEN 12 THEN q.prosrc ELSE 'SELECT pg_catalog.date_part($1, $2)' END
FROM originals p JOIN originals q
  ON q.proname = 'date_part' AND q.proargtypes = p.proargtypes
WHERE p.proname = 'extract';

-- JSON is JSONB: a function of json is the one of jsonb. What to_jsonb is given besides, it leaves.
INSERT INTO replacement
SELECT p.oid, q.oid, p.proname, q.proargtypes, q.prolang,
  CASE q.prorettype WHEN 23 THEN 20 ELSE q.prorettype END, q.proisstrict, q.prosupport, q.prosrc
FROM originals p JOIN originals q
  ON q.proname = CASE p.proname WHEN 'to_json' THEN 'to_jsonb' ELSE replace(p.proname, 'json_', 'jsonb_') END
  AND (q.proargtypes = replace(' ' || p.proargtypes::text || ' ', ' 114 ', ' 3802 ')::oidvector
       OR p.proname ~ '^json_populate_record')
WHERE (p.proname ~ '^json_' OR p.proname = 'to_json') AND p.proname !~ '_(in|out|recv|send)$'
UNION ALL
SELECT p.oid, p.oid, p.proname, p.proargtypes, 12, 3802, p.proisstrict, '-', 'to_jsonb'
FROM originals p
WHERE p.proname IN ('row_to_json', 'array_to_json');
UPDATE pg_cast SET castcontext = 'i' WHERE castsource = 114 AND casttarget = 3802 AND castcontext <> 'i';
