-- The bracket that closes the COALESCE of one argument at `at`; NULL where there is none.
CREATE OR REPLACE FUNCTION crdb_internal.marked_end(tokens text[], at int8) RETURNS int8
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  depth int4 := 1;
BEGIN
  IF tokens[at] IS DISTINCT FROM 'COALESCE' OR tokens[at + 1] IS DISTINCT FROM '(' THEN
    RETURN NULL;
  END IF;
  at := at + 2;
  WHILE at <= pg_catalog.cardinality(tokens) LOOP
    depth := depth + CASE tokens[at] WHEN '(' THEN 1 WHEN '[' THEN 1 WHEN ')' THEN -1 WHEN ']' THEN -1 ELSE 0 END;
    IF depth = 0 THEN
      RETURN at;
    ELSIF depth = 1 AND tokens[at] = ',' THEN
      RETURN NULL;
    END IF;
    at := at + 1;
  END LOOP;
  RETURN NULL;
END
$$;

-- One operand of an expression: a literal, a column, a call, what stands in brackets; and the casts
-- and subscripts behind it.
CREATE OR REPLACE FUNCTION crdb_internal.expression_part(
  tokens text[], INOUT at int8, relation oid, mark text,
  OUT part text, OUT kind text, OUT type text)
LANGUAGE plpgsql STABLE AS $$
DECLARE
  t text := tokens[at];
  e record;
  name text;
  target text;
BEGIN
  kind := 'other';
  IF t = '(' THEN
    SELECT * INTO e FROM crdb_internal.expression_whole(tokens, at + 1, relation, mark);
    part := e.part;
    kind := e.kind;
    type := e.type;
    at := e.at + 1;
  ELSIF t LIKE '''%' OR t LIKE 'E''%' THEN
    part := crdb_internal.literal_value(t);
    kind := 'string';
    at := at + 1;
  ELSIF pg_catalog.ascii(t) BETWEEN 48 AND 57 THEN
    part := t;
    kind := 'number';
    at := at + 1;
  ELSIF t IN ('true', 'false', 'NULL') THEN
    part := t;
    at := at + 1;
  ELSIF t = 'NOT' THEN
    SELECT * INTO e FROM crdb_internal.expression_part(tokens, at + 1, relation, mark);
    IF e.kind = 'distinct' THEN
      part := pg_catalog.replace(e.part, ' IS DISTINCT FROM ', ' IS NOT DISTINCT FROM ');
    ELSE
      part := 'NOT ' || crdb_internal.expression_inner(e.part, e.kind, e.type, NULL, mark);
    END IF;
    kind := 'operator';
    type := 'BOOL';
    at := e.at;
  ELSIF t <> '' AND pg_catalog.translate(t, '-+~@|!', '') = '' THEN
    SELECT * INTO e FROM crdb_internal.expression_part(tokens, at + 1, relation, mark);
    part := t || crdb_internal.expression_inner(e.part, e.kind, e.type, NULL, mark);
    kind := 'operator';
    type := e.type;
    at := e.at;
  ELSIF t = 'ARRAY' AND tokens[at + 1] = '[' THEN
    SELECT * INTO e FROM crdb_internal.expression_list(tokens, at + 2, relation, mark, ']');
    part := e.part;
    kind := 'list';
    type := e.type || '[]';
    at := e.at;
  ELSIF t = 'ROW' AND tokens[at + 1] = '(' THEN
    SELECT * INTO e FROM crdb_internal.expression_list(tokens, at + 2, relation, mark, ')');
    part := '(' || e.part || ')';
    at := e.at;
  ELSIF t = 'COALESCE' AND crdb_internal.marked_end(tokens, at + 2) IS NOT NULL THEN
    -- IFNULL, and below IF, as `conditionals.rs` marks them.
    SELECT * INTO e FROM crdb_internal.expression_whole(tokens, at + 4, relation, mark);
    part := 'IFNULL(' || crdb_internal.expression_end(e.part, e.kind, e.type, NULL, mark) || ', ';
    type := e.type;
    SELECT * INTO e FROM crdb_internal.expression_list(
      tokens, crdb_internal.marked_end(tokens, at + 2) + 2, relation, mark, ')');
    part := part || e.part || ')';
    type := coalesce(type, e.type);
    at := e.at;
  ELSIF t = 'CASE' AND tokens[at + 1] = 'WHEN' AND crdb_internal.marked_end(tokens, at + 2) IS NOT NULL THEN
    SELECT * INTO e FROM crdb_internal.expression_whole(tokens, at + 4, relation, mark);
    part := 'IF(' || crdb_internal.expression_end(e.part, e.kind, e.type, NULL, mark);
    at := crdb_internal.marked_end(tokens, at + 2) + 1;
    FOR place IN 1..2 LOOP
      IF tokens[at] IS DISTINCT FROM (ARRAY['THEN', 'ELSE'])[place] THEN
        RAISE EXCEPTION USING ERRCODE = '0A000', MESSAGE = 'no IF after all';
      END IF;
      SELECT * INTO e FROM crdb_internal.expression_whole(tokens, at + 1, relation, mark);
      part := part || ', ' || crdb_internal.expression_end(e.part, e.kind, e.type, NULL, mark);
      type := coalesce(e.type, type);
      at := e.at;
    END LOOP;
    part := part || ')';
    at := at + 1;
  ELSIF t = 'CASE' THEN
    part := 'CASE';
    at := at + 1;
    WHILE tokens[at] <> 'END' LOOP
      IF tokens[at] IN ('WHEN', 'THEN', 'ELSE') THEN
        part := part || ' ' || tokens[at];
        at := at + 1;
      END IF;
      SELECT * INTO e FROM crdb_internal.expression_whole(tokens, at, relation, mark);
      part := part || ' ' || crdb_internal.expression_end(e.part, e.kind, e.type, NULL, mark);
      type := e.type;
      at := e.at;
    END LOOP;
    part := part || ' END';
    at := at + 1;
  ELSIF tokens[at + 1] = '(' AND t IN ('EXTRACT', 'SUBSTRING', 'TRIM', 'POSITION', 'OVERLAY') THEN
    SELECT * INTO e FROM crdb_internal.expression_words(tokens, at, relation, mark);
    part := e.part;
    type := e.type;
    at := e.at;
  ELSIF t IN ('CURRENT_DATE', 'CURRENT_USER', 'SESSION_USER', 'USER', 'CURRENT_ROLE') THEN
    part := CASE t WHEN 'USER' THEN 'current_user' WHEN 'CURRENT_ROLE' THEN 'current_user'
      ELSE pg_catalog.lower(t) END || '()';
    type := CASE t WHEN 'CURRENT_DATE' THEN 'DATE' ELSE 'STRING' END;
    at := at + 1;
  ELSIF t IN ('CURRENT_TIMESTAMP', 'LOCALTIMESTAMP', 'CURRENT_TIME', 'LOCALTIME') THEN
    part := pg_catalog.lower(t) || '()';
    kind := 'moment';
    type := CASE t WHEN 'CURRENT_TIMESTAMP' THEN 'TIMESTAMPTZ' WHEN 'LOCALTIMESTAMP' THEN 'TIMESTAMP'
      WHEN 'CURRENT_TIME' THEN 'TIMETZ' ELSE 'TIME' END;
    at := at + 1;
  ELSIF pg_catalog.ascii(t) IN (34, 95) OR pg_catalog.ascii(t) BETWEEN 65 AND 90 OR pg_catalog.ascii(t) BETWEEN 97 AND 122
      OR pg_catalog.ascii(t) >= 128 THEN
    name := t;
    at := at + 1;
    WHILE tokens[at] = '.' LOOP
      name := name || '.' || tokens[at + 1];
      at := at + 2;
    END LOOP;
    IF tokens[at] = '(' THEN
      SELECT * INTO e FROM crdb_internal.expression_list(tokens, at + 1, relation, mark, ')');
      at := e.at;
      name := CASE WHEN name LIKE '%"%' AND name ~ '^(pg_catalog\.)?"[a-z_]+"$' THEN pg_catalog.replace(name, '"', '')
        WHEN name IN ('GREATEST', 'LEAST') THEN pg_catalog.lower(name)
        WHEN name = 'crdb_internal.version' THEN 'version'
        WHEN name LIKE 'crdb_internal.%' THEN crdb_internal.shown_function(name) ELSE name END;
      part := name || '(' || e.part || ')';
      IF name IN ('now', 'statement_timestamp', 'transaction_timestamp', 'clock_timestamp') THEN
        kind := 'moment';
        type := 'TIMESTAMPTZ';
      ELSIF name IN ('lower', 'upper', 'concat', 'btrim', 'substr', 'replace', 'regexp_replace') THEN
        type := 'STRING';
      ELSIF name IN ('COALESCE', 'NULLIF', 'greatest', 'least') THEN
        type := e.type;
      ELSIF name IN ('length', 'char_length', 'octet_length', 'array_length', 'strpos') THEN
        type := 'INT8';
      END IF;
    ELSE
      part := name;
      SELECT crdb_internal.sql_type(a.atttypid, a.atttypmod) INTO type
        FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = relation AND NOT a.attisdropped AND a.attname = (
          SELECT CASE WHEN w.word LIKE '"%'
            THEN pg_catalog.replace(pg_catalog.substr(w.word, 2, pg_catalog.length(w.word) - 2),
                                    '""', '"')
            ELSE w.word END
          FROM (SELECT tokens[at - 1]) AS w(word));
      kind := 'column';
    END IF;
  ELSE
    RAISE EXCEPTION USING ERRCODE = '0A000',
      MESSAGE = pg_catalog.format('cannot print %L in CockroachDB''s form', t);
  END IF;
  LOOP
    IF tokens[at] = '::' THEN
      SELECT * INTO e FROM crdb_internal.expression_type(tokens, at + 1);
      at := e.at;
      target := e.type;
      IF kind = 'string' THEN
        IF target LIKE 'REG%' THEN
          part := crdb_internal.qualified_name(part, target);
        END IF;
        IF crdb_internal.is_number_type(target) THEN
          kind := 'number';
          type := crdb_internal.number_type(target);
        ELSE
          part := crdb_internal.shown_constant(part, target, mark);
          kind := 'other';
          type := target;
        END IF;
      ELSIF kind = 'number' AND crdb_internal.is_number_type(target) THEN
        type := crdb_internal.number_type(target);
      ELSIF part = 'NULL' OR kind = 'list' AND coalesce(target = type, true)
          OR crdb_internal.silent_cast(kind, type, target) THEN
        type := coalesce(type, target);
      ELSE
        part := crdb_internal.expression_inner(part, kind, type, NULL, mark) || '::' || target;
        kind := 'other';
        type := target;
      END IF;
    ELSIF tokens[at] = '[' THEN
      SELECT * INTO e FROM crdb_internal.expression_list(tokens, at + 1, relation, mark, ']');
      part := crdb_internal.expression_inner(part, kind, type, NULL, mark)
        || '[' || e.part || ']';
      kind := 'other';
      type := CASE WHEN type LIKE '%[]' THEN pg_catalog."left"(type, -2) ELSE type END;
      at := e.at;
    ELSIF tokens[at] = '.' THEN
      part := '(' || part || ').' || tokens[at + 1];
      kind := 'other';
      type := NULL;
      at := at + 2;
    ELSIF tokens[at] = 'COLLATE' THEN
      part := crdb_internal.expression_inner(part, kind, type, NULL, mark)
        || ' COLLATE ' || tokens[at + 1];
      kind := 'other';
      at := at + 2;
    ELSE
      EXIT;
    END IF;
  END LOOP;
  IF kind = 'string' THEN
    part := crdb_internal.shown_constant(part, 'STRING', mark);
    kind := 'other';
  END IF;
END
$$;

-- The type behind a cast, which may be of several words.
CREATE OR REPLACE FUNCTION crdb_internal.expression_type(
  tokens text[], INOUT at int8, OUT type text)
LANGUAGE plpgsql STABLE AS $$
BEGIN
  type := tokens[at];
  at := at + 1;
  WHILE tokens[at] = '.' LOOP
    type := type || '.' || tokens[at + 1];
    at := at + 2;
  END LOOP;
  IF tokens[at] IN ('varying', 'precision') THEN
    type := type || ' ' || tokens[at];
    at := at + 1;
  END IF;
  IF tokens[at] = '(' THEN
    WHILE tokens[at] <> ')' LOOP
      type := type || tokens[at];
      at := at + 1;
    END LOOP;
    type := type || ')';
    at := at + 1;
  END IF;
  IF tokens[at] IN ('with', 'without') THEN
    type := type || ' ' || tokens[at] || ' time zone';
    at := at + 3;
  END IF;
  WHILE tokens[at] = '[' AND tokens[at + 1] = ']' LOOP
    type := type || '[]';
    at := at + 2;
  END LOOP;
  type := crdb_internal.shown_type(type);
END
$$;

-- The calls that SQL writes with words between: EXTRACT(year FROM d) -> extract('year', d).
CREATE OR REPLACE FUNCTION crdb_internal.expression_words(
  tokens text[], INOUT at int8, relation oid, mark text, OUT part text, OUT type text)
LANGUAGE plpgsql STABLE AS $$
DECLARE
  word text := tokens[at];
  e record;
  parts text[] := '{}';
BEGIN
  at := at + 2;
  IF word = 'EXTRACT' THEN
    parts := ARRAY[crdb_internal.shown_constant(pg_catalog.lower(tokens[at]), 'STRING', mark)];
    at := at + 2;
  ELSIF word = 'TRIM' THEN
    word := CASE tokens[at] WHEN 'LEADING' THEN 'ltrim' WHEN 'TRAILING' THEN 'rtrim' ELSE 'btrim' END;
    at := at + 1;
  END IF;
  WHILE tokens[at] <> ')' LOOP
    IF tokens[at] IN ('FROM', 'FOR', 'IN', 'PLACING', ',') THEN
      at := at + 1;
      CONTINUE;
    END IF;
    SELECT * INTO e FROM crdb_internal.expression_whole(tokens, at, relation, mark);
    parts := parts || crdb_internal.expression_end(e.part, e.kind, e.type, NULL, mark);
    at := e.at;
  END LOOP;
  at := at + 1;
  IF word = 'POSITION' OR word ~ 'trim$' THEN
    -- The text comes last here, and first in the call.
    parts := ARRAY(SELECT p FROM pg_catalog.unnest(parts) WITH ORDINALITY AS u(p, n) ORDER BY n DESC);
  END IF;
  part := CASE word WHEN 'POSITION' THEN 'strpos' ELSE pg_catalog.lower(word) END
    || '(' || pg_catalog.array_to_string(parts, ', ') || ')';
  type := CASE word WHEN 'EXTRACT' THEN 'FLOAT8' WHEN 'POSITION' THEN 'INT8' ELSE 'STRING' END;
END
$$;

-- The name that a literal of regclass or the like means, with its schema.
CREATE OR REPLACE FUNCTION crdb_internal.qualified_name(name text, kind text) RETURNS text
LANGUAGE sql STABLE AS $$
  SELECT coalesce((
    SELECT crdb_internal.quote_name(n.nspname) || '.' || crdb_internal.quote_name(c.relname)
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE kind = 'REGCLASS' AND c.oid = pg_catalog.to_regclass(name)), name)
$$;

-- What CockroachDB prints for an expression of PostgreSQL's (the text of pg_get_expr), `wanted`
-- being the type of the column whose default it is.
--
-- A form that is not known stays as PostgreSQL has it.
CREATE OR REPLACE FUNCTION crdb_internal.shown_expression(
  source text, relation oid, wanted text, mark text) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
  tokens text[] := crdb_internal.expression_tokens(source);
  e record;
BEGIN
  IF source IS NULL THEN
    RETURN NULL;
  END IF;
  SELECT * INTO e FROM crdb_internal.expression_whole(tokens, 1, relation, mark);
  IF e.at <= pg_catalog.cardinality(tokens) THEN
    RETURN source;
  END IF;
  RETURN crdb_internal.expression_end(e.part, e.kind, e.type, wanted, mark);
EXCEPTION WHEN feature_not_supported OR data_exception OR statement_too_complex THEN
  RETURN source;
END
$$;
