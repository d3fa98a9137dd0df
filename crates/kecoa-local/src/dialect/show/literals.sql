-- A name as CockroachDB writes it: some words are names in one of the two databases only.
CREATE OR REPLACE FUNCTION crdb_internal.quote_name(name text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE WHEN name IN ('family', 'index', 'none', 'nothing') THEN '"' || name || '"'
    WHEN name IN ('binary', 'freeze', 'system_user', 'tablesample', 'verbose') THEN name
    ELSE pg_catalog.quote_ident(name) END
$$;

-- Literals and names of types as CockroachDB prints them. `mark` stands before the type of a literal:
-- ::: in definitions, :: in texts of pg_catalog (numbers have none there), nothing elsewhere.

-- A string: e'…' with escapes as soon as one character is not plain ASCII, or is a quote.
CREATE OR REPLACE FUNCTION crdb_internal.shown_string(value text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  result text := '';
  c text;
  code int4;
BEGIN
  IF value ~ '^[ -&(-\[\]-~]*$' THEN
    RETURN '''' || value || '''';
  END IF;
  FOREACH c IN ARRAY pg_catalog.string_to_array(value, NULL) LOOP
    code := pg_catalog.ascii(c);
    result := result || CASE
      WHEN c = '''' THEN '\'''
      WHEN c = '\' THEN '\\'
      WHEN code = 9 THEN '\t'
      WHEN code = 10 THEN '\n'
      WHEN code = 13 THEN '\r'
      WHEN code BETWEEN 32 AND 126 THEN c
      WHEN code < 128 THEN '\x' || pg_catalog.lpad(pg_catalog.to_hex(code), 2, '0')
      WHEN code < 65536 THEN '\u' || pg_catalog.upper(pg_catalog.lpad(pg_catalog.to_hex(code), 4, '0'))
      ELSE '\U' || pg_catalog.upper(pg_catalog.lpad(pg_catalog.to_hex(code), 8, '0'))
    END;
  END LOOP;
  RETURN 'e''' || result || '''';
END
$$;

-- PostgreSQL's functions that the endpoint has moved, since it has another of that name: what was made before calls them.
CREATE OR REPLACE FUNCTION crdb_internal.moved_functions() RETURNS SETOF text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT DISTINCT p.proname::text FROM pg_catalog.pg_proc p
  WHERE p.pronamespace = 'crdb_internal'::regnamespace AND p.oid < 8000::oid
$$;

-- crdb_internal.cbrt -> cbrt
CREATE OR REPLACE FUNCTION crdb_internal.shown_function(name text) RETURNS text
LANGUAGE sql STABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE WHEN name ~ '^crdb_internal\.' AND pg_catalog.substr(name, 15) IN (SELECT crdb_internal.moved_functions())
    THEN pg_catalog.substr(name, 15) ELSE name END
$$;

-- What stands in a string literal of PostgreSQL's.
CREATE OR REPLACE FUNCTION crdb_internal.literal_value(literal text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE
    WHEN literal LIKE 'E%' OR literal LIKE 'e%' THEN crdb_internal.regexp_replace(pg_catalog.replace(
      pg_catalog.substr(literal, 3, pg_catalog.length(literal) - 3), '''''', ''''),
      '\\(.)', '\1', 'g')
    ELSE pg_catalog.replace(
      pg_catalog.substr(literal, 2, pg_catalog.length(literal) - 2), '''''', '''')
  END
$$;

-- CockroachDB's name of a type that PostgreSQL printed: character varying(3) -> VARCHAR(3).
CREATE OR REPLACE FUNCTION crdb_internal.shown_type(name text) RETURNS text
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE AS $$
DECLARE
  plain text := CASE WHEN pg_catalog.strpos(name, '(') > 0
    THEN crdb_internal.regexp_replace(name, ' ?\([0-9, ]+\)', '') ELSE name END;
  length text := CASE WHEN pg_catalog.strpos(name, '(') > 0
    THEN pg_catalog.replace(pg_catalog.substring(name, '\([0-9, ]+\)'), ' ', '') END;
  kind regtype := pg_catalog.to_regtype(plain);
  known text;
BEGIN
  IF kind IS NULL THEN
    RETURN name;
  END IF;
  known := crdb_internal.sql_type(kind, -1);
  IF length IS NULL OR known IN ('CHAR', 'BIT') AND length = '(1)' THEN
    RETURN known;
  ELSIF known LIKE '%[]' THEN
    RETURN pg_catalog."left"(known, -2) || length || '[]';
  END IF;
  RETURN known || length;
END
$$;

-- A number of a type: negative ones stand in brackets, whole FLOAT8 have a decimal point.
CREATE OR REPLACE FUNCTION crdb_internal.shown_number(value text, kind text, mark text)
RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  digits text := value;
BEGIN
  IF pg_catalog.ascii(pg_catalog.ltrim(value, '-')) NOT BETWEEN 46 AND 57 THEN
    digits := '''' || value || '''';
  ELSIF kind LIKE 'FLOAT%' AND pg_catalog.trunc(value::numeric) = value::numeric
      AND pg_catalog.abs(value::numeric) < 1000000 THEN
    digits := pg_catalog.trunc(value::numeric)::text || '.0';
  ELSIF kind LIKE 'FLOAT%' THEN
    digits := value::float8::text;
  END IF;
  IF digits LIKE '-%' THEN
    digits := '(' || digits || ')';
  END IF;
  RETURN digits || CASE WHEN mark = ':::' OR mark <> '' AND digits LIKE '''%' THEN mark || kind
    ELSE '' END;
END
$$;

-- A literal that PostgreSQL prints as a string with a type: '{a,b}'::text[], '-1'::integer.
CREATE OR REPLACE FUNCTION crdb_internal.shown_constant(value text, kind text, mark text)
RETURNS text
LANGUAGE plpgsql STABLE STRICT AS $$
DECLARE
  plain text := CASE WHEN pg_catalog.strpos(kind, '(') > 0
    THEN crdb_internal.regexp_replace(kind, '\([0-9,]+\)', '') ELSE kind END;
BEGIN
  CASE
    WHEN kind LIKE '%[]' THEN
      RETURN 'ARRAY[' || coalesce((
        SELECT pg_catalog.string_agg(CASE WHEN e.value IS NULL THEN 'NULL'
            ELSE crdb_internal.shown_constant(e.value, pg_catalog.left(kind, -2), mark) END,
          ',' ORDER BY e.place)
        FROM pg_catalog.unnest(value::text[]) WITH ORDINALITY AS e(value, place)), '')
        || ']' || CASE WHEN mark = ':::' THEN mark || plain ELSE '' END;
    WHEN kind IN ('INT8', 'INT4', 'INT2') THEN
      RETURN crdb_internal.shown_number(value, 'INT8', mark);
    WHEN kind LIKE 'DECIMAL%' THEN
      RETURN crdb_internal.shown_number(value, 'DECIMAL', mark);
    WHEN kind LIKE 'FLOAT%' THEN
      RETURN crdb_internal.shown_number(value, 'FLOAT8', mark);
    WHEN plain IN ('STRING', 'VARCHAR', 'CHAR', 'NAME', '"char"', 'REGCONFIG', 'REGDICTIONARY') THEN
      RETURN crdb_internal.shown_string(value) || CASE WHEN mark = '' THEN '' ELSE mark || 'STRING' END;
    WHEN kind LIKE 'REG%' THEN
      RETURN crdb_internal.shown_string(value) || '::' || kind;
    WHEN plain IN ('BIT', 'VARBIT') THEN
      RETURN 'B''' || value || '''';
    WHEN kind = 'BOOL' THEN
      RETURN CASE WHEN value::bool THEN 'true' ELSE 'false' END;
    WHEN kind = 'BYTES' THEN
      RETURN '''' || value || '''' || CASE WHEN mark = '' THEN '' ELSE mark || kind END;
    ELSE
      RETURN crdb_internal.shown_string(value) || CASE WHEN mark = '' THEN '' ELSE mark || plain END;
  END CASE;
END
$$;
