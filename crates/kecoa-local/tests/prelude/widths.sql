-- Calls of functions that take an int8, and operators of one: ? stands for an integer of any width.
SELECT format('SELECT %I(%s)%s', p.proname, (
    SELECT string_agg(CASE WHEN t IN ('int8'::regtype, 'crdb_internal.int8_offset'::regtype) THEN 'NULL::?'
      WHEN t IN ('anyelement'::regtype, 'anynonarray'::regtype, 'anycompatible'::regtype, '"any"'::regtype) THEN 'NULL::text'
      WHEN t IN ('anyarray'::regtype, 'anycompatiblearray'::regtype) THEN 'NULL::text[]'
      ELSE 'NULL::' || format_type(t, NULL) END, ', ' ORDER BY n)
    FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS a(t, n)),
  CASE p.prokind WHEN 'w' THEN ' OVER ()' ELSE '' END), p.proname
FROM pg_proc p
WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind IN ('f', 'w', 'a') AND p.pronargs BETWEEN 1 AND 5
  AND ('int8'::regtype = ANY (p.proargtypes::oid[]) OR 'crdb_internal.int8_offset'::regtype = ANY (p.proargtypes::oid[]))
  AND NOT ('internal'::regtype = ANY (p.proargtypes::oid[]) OR 'cstring'::regtype = ANY (p.proargtypes::oid[]))
UNION ALL
SELECT format('SELECT %s %s %s', CASE oprleft WHEN 0 THEN '' WHEN 'int8'::regtype THEN 'NULL::?'
    ELSE 'NULL::' || format_type(oprleft, NULL) END, oprname,
  'NULL::' || CASE oprright WHEN 'int8'::regtype THEN '?' ELSE format_type(oprright, NULL) END), oprname
FROM pg_operator
WHERE oprnamespace = 'pg_catalog'::regnamespace AND 'int8'::regtype IN (oprleft, oprright)
  AND NOT 'crdb_internal.int8_dividend'::regtype IN (oprleft, oprright);
