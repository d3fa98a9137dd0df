-- Puts the replacements in and the originals aside. A row that is there already keeps its oid: views
-- and defaults may name it.
UPDATE pg_proc p SET prolang = r.language, prorettype = r.result, proisstrict = r.is_strict,
  prosupport = r.support, prosrc = r.body
FROM replacement r
WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.proname = r.name AND p.proargtypes = r.arguments
  AND p.oid BETWEEN 8000::oid AND 9999::oid;

UPDATE pg_proc p SET pronamespace = 'crdb_internal'::regnamespace
FROM replacement r WHERE p.oid = r.original AND p.pronamespace = 'pg_catalog'::regnamespace;

WITH made AS (
  INSERT INTO pg_proc (oid, proname, pronamespace, proowner, prolang, procost, prorows, provariadic,
    prosupport, prokind, prosecdef, proleakproof, proisstrict, proretset, provolatile, proparallel,
    pronargs, pronargdefaults, prorettype, proargtypes, proallargtypes, proargmodes, proargnames,
    proargdefaults, prosrc)
  SELECT f.oid, r.name, 'pg_catalog'::regnamespace, 10, r.language, p.procost, p.prorows, p.provariadic,
    r.support, p.prokind, false, p.proleakproof, r.is_strict, p.proretset, p.provolatile, p.proparallel,
    p.pronargs, p.pronargdefaults, r.result, r.arguments,
    CASE WHEN p.proallargtypes IS NULL THEN NULL
      ELSE r.arguments::oid[] || p.proallargtypes[p.pronargs + 1:] END,
    p.proargmodes, p.proargnames, p.proargdefaults, r.body
  FROM (
    SELECT r.*, row_number() OVER (ORDER BY r.name, r.arguments) AS place FROM replacement r
    WHERE NOT EXISTS (
      SELECT 1 FROM pg_proc p
      WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.proname = r.name AND p.proargtypes = r.arguments)
  ) AS r
  JOIN (
    SELECT row_number() OVER (ORDER BY o.o) AS place, o.o::oid AS oid FROM generate_series(8000::int8, 9899::int8) AS o(o)
    WHERE NOT EXISTS (SELECT 1 FROM pg_proc p WHERE p.oid = o.o::oid)
  ) AS f USING (place)
  JOIN pg_proc p ON p.oid = r.source
  RETURNING oid, proname, proargtypes, prokind
)
INSERT INTO pg_aggregate
SELECT m.oid, a.aggkind, a.aggnumdirectargs, a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggserialfn,
  a.aggdeserialfn, a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn, a.aggfinalextra, a.aggmfinalextra,
  a.aggfinalmodify, a.aggmfinalmodify, a.aggsortop, a.aggtranstype, a.aggtransspace, a.aggmtranstype,
  a.aggmtransspace, a.agginitval, a.aggminitval
FROM made m JOIN replacement r ON r.name = m.proname AND r.arguments = m.proargtypes
JOIN pg_aggregate a ON a.aggfnoid = r.source;

DROP TABLE replacement;
DROP VIEW originals;

-- What the files that follow make anew.
UPDATE pg_proc p SET pronamespace = 'crdb_internal'::regnamespace
WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.oid < 8000::oid
  AND (p.proname IN ('sqrt', 'ln', 'log', 'exp', 'power', 'pow', 'avg', 'variance', 'var_samp', 'var_pop',
                     'stddev', 'stddev_samp', 'stddev_pop') AND p.proargtypes[0] = 'numeric'::regtype
    OR p.proname IN ('avg', 'variance', 'var_samp', 'var_pop', 'stddev', 'stddev_samp', 'stddev_pop')
      AND p.proargtypes[0] IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)
    OR p.proname = 'sum' AND p.proargtypes[0] IN ('int2'::regtype, 'int4'::regtype)
    OR p.proname = 'cbrt'
    OR p.proname IN ('ln', 'log', 'asin', 'acos', 'asind', 'acosd', 'acosh', 'atanh')
      AND p.proargtypes = '701'::oidvector
    OR p.proname = 'sum' AND p.proargtypes = '700'::oidvector
    OR p.proname IN ('bit_and', 'bit_or') AND p.proargtypes IN ('21'::oidvector, '23'::oidvector)
    OR p.proname = 'substring' AND p.proargtypes = '25 25'::oidvector
    OR p.proname IN ('regexp_replace', 'regexp_split_to_array', 'regexp_split_to_table')
      AND NOT 23 = ANY (p.proargtypes::oid[])
    OR p.proname IN ('encode', 'quote_literal', 'quote_nullable', 'initcap', 'jsonb_pretty')
    OR p.proname = 'age' AND p.proargtypes IN ('1114'::oidvector, '1184'::oidvector)
    OR p.proname IN ('sha224', 'sha256', 'sha384', 'sha512')
    OR p.proname IN ('pg_try_advisory_lock', 'pg_advisory_unlock', 'pg_advisory_unlock_shared',
                     'pg_advisory_unlock_all', 'pg_sleep'));

-- CockroachDB's are immutable, so that a generated column or an index may call them.
UPDATE pg_proc SET provolatile = 'i' WHERE pronamespace = 'pg_catalog'::regnamespace
  AND proname IN ('concat', 'concat_ws', 'convert_from', 'convert_to', 'unaccent') AND provolatile <> 'i';
