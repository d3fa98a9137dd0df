-- Everything that takes an int4, called with an int8 instead.
CREATE TEMP TABLE calls AS
SELECT format('SELECT %I(%s)', p.proname, (
    SELECT string_agg('NULL::' || CASE format_type(t, NULL) WHEN 'integer' THEN 'int8'
      WHEN 'integer[]' THEN 'int8[]' WHEN 'anyelement' THEN 'text' WHEN 'anyarray' THEN 'text[]'
      WHEN 'anycompatible' THEN 'text' WHEN 'anycompatiblearray' THEN 'text[]' WHEN '"any"' THEN 'text'
      ELSE format_type(t, NULL) END, ', ')
    FROM unnest(p.proargtypes::oid[]) AS t))
  || CASE p.prokind WHEN 'w' THEN ' OVER ()' ELSE '' END AS sql
FROM pg_proc p
WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind IN ('f', 'w', 'a') AND p.proacl IS NULL
  AND ('int4'::regtype = ANY (p.proargtypes::oid[]) OR 'int4[]'::regtype = ANY (p.proargtypes::oid[]))
  AND NOT ('internal'::regtype = ANY (p.proargtypes::oid[]) OR 'cstring'::regtype = ANY (p.proargtypes::oid[]))
  -- Nobody calls what operators, casts, types, aggregates and indexes are made of by its name.
  AND p.oid NOT IN (
    SELECT oprcode::oid FROM pg_operator UNION ALL SELECT castfunc FROM pg_cast
    UNION ALL SELECT amproc FROM pg_amproc UNION ALL SELECT typmodout FROM pg_type
    UNION ALL SELECT typoutput FROM pg_type UNION ALL SELECT typsend FROM pg_type
    UNION ALL SELECT aggtransfn FROM pg_aggregate UNION ALL SELECT aggminvtransfn FROM pg_aggregate
    UNION ALL SELECT rngsubdiff FROM pg_range)
UNION ALL
SELECT format('SELECT %s %s %s',
  'NULL::' || CASE oprleft WHEN 'int4'::regtype THEN 'int8' ELSE format_type(oprleft, NULL) END, oprname,
  'NULL::' || CASE oprright WHEN 'int4'::regtype THEN 'int8' ELSE format_type(oprright, NULL) END)
FROM pg_operator WHERE 'int4'::regtype IN (oprleft, oprright) AND oprleft <> 0;
