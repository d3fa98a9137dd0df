-- Functions, procedures and triggers as CockroachDB shows them.

-- The types of a function's arguments, as CockroachDB's catalogue names them.
CREATE OR REPLACE FUNCTION crdb_internal.argument_types(routine oid) RETURNS text
LANGUAGE sql STABLE STRICT AS $$
  SELECT coalesce(pg_catalog.string_agg(pg_catalog.format_type(u.kind, NULL), ', ' ORDER BY u.place), '')
  FROM pg_catalog.pg_proc p
  CROSS JOIN LATERAL pg_catalog.unnest(p.proargtypes) WITH ORDINALITY AS u(kind, place)
  WHERE p.oid = routine
$$;

-- The arguments in a definition: IN a INT8, b STRING.
CREATE OR REPLACE FUNCTION crdb_internal.shown_arguments(routine oid) RETURNS text
LANGUAGE sql STABLE STRICT AS $$
  SELECT coalesce(pg_catalog.string_agg(
    CASE coalesce(p.proargmodes[u.place], 'i') WHEN 'o' THEN 'OUT ' WHEN 'b' THEN 'INOUT '
      WHEN 'v' THEN 'VARIADIC ' ELSE '' END
    || coalesce(crdb_internal.quote_name(nullif(p.proargnames[u.place], '')) || ' ', '')
    || crdb_internal.sql_type(u.kind, -1)
    || coalesce(' DEFAULT ' || crdb_internal.shown_expression(
      pg_catalog.pg_get_function_arg_default(routine, u.place::int4), 0,
      crdb_internal.sql_type(u.kind, -1), ':::'), ''), ', ' ORDER BY u.place), '')
  FROM pg_catalog.pg_proc p
  CROSS JOIN LATERAL pg_catalog.unnest(coalesce(p.proallargtypes, p.proargtypes::oid[]))
    WITH ORDINALITY AS u(kind, place)
  WHERE p.oid = routine AND coalesce(p.proargmodes[u.place], 'i') <> 't'
$$;

-- CREATE FUNCTION or CREATE PROCEDURE, with the body as it was given.
CREATE OR REPLACE FUNCTION crdb_internal.shown_routine(routine oid) RETURNS text
LANGUAGE sql STABLE STRICT AS $body$
  SELECT 'CREATE ' || CASE p.prokind WHEN 'p' THEN 'PROCEDURE ' ELSE 'FUNCTION ' END
    || crdb_internal.quote_name(n.nspname) || '.' || crdb_internal.quote_name(p.proname)
    || '(' || crdb_internal.shown_arguments(routine) || ')'
    || CASE WHEN p.prokind = 'p' THEN '' ELSE
      E'\n\tRETURNS ' || coalesce('TABLE (' || (
          SELECT pg_catalog.string_agg(crdb_internal.quote_name(p.proargnames[u.place]) || ' '
            || crdb_internal.sql_type(u.kind, -1), ', ' ORDER BY u.place)
          FROM pg_catalog.unnest(p.proallargtypes) WITH ORDINALITY AS u(kind, place)
          WHERE p.proargmodes[u.place] = 't') || ')',
        CASE WHEN p.proretset THEN 'SETOF ' ELSE '' END || crdb_internal.sql_type(p.prorettype, -1))
      || E'\n\t' || CASE p.provolatile WHEN 'i' THEN 'IMMUTABLE' WHEN 's' THEN 'STABLE'
        ELSE 'VOLATILE' END
      || E'\n\t' || CASE WHEN p.proleakproof THEN 'LEAKPROOF' ELSE 'NOT LEAKPROOF' END
      || E'\n\t' || CASE WHEN p.proisstrict THEN 'RETURNS NULL ON NULL INPUT'
        ELSE 'CALLED ON NULL INPUT' END END
    || E'\n\tLANGUAGE ' || CASE l.lanname WHEN 'sql' THEN 'SQL' ELSE l.lanname END
    || E'\n\tSECURITY ' || CASE WHEN p.prosecdef THEN 'DEFINER' ELSE 'INVOKER' END
    || E'\n\tAS $$\n\t' || b.body
    || CASE WHEN l.lanname = 'sql' AND b.body !~ ';$' THEN ';' ELSE '' END || E'\n$$'
  FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
  JOIN pg_catalog.pg_language l ON l.oid = p.prolang
  CROSS JOIN LATERAL (SELECT pg_catalog.btrim(coalesce(
    pg_catalog.pg_get_function_sqlbody(routine), p.prosrc), E' \n\t')) AS b(body)
  WHERE p.oid = routine
$body$;

-- The functions ('f') or procedures ('p') of this name, or an error when there is none.
CREATE OR REPLACE FUNCTION crdb_internal.shown_routines(name text, kind "char") RETURNS SETOF oid
LANGUAGE plpgsql STABLE STRICT AS $$
BEGIN
  RETURN QUERY SELECT p.oid FROM pg_catalog.pg_proc p
    JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    WHERE p.proname = name AND crdb_internal.is_users(n.nspname)
      AND CASE kind WHEN 'p' THEN p.prokind = 'p' ELSE p.prokind <> 'p' END;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '42883', MESSAGE = pg_catalog.format('unknown %s: %s()',
      CASE kind WHEN 'p' THEN 'procedure' ELSE 'function' END, name);
  END IF;
END
$$;

CREATE OR REPLACE FUNCTION crdb_internal.show_create_all_routines(database text)
RETURNS SETOF text
LANGUAGE sql STABLE STRICT AS $$
  SELECT crdb_internal.shown_routine(p.oid) || ';'
  FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
  WHERE database = pg_catalog.current_database() AND crdb_internal.is_users(n.nspname)
    AND p.prokind IN ('f', 'p') AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend e
      WHERE e.objid = p.oid AND e.deptype = 'e')
  ORDER BY p.oid
$$;

-- The trigger of a table with this name.
CREATE OR REPLACE FUNCTION crdb_internal.trigger_named(tab oid, name text) RETURNS oid
LANGUAGE plpgsql STABLE STRICT AS $$
DECLARE
  found oid := (SELECT g.oid FROM pg_catalog.pg_trigger g WHERE g.tgrelid = tab AND g.tgname = name AND NOT g.tgisinternal);
BEGIN
  IF found IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = pg_catalog.format('trigger "%s" for table "%s" does not exist', name,
      (SELECT c.relname FROM pg_catalog.pg_class c WHERE c.oid = tab));
  END IF;
  RETURN found;
END
$$;
