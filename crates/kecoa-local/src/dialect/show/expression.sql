-- What an earlier version has with a place of 32 bits would fit a literal better.
UPDATE pg_proc SET proname = 'earlier_' || proname
WHERE pronamespace = 'crdb_internal'::regnamespace AND proargtypes[0] = 'text[]'::regtype AND proargtypes[1] = 'int4'::regtype
  AND proname IN ('expression_list', 'expression_whole', 'expression_part', 'expression_type', 'expression_words', 'marked_end');

-- An expression as CockroachDB prints it, from the text in which PostgreSQL prints its tree.
--
-- PostgreSQL's text has brackets around all that is composed, so it is read by recursive descent
-- without precedence: crdb_internal.expression_whole reads an operand and what is joined to it,
-- crdb_internal.expression_part one operand. Each gives the text, where it ended, its type as far as
-- it is known, and its kind, which says what is left to do where the context is known:
--
--   number    a literal without its type yet
--   moment    now() and its like, whose type depends on the context
--   operator  what CockroachDB puts in brackets inside of another expression
--   distinct  IS DISTINCT FROM, which a NOT in front turns round
--   list      ARRAY[…], and what stands between its brackets behind the type
--   whole     a division whose second half is to come: a // b arrives as a / whole() / b
--   other     complete
CREATE OR REPLACE FUNCTION crdb_internal.expression_tokens(source text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT coalesce(pg_catalog.array_agg(m.match[1] ORDER BY m.place), '{}')
  FROM crdb_internal.regexp_matches(source,
    '(E''(?:[^''\\]|''''|\\.)*''|''(?:[^'']|'''')*''|"(?:[^"]|"")*"'
    '|[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?|[[:alpha:]_\u0080-\uffff][[:alnum:]_$\u0080-\uffff]*'
    '|::|[-+*/<>=~!@#%^&|`?]+|[][().,:])', 'g') WITH ORDINALITY AS m(match, place)
$$;

-- Whether a type is one of numbers. Here and in what follows regular expressions are few: PostgreSQL keeps 32 of
-- them compiled, and one that is compiled anew costs as much as all the rest of an expression.
CREATE OR REPLACE FUNCTION crdb_internal.is_number_type(kind text) RETURNS bool
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT (kind IN ('INT2', 'INT4', 'INT8') OR kind LIKE 'DECIMAL%' OR kind LIKE 'FLOAT%') AND kind NOT LIKE '%[]'
$$;

-- The type a number literal of this type has in CockroachDB.
CREATE OR REPLACE FUNCTION crdb_internal.number_type(kind text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE WHEN kind IN ('INT2', 'INT4') THEN 'INT8' WHEN kind = 'FLOAT4' THEN 'FLOAT8'
    WHEN pg_catalog.strpos(kind, '(') > 0 THEN crdb_internal.regexp_replace(kind, '\([0-9,]+\)', '')
    ELSE kind END
$$;

-- What stands at last for a part of this kind and type, `wanted` being what its context asks for.
CREATE OR REPLACE FUNCTION crdb_internal.expression_end(
  part text, kind text, type text, wanted text, mark text) RETURNS text
LANGUAGE sql STABLE AS $$
  SELECT CASE kind
    WHEN 'number' THEN crdb_internal.shown_number(part,
      CASE WHEN wanted LIKE 'FLOAT%' OR wanted LIKE 'DECIMAL%'
          OR wanted LIKE 'INT%' AND pg_catalog.translate(part, '.e', '') = part
        THEN crdb_internal.number_type(wanted)
        WHEN type IS NOT NULL THEN type
        WHEN pg_catalog.translate(part, '.e', '') <> part THEN 'DECIMAL' ELSE 'INT8' END,
      mark)
    WHEN 'moment' THEN part || CASE WHEN mark <> ':::' THEN ''
      WHEN wanted IN ('TIMESTAMP', 'TIMESTAMPTZ', 'DATE') THEN ':::' || wanted
      ELSE ':::' || type END
    WHEN 'list' THEN 'ARRAY[' || part || ']' ||
      CASE WHEN mark = ':::' AND type IS NOT NULL THEN ':::' || type ELSE '' END
    ELSE part
  END
$$;

-- The same, in brackets where CockroachDB has them inside of another expression.
CREATE OR REPLACE FUNCTION crdb_internal.expression_inner(
  part text, kind text, type text, wanted text, mark text) RETURNS text
LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN kind IN ('operator', 'distinct', 'whole') THEN '(' || part || ')'
    ELSE crdb_internal.expression_end(part, kind, type, wanted, mark) END
$$;

-- Whether PostgreSQL makes this cast where CockroachDB needs none: between strings, and of a
-- column of integers to another number.
CREATE OR REPLACE FUNCTION crdb_internal.silent_cast(kind text, source text, target text)
RETURNS bool
LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(
    target IN ('STRING', 'VARCHAR', 'CHAR', 'NAME', 'STRING[]', 'VARCHAR[]', 'CHAR[]')
      AND (source LIKE 'STRING%' OR source LIKE 'VARCHAR%' OR source LIKE 'CHAR%' OR source LIKE 'NAME%')
      AND (source LIKE '%[]') = (target LIKE '%[]')
    OR source IN ('INT2', 'INT4', 'INT8') AND (target = 'INT8' OR target = 'DECIMAL' AND kind = 'column'),
    false)
$$;

-- The elements up to the closing mark at `at`: the texts with a comma between, and the type of
-- the first that has one.
CREATE OR REPLACE FUNCTION crdb_internal.expression_list(
  tokens text[], INOUT at int8, relation oid, mark text, closing text,
  OUT part text, OUT type text)
LANGUAGE plpgsql STABLE AS $$
DECLARE
  e record;
BEGIN
  part := '';
  WHILE at <= pg_catalog.cardinality(tokens) AND tokens[at] <> closing LOOP
    IF tokens[at] = ',' THEN
      part := part || ', ';
      at := at + 1;
      CONTINUE;
    ELSIF tokens[at] = 'VARIADIC' THEN
      -- CockroachDB's call of such a function has the elements themselves.
      SELECT * INTO e FROM crdb_internal.expression_whole(tokens, at + 1, relation, mark);
      IF e.kind = 'list' THEN
        part := part || e.part;
        type := coalesce(type, pg_catalog.rtrim(e.type, '[]'));
        at := e.at;
        CONTINUE;
      END IF;
      RAISE EXCEPTION USING ERRCODE = '0A000', MESSAGE = 'cannot print VARIADIC in CockroachDB''s form';
    END IF;
    SELECT * INTO e FROM crdb_internal.expression_whole(tokens, at, relation, mark);
    part := part || crdb_internal.expression_end(e.part, e.kind, e.type, NULL, mark);
    type := coalesce(type, e.type, CASE WHEN e.kind <> 'number' THEN NULL
      WHEN pg_catalog.translate(e.part, '.e', '') <> e.part THEN 'DECIMAL' ELSE 'INT8' END);
    at := e.at;
  END LOOP;
  at := at + 1;
END
$$;

-- An operand with what is joined to it, up to a mark or word that ends it.
CREATE OR REPLACE FUNCTION crdb_internal.expression_whole(
  tokens text[], INOUT at int8, relation oid, mark text,
  OUT part text, OUT kind text, OUT type text)
LANGUAGE plpgsql STABLE AS $$
DECLARE
  l record;
  r record;
  op text;
  left_type text;
  right_type text;
BEGIN
  SELECT * INTO l FROM crdb_internal.expression_part(tokens, at, relation, mark);
  LOOP
    at := l.at;
    op := tokens[at];
    EXIT WHEN op IS NULL OR op IN (']', ',', ')', ':', 'WHEN', 'THEN', 'ELSE', 'END', 'FROM', 'FOR', 'PLACING', 'IN', 'AS');
    IF op = 'IS' THEN
      at := at + 1;
      op := 'IS';
      IF tokens[at] = 'NOT' THEN
        op := 'IS NOT';
        at := at + 1;
      END IF;
      IF tokens[at] = 'DISTINCT' THEN
        SELECT * INTO r FROM crdb_internal.expression_part(tokens, at + 2, relation, mark);
        l.part := crdb_internal.expression_inner(l.part, l.kind, l.type, r.type, mark)
          || ' ' || op || ' DISTINCT FROM '
          || crdb_internal.expression_inner(r.part, r.kind, r.type, l.type, mark);
        l.kind := CASE op WHEN 'IS' THEN 'distinct' ELSE 'operator' END;
        l.at := r.at;
      ELSE
        l.part := crdb_internal.expression_inner(l.part, l.kind, l.type, NULL, mark)
          || ' ' || op || ' '
          || CASE tokens[at] WHEN 'TRUE' THEN 'true' WHEN 'FALSE' THEN 'false' ELSE tokens[at] END;
        l.kind := 'operator';
        l.at := at + 1;
      END IF;
      l.type := 'BOOL';
      CONTINUE;
    ELSIF op = 'AT' THEN
      SELECT * INTO r FROM crdb_internal.expression_part(tokens, at + 3, relation, mark);
      l.part := 'timezone(' || crdb_internal.expression_end(r.part, r.kind, r.type, NULL, mark)
        || ', ' || crdb_internal.expression_end(l.part, l.kind, l.type, NULL, mark) || ')';
      l.kind := 'other';
      l.type := NULL;
      l.at := r.at;
      CONTINUE;
    ELSIF op IN ('AND', 'OR') THEN
      SELECT * INTO r FROM crdb_internal.expression_part(tokens, at + 1, relation, mark);
      l.part := crdb_internal.expression_inner(l.part, l.kind, l.type, NULL, mark)
        || ' ' || op || ' '
        || crdb_internal.expression_inner(r.part, r.kind, r.type, NULL, mark);
      l.kind := 'operator';
      l.type := 'BOOL';
      l.at := r.at;
      CONTINUE;
    ELSIF pg_catalog.translate(op, '-+*/<>=~!@#%^&|`?', '') <> '' THEN
      RAISE EXCEPTION USING ERRCODE = '0A000',
        MESSAGE = pg_catalog.format('cannot print %L in CockroachDB''s form', op);
    END IF;
    op := CASE op WHEN '<>' THEN '!=' WHEN '~~' THEN 'LIKE' WHEN '!~~' THEN 'NOT LIKE'
      WHEN '~~*' THEN 'ILIKE' WHEN '!~~*' THEN 'NOT ILIKE' ELSE op END;
    IF op IN ('~', '!~') AND tokens[at + 1] = 'similar_to_escape' AND tokens[at + 2] = '(' THEN
      left_type := crdb_internal.expression_inner(l.part, l.kind, l.type, NULL, mark);
      SELECT * INTO r FROM crdb_internal.expression_whole(tokens, at + 3, relation, mark);
      right_type := crdb_internal.expression_inner(r.part, r.kind, r.type, NULL, mark);
      IF tokens[r.at] = ',' THEN
        SELECT * INTO l FROM crdb_internal.expression_whole(tokens, r.at + 1, relation, mark);
        l.part := CASE op WHEN '!~' THEN 'NOT ' ELSE '' END || 'similar_to_escape(' || left_type || ', '
          || right_type || ', ' || crdb_internal.expression_end(l.part, l.kind, l.type, NULL, mark) || ')';
        r.at := l.at;
      ELSE
        l.part := left_type || CASE op WHEN '!~' THEN ' NOT' ELSE '' END || ' SIMILAR TO ' || right_type;
      END IF;
      l.kind := 'operator';
      l.type := 'BOOL';
      l.at := r.at + 1;
      CONTINUE;
    END IF;
    IF tokens[at + 1] IN ('ANY', 'ALL') THEN
      SELECT * INTO r FROM crdb_internal.expression_part(tokens, at + 3, relation, mark);
      left_type := crdb_internal.expression_inner(l.part, l.kind, l.type, NULL, mark);
      IF (r.kind = 'list' OR r.part LIKE 'ARRAY[]%') AND (op = '=' AND tokens[at + 1] = 'ANY'
                              OR op = '!=' AND tokens[at + 1] = 'ALL') THEN
        l.part := left_type || CASE op WHEN '=' THEN ' IN (' ELSE ' NOT IN (' END
          || CASE r.kind WHEN 'list' THEN r.part ELSE '' END || ')';
      ELSE
        l.part := left_type || ' ' || op || ' ' || tokens[at + 1] || ' ('
          || crdb_internal.expression_end(r.part, r.kind, r.type, NULL, mark) || ')';
      END IF;
      l.kind := 'operator';
      l.type := 'BOOL';
      l.at := r.at + 1;
      CONTINUE;
    END IF;
    SELECT * INTO r FROM crdb_internal.expression_part(tokens, at + 1, relation, mark);
    l.at := r.at;
    IF op = '/' AND r.part = 'crdb_internal.whole()' THEN
      l.part := crdb_internal.expression_inner(l.part, l.kind, l.type, NULL, mark);
      l.kind := 'whole';
      CONTINUE;
    END IF;
    left_type := CASE WHEN r.type LIKE 'FLOAT%' OR r.type LIKE 'DECIMAL%' THEN r.type END;
    right_type := CASE WHEN l.type LIKE 'FLOAT%' OR l.type LIKE 'DECIMAL%' THEN l.type END;
    l.part := CASE WHEN l.kind = 'whole' THEN l.part
        ELSE crdb_internal.expression_inner(l.part, l.kind, l.type, left_type, mark) END
      || CASE WHEN op IN ('->', '->>', '#>', '#>>') THEN op
           WHEN l.kind = 'whole' THEN ' // ' ELSE ' ' || op || ' ' END
      || crdb_internal.expression_inner(r.part, r.kind, r.type, right_type, mark);
    l.kind := 'operator';
    l.type := CASE WHEN op IN ('-', '+', '*', '/', '%', '^') THEN CASE
        WHEN l.type LIKE 'FLOAT%' OR r.type LIKE 'FLOAT%' THEN 'FLOAT8'
        WHEN l.type LIKE 'DECIMAL%' OR r.type LIKE 'DECIMAL%' OR op = '/' THEN 'DECIMAL' ELSE l.type END
      WHEN op = '||' THEN l.type
      WHEN op IN ('->>', '#>>') THEN 'STRING' WHEN op IN ('->', '#>') THEN 'JSONB'
      ELSE 'BOOL' END;
  END LOOP;
  part := l.part;
  kind := l.kind;
  type := l.type;
END
$$;
