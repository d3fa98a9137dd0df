-- Regular expressions as CockroachDB has them: RE2's. PostgreSQL's engine runs them, so a pattern is written anew
-- where the two mean something else by it, and refused where RE2 does.

CREATE OR REPLACE FUNCTION crdb_internal.refuse_regex(reason text, part text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  RAISE EXCEPTION USING ERRCODE = '2201B',
    MESSAGE = pg_catalog.format('error parsing regexp: %s: `%s`', reason, part);
END
$$;

-- One part of a pattern: an escape, a set in brackets, what opens a group, a dot, or text that means the same.
CREATE OR REPLACE FUNCTION crdb_internal.regex_part(part text, dot text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE
    WHEN part = '.' THEN dot
    WHEN pg_catalog.textregexeq(part, '^\(\?P?<[A-Za-z_]') THEN '('
    WHEN pg_catalog."left"(part, 2) = '(?' AND part <> '(?:'
      THEN crdb_internal.refuse_regex('invalid or unsupported Perl syntax', part)
    -- Letters and digits are those of ASCII, which a set may name. A backslash of its own is left alone.
    WHEN pg_catalog."left"(part, 1) = '[' AND pg_catalog.strpos(part, '\\') = 0
      THEN pg_catalog.replace(pg_catalog.replace(pg_catalog.replace(pg_catalog.replace(pg_catalog.replace(
        pg_catalog.replace(pg_catalog.replace(pg_catalog.replace(pg_catalog.replace(part,
        '\d', '0-9'), '\w', '0-9A-Za-z_'), '\s', ' \t\n\f\r'), '[:digit:]', '0-9'), '[:alpha:]', 'A-Za-z'),
        '[:alnum:]', '0-9A-Za-z'), '[:upper:]', 'A-Z'), '[:lower:]', 'a-z'), '[:word:]', '0-9A-Za-z_')
    WHEN pg_catalog."left"(part, 1) <> '\' THEN part
    WHEN part = '\d' THEN '[0-9]' WHEN part = '\D' THEN '[^0-9]'
    WHEN part = '\w' THEN '[0-9A-Za-z_]' WHEN part = '\W' THEN '[^0-9A-Za-z_]'
    WHEN part = '\s' THEN '[ \t\n\f\r]' WHEN part = '\S' THEN '[^ \t\n\f\r]'
    WHEN part = '\b' THEN '\y' WHEN part = '\B' THEN '\Y' WHEN part = '\z' THEN '\Z'
    WHEN pg_catalog."left"(part, 2) = '\x' AND pg_catalog.length(part) > 2
      THEN '\U' || pg_catalog.lpad(pg_catalog.btrim(pg_catalog.substr(part, 3), '{}'), 8, '0')
    WHEN pg_catalog.textregexeq(part, '^\\[0-7]+$') AND (part = '\0' OR pg_catalog.length(part) > 2)
      THEN '\U' || pg_catalog.lpad(pg_catalog.to_hex(
        (SELECT pg_catalog.sum((d::pg_catalog.int8) * 8 ^ (pg_catalog.length(part) - 1 - n))::pg_catalog.int8
         FROM crdb_internal.regexp_split_to_table(pg_catalog.substr(part, 2), '') WITH ORDINALITY AS s(d, n))), 8, '0')
    -- What else is a letter or a digit has to be one of RE2's.
    WHEN pg_catalog.textregexeq(part, '^\\[A-Za-z0-9]') AND pg_catalog.textregexne(part, '^\\[AafnrtvdDsSwWpPQE]')
      THEN crdb_internal.refuse_regex('invalid escape sequence', part)
    ELSE part END
$$;

-- `dot` is what a dot stands for: outside of functions with flags it is no end of a line.
CREATE OR REPLACE FUNCTION crdb_internal.regex(pattern text, dot text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  rest text := pattern;
  flags text;
  prefix text := '';
BEGIN
  IF pg_catalog.textregexne(pattern, '[\\.([]|^\*') THEN
    RETURN pattern; -- nothing in it is different
  ELSIF pg_catalog."left"(pattern, 1) = '*' THEN
    RETURN crdb_internal.refuse_regex('missing argument to repetition operator', '*');
  END IF;
  flags := crdb_internal.substring(pattern, '^\(\?([imsU]+)\)');
  IF flags IS NOT NULL THEN
    IF pg_catalog.strpos(flags, 'U') > 0 THEN
      RETURN crdb_internal.refuse_regex('flags the local endpoint does not have', '(?' || flags || ')');
    END IF;
    rest := pg_catalog.substr(pattern, pg_catalog.length(flags) + 4);
    IF pg_catalog.strpos(flags, 's') > 0 THEN
      dot := '.';
    END IF;
    prefix := pg_catalog.replace(pg_catalog.replace(flags, 's', ''), 'm', 'w');
    prefix := CASE prefix WHEN '' THEN '' ELSE '(?' || prefix || ')' END;
  END IF;
  RETURN prefix || coalesce((
    SELECT pg_catalog.string_agg(crdb_internal.regex_part(p.part[1], dot), '' ORDER BY p.n)
    FROM crdb_internal.regexp_matches(rest, '(\\x\{[0-9A-Fa-f]{1,8}\}|\\x[0-9A-Fa-f]{2}|\\[0-7]{1,3}|\\.'
      '|\[\^?\]?(?:\[:[^]:]*:\]|\\.|[^]\\])*\]|\(\?P?<[A-Za-z_][A-Za-z0-9_]*>|\(\?<?[^)]?|[(.]|\\|\[|[^\\[(.]+)', 'g')
      WITH ORDINALITY AS p(part, n)), '');
END
$$;

CREATE OR REPLACE FUNCTION pg_catalog.substring(text, text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT crdb_internal.substring($1, crdb_internal.regex($2, '[^\n]')) $$;
CREATE OR REPLACE FUNCTION pg_catalog.substr(input text, regex text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT crdb_internal.substring($1, crdb_internal.regex($2, '[^\n]')) $$;
CREATE OR REPLACE FUNCTION pg_catalog.regexp_extract(input text, regex text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT crdb_internal.substring($1, crdb_internal.regex($2, '[^\n]')) $$;
CREATE OR REPLACE FUNCTION pg_catalog.regexp_replace(text, text, text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT crdb_internal.regexp_replace($1, crdb_internal.regex($2, '.'), $3) $$;
CREATE OR REPLACE FUNCTION pg_catalog.regexp_replace(text, text, text, text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT crdb_internal.regexp_replace($1, crdb_internal.regex($2, '.'), $3, crdb_internal.regex_flags($4)) $$;
CREATE OR REPLACE FUNCTION pg_catalog.regexp_split_to_array(text, text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT crdb_internal.regexp_split_to_array($1, crdb_internal.regex($2, '.')) $$;
CREATE OR REPLACE FUNCTION pg_catalog.regexp_split_to_array(text, text, text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT crdb_internal.regexp_split_to_array($1, crdb_internal.regex($2, '.'), crdb_internal.regex_flags($3)) $$;
CREATE OR REPLACE FUNCTION pg_catalog.regexp_split_to_table(text, text) RETURNS SETOF text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT crdb_internal.regexp_split_to_table($1, crdb_internal.regex($2, '.')) $$;
CREATE OR REPLACE FUNCTION pg_catalog.regexp_split_to_table(text, text, text) RETURNS SETOF text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT crdb_internal.regexp_split_to_table($1, crdb_internal.regex($2, '.'), crdb_internal.regex_flags($3)) $$;

-- PostgreSQL's further flags are none of CockroachDB's.
CREATE OR REPLACE FUNCTION crdb_internal.regex_flags(flags text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  IF pg_catalog.textregexeq(flags, '[^gicsmnpw]') THEN
    RAISE EXCEPTION USING ERRCODE = '2201B',
      MESSAGE = pg_catalog.format('invalid regexp flag: ''%s''', crdb_internal.substring(flags, '[^gicsmnpw]'));
  END IF;
  RETURN flags;
END
$$;
