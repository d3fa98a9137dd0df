-- CockroachDB's functions of strings.
CREATE OR REPLACE FUNCTION pg_catalog.char_length(val bytea) RETURNS int8
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT pg_catalog.octet_length($1)';
CREATE OR REPLACE FUNCTION pg_catalog.character_length(val bytea) RETURNS int8
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT pg_catalog.octet_length($1)';

CREATE OR REPLACE FUNCTION pg_catalog.substr(input text, regex text, escape_char text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT pg_catalog.substring($1, $2, $3)';
CREATE OR REPLACE FUNCTION pg_catalog.substr(input bit, start_pos int8) RETURNS bit
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT pg_catalog.substring($1, $2)';
CREATE OR REPLACE FUNCTION pg_catalog.substr(input bit, start_pos int8, length int8) RETURNS bit
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT pg_catalog.substring($1, $2, $3)';
CREATE OR REPLACE FUNCTION pg_catalog.strpos(input bytea, find bytea) RETURNS int8
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT pg_catalog.position($1, $2)';
CREATE OR REPLACE FUNCTION pg_catalog.strpos(input bit, find bit) RETURNS int8
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT pg_catalog.position($1, $2)';

CREATE OR REPLACE FUNCTION pg_catalog."left"(input bytea, return_set int8) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT pg_catalog.substring($1, 1, greatest(0,
    CASE WHEN $2 < 0 THEN pg_catalog.octet_length($1) + $2 ELSE $2 END)) $$;
CREATE OR REPLACE FUNCTION pg_catalog."right"(input bytea, return_set int8) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT pg_catalog.substring($1, greatest(1,
    CASE WHEN $2 < 0 THEN 1 - $2 ELSE pg_catalog.octet_length($1) - $2 + 1 END)) $$;

-- Base64 has no ends of lines in it.
CREATE OR REPLACE FUNCTION pg_catalog.encode(data bytea, format text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE pg_catalog.lower($2) WHEN 'base64' THEN pg_catalog.replace(crdb_internal.encode($1, 'base64'), E'\n', '')
    ELSE crdb_internal.encode($1, $2) END $$;

-- An underscore is a part of a word: what follows one goes on as behind a letter.
CREATE OR REPLACE FUNCTION pg_catalog.initcap(val text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE WHEN pg_catalog.strpos($1, '_') = 0 THEN crdb_internal.initcap($1)
    ELSE (SELECT pg_catalog.string_agg(CASE n WHEN 1 THEN crdb_internal.initcap(part)
            ELSE pg_catalog.substr(crdb_internal.initcap('a' || part), 2) END, '_' ORDER BY n)
          FROM pg_catalog.unnest(pg_catalog.string_to_array($1, '_')) WITH ORDINALITY AS s(part, n)) END $$;

-- A literal with quotes or backslashes in it is one with escapes.
CREATE OR REPLACE FUNCTION pg_catalog.quote_literal(val text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE WHEN escaped = $1 THEN '''' || $1 || '''' ELSE 'e''' || escaped || '''' END
  FROM (SELECT pg_catalog.replace(pg_catalog.replace(pg_catalog.replace(pg_catalog.replace(pg_catalog.replace($1,
    E'\\', E'\\\\'), '''', E'\\'''), E'\n', E'\\n'), E'\r', E'\\r'), E'\t', E'\\t')) AS s(escaped) $$;
CREATE OR REPLACE FUNCTION pg_catalog.quote_literal(val anyelement) RETURNS text
LANGUAGE sql STABLE STRICT PARALLEL SAFE AS 'SELECT pg_catalog.quote_literal($1::pg_catalog.text)';
CREATE OR REPLACE FUNCTION pg_catalog.quote_nullable(val text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT coalesce(pg_catalog.quote_literal($1), 'NULL') $$;
CREATE OR REPLACE FUNCTION pg_catalog.quote_nullable(val anyelement) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS 'SELECT pg_catalog.quote_nullable($1::pg_catalog.text)';

CREATE OR REPLACE FUNCTION pg_catalog.concat() RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT ''::pg_catalog.text $$;

CREATE OR REPLACE FUNCTION pg_catalog.to_hex(val bytea) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT pg_catalog.encode($1, 'hex') $$;
CREATE OR REPLACE FUNCTION pg_catalog.to_hex(val text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT pg_catalog.encode(pg_catalog.convert_to($1, 'UTF8'), 'hex') $$;

-- Fields are counted from the first one only.
CREATE OR REPLACE FUNCTION crdb_internal.field(place int8) RETURNS int4
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  IF place > 0 THEN
    RETURN place;
  END IF;
  RAISE EXCEPTION USING ERRCODE = '22023',
    MESSAGE = pg_catalog.format('field position %s must be greater than zero', place);
END
$$;
CREATE OR REPLACE FUNCTION pg_catalog.split_part(text, text, int8) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT crdb_internal.split_part($1, $2,
    CASE WHEN $3 > 0 THEN $3::pg_catalog.int4 ELSE crdb_internal.field($3) END) $$;

-- INT is 64 bits wide: -1 has 16 digits.
UPDATE pg_proc SET pronamespace = 'crdb_internal'::regnamespace
WHERE proname = 'to_hex' AND proargtypes = '23'::oidvector AND pronamespace = 'pg_catalog'::regnamespace;

-- What stands before the n-th delimiter, or behind the n-th from the end.
CREATE OR REPLACE FUNCTION pg_catalog.substring_index(input text, delim text, count int8) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE WHEN $2 = '' OR $3 = 0 OR $1 = '' THEN ''
    WHEN pg_catalog.abs($3) >= pg_catalog.array_length(parts, 1) THEN $1
    WHEN $3 > 0 THEN pg_catalog.array_to_string(parts[:$3], $2)
    ELSE pg_catalog.array_to_string(parts[pg_catalog.array_length(parts, 1) + $3 + 1:], $2) END
  FROM (SELECT pg_catalog.string_to_array($1, $2)) AS s(parts) $$;

CREATE OR REPLACE FUNCTION pg_catalog.like_escape(unescaped text, pattern text, escape text) RETURNS bool
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT $1 LIKE $2 ESCAPE $3';
CREATE OR REPLACE FUNCTION pg_catalog.not_like_escape(unescaped text, pattern text, escape text) RETURNS bool
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT $1 NOT LIKE $2 ESCAPE $3';
CREATE OR REPLACE FUNCTION pg_catalog.ilike_escape(unescaped text, pattern text, escape text) RETURNS bool
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT $1 ILIKE $2 ESCAPE $3';
CREATE OR REPLACE FUNCTION pg_catalog.not_ilike_escape(unescaped text, pattern text, escape text) RETURNS bool
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT $1 NOT ILIKE $2 ESCAPE $3';
CREATE OR REPLACE FUNCTION pg_catalog.similar_escape(pattern text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT pg_catalog.similar_to_escape($1)';
CREATE OR REPLACE FUNCTION pg_catalog.similar_to_escape(unescaped text, pattern text, escape text) RETURNS bool
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT $1 SIMILAR TO $2 ESCAPE $3';
CREATE OR REPLACE FUNCTION pg_catalog.not_similar_to_escape(unescaped text, pattern text, escape text) RETURNS bool
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT $1 NOT SIMILAR TO $2 ESCAPE $3';

-- Nothing has no first letter.
CREATE OR REPLACE FUNCTION crdb_internal.no_letter(nothing text) RETURNS int8
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'the input string must not be empty';
END
$$;
CREATE OR REPLACE FUNCTION pg_catalog.ascii(text) RETURNS int8
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE WHEN $1 = '' THEN crdb_internal.no_letter($1) ELSE crdb_internal.ascii($1)::pg_catalog.int8 END $$;

-- The letter a name begins with, and three digits for how it goes on.
CREATE OR REPLACE FUNCTION pg_catalog.soundex(source text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  letters text := pg_catalog.upper(pg_catalog.regexp_replace(source, '[^A-Za-z]', '', 'g'));
  code text := pg_catalog.translate(letters, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', '01230120022455012623010202');
  result text := pg_catalog.substring(letters, 1, 1);
BEGIN
  FOR i IN 2 .. pg_catalog.length(letters) LOOP
    EXIT WHEN pg_catalog.length(result) = 4;
    IF pg_catalog.substring(code, i, 1) <> '0'
       AND pg_catalog.substring(code, i, 1) <> pg_catalog.substring(code, i - 1, 1) THEN
      result := result || pg_catalog.substring(code, i, 1);
    END IF;
  END LOOP;
  RETURN CASE WHEN result = '' THEN '' ELSE pg_catalog.rpad(result, 4, '0') END;
END
$$;
CREATE OR REPLACE FUNCTION pg_catalog.difference(source text, target text) RETURNS int8
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT pg_catalog.count(*) FROM pg_catalog.generate_series(1, 4) AS n
  WHERE pg_catalog.substring(pg_catalog.soundex($1), n, 1) = pg_catalog.substring(pg_catalog.soundex($2), n, 1) $$;

CREATE OR REPLACE FUNCTION pg_catalog.levenshtein(source text, target text, ins_cost int8, del_cost int8, sub_cost int8)
RETURNS int8
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  -- The cost of making the target's first letters from the source's, a row for each of the source's.
  above int8[];
  row int8[];
  letters text[] := pg_catalog.regexp_split_to_array(target, '');
  width int8 := pg_catalog.length(target);
BEGIN
  IF pg_catalog.length(source) > 255 OR width > 255 THEN
    RAISE EXCEPTION USING ERRCODE = '22023',
      MESSAGE = 'levenshtein argument exceeds maximum length of 255 characters';
  END IF;
  FOR j IN 0 .. width LOOP
    above[j] := j * ins_cost;
  END LOOP;
  FOR i IN 1 .. pg_catalog.length(source) LOOP
    row := above;
    row[0] := i * del_cost;
    FOR j IN 1 .. width LOOP
      row[j] := least(above[j] + del_cost, row[j - 1] + ins_cost,
        above[j - 1] + CASE WHEN pg_catalog.substring(source, i, 1) = letters[j] THEN 0 ELSE sub_cost END);
    END LOOP;
    above := row;
  END LOOP;
  RETURN above[width];
END
$$;
CREATE OR REPLACE FUNCTION pg_catalog.levenshtein(source text, target text) RETURNS int8
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT pg_catalog.levenshtein($1, $2, 1, 1, 1)';

-- Bits of strings and of bit strings; the shorter one is filled with zeros in front.
DO $$
DECLARE
  o record;
BEGIN
  FOR o IN
    SELECT * FROM (VALUES ('and', '&'), ('or', '|'), ('xor', '#')) AS f(name, sign),
      (VALUES ('varbit'), ('text')) AS a(l), (VALUES ('varbit'), ('text')) AS b(r)
  LOOP
    EXECUTE format('CREATE OR REPLACE FUNCTION pg_catalog.bitmask_%1$s(a %3$s, b %4$s) RETURNS varbit LANGUAGE sql '
      'IMMUTABLE STRICT PARALLEL SAFE AS ''SELECT pg_catalog.lpad($1::pg_catalog.text, w, ''''0'''')::pg_catalog.varbit '
      '%2$s pg_catalog.lpad($2::pg_catalog.text, w, ''''0'''')::pg_catalog.varbit FROM (SELECT greatest('
      'pg_catalog.length($1::pg_catalog.text), pg_catalog.length($2::pg_catalog.text))) AS s(w)''',
      o.name, o.sign, o.l, o.r);
  END LOOP;
END
$$;

-- An array as one of another's type.
CREATE OR REPLACE FUNCTION crdb_internal.alike(other anycompatiblearray, value anycompatiblearray)
RETURNS anycompatiblearray LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $2';

-- Types of one family, by the widest: INT has all widths, STRING and FLOAT too. A literal that says no type is a STRING.
CREATE OR REPLACE FUNCTION crdb_internal.family(type regtype) RETURNS text
LANGUAGE sql STABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE WHEN t.typcategory = 'A' AND t.typelem <> 0 THEN crdb_internal.family(t.typelem::pg_catalog.regtype) || '[]'
    WHEN t.typname IN ('int2', 'int4', 'int8') THEN 'int8' WHEN t.typname IN ('float4', 'float8') THEN 'float8'
    WHEN t.typname IN ('text', 'varchar', 'bpchar', 'char', 'name', 'unknown') THEN 'text'
    WHEN t.typname IN ('json', 'jsonb') THEN 'jsonb' WHEN t.typname IN ('bit', 'varbit') THEN 'varbit'
    ELSE t.oid::pg_catalog.text END
  FROM pg_catalog.pg_type AS t WHERE t.oid = $1 $$;
CREATE OR REPLACE FUNCTION crdb_internal.is_of(type regtype, types regtype[]) RETURNS bool
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT EXISTS (SELECT 1 FROM pg_catalog.unnest($2) AS t(type)
                 WHERE crdb_internal.family(t.type) = crdb_internal.family($1)) $$;

-- Computed columns and indexes may use them.
UPDATE pg_proc SET provolatile = 'i'
WHERE pronamespace = 'pg_catalog'::regnamespace AND proname IN ('concat', 'concat_ws') AND provolatile = 's';

-- CockroachDB's configurations of text search are strings, those of a column among them. A configuration's name
-- does not change what it means here, so that columns and indexes may be computed with it.
CREATE OR REPLACE FUNCTION pg_catalog.to_tsvector(config text, body text) RETURNS tsvector
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT pg_catalog.to_tsvector($1::pg_catalog.regconfig, $2) $$;
CREATE OR REPLACE FUNCTION pg_catalog.to_tsquery(config text, body text) RETURNS tsquery
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT pg_catalog.to_tsquery($1::pg_catalog.regconfig, $2) $$;
CREATE OR REPLACE FUNCTION pg_catalog.plainto_tsquery(config text, body text) RETURNS tsquery
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT pg_catalog.plainto_tsquery($1::pg_catalog.regconfig, $2) $$;
CREATE OR REPLACE FUNCTION pg_catalog.phraseto_tsquery(config text, body text) RETURNS tsquery
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT pg_catalog.phraseto_tsquery($1::pg_catalog.regconfig, $2) $$;
