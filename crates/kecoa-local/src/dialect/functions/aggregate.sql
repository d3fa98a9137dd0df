-- CockroachDB's aggregates. A mean, a variance, a deviation has 20 digits: PostgreSQL's own state
-- gives fewer and cannot be asked for more, so these keep a state of their own.
DO $$
BEGIN
  IF to_regtype('crdb_internal.moments') IS NULL THEN
    CREATE TYPE crdb_internal.moments AS (n numeric, total numeric, squares numeric);
  END IF;
END
$$;

CREATE OR REPLACE FUNCTION crdb_internal.avg_add(state crdb_internal.moments, value numeric)
RETURNS crdb_internal.moments LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  state.n := state.n + 1;
  state.total := state.total + value;
  RETURN state;
END
$$;
CREATE OR REPLACE FUNCTION crdb_internal.avg_remove(state crdb_internal.moments, value numeric)
RETURNS crdb_internal.moments LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  IF value = 'NaN' OR pg_catalog.abs(value) = 'Infinity' THEN
    RETURN NULL; -- it cannot be taken back
  END IF;
  state.n := state.n - 1;
  state.total := state.total - value;
  RETURN state;
END
$$;
CREATE OR REPLACE FUNCTION crdb_internal.avg_add(state crdb_internal.moments, value int8)
RETURNS crdb_internal.moments LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  state.n := state.n + 1;
  state.total := state.total + value;
  RETURN state;
END
$$;
CREATE OR REPLACE FUNCTION crdb_internal.avg_remove(state crdb_internal.moments, value int8)
RETURNS crdb_internal.moments LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  state.n := state.n - 1;
  state.total := state.total - value;
  RETURN state;
END
$$;
CREATE OR REPLACE FUNCTION crdb_internal.avg_merge(a crdb_internal.moments, b crdb_internal.moments)
RETURNS crdb_internal.moments LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT ROW(a.n + b.n, a.total + b.total, a.squares + b.squares)::crdb_internal.moments $$;
CREATE OR REPLACE FUNCTION crdb_internal.avg_result(state crdb_internal.moments) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE WHEN state.n > 0 THEN crdb_internal.divide(state.total, state.n) END $$;
-- Of int2 and int4 PostgreSQL's state says all.
CREATE OR REPLACE FUNCTION crdb_internal.avg_result(state int8[]) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE WHEN state[1] > 0
    THEN crdb_internal.divide(state[2]::pg_catalog.numeric, state[1]::pg_catalog.numeric) END $$;

CREATE OR REPLACE FUNCTION crdb_internal.moments_add(state crdb_internal.moments, value numeric)
RETURNS crdb_internal.moments LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  state.n := state.n + 1;
  state.total := state.total + value;
  state.squares := state.squares + value * value;
  RETURN state;
END
$$;
-- n times the sum of the squared differences from the mean, exactly.
CREATE OR REPLACE FUNCTION crdb_internal.spread(state crdb_internal.moments) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT state.n * state.squares - state.total * state.total $$;
CREATE OR REPLACE FUNCTION crdb_internal.sqrdiff(state crdb_internal.moments) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE WHEN state.n > 0
    THEN crdb_internal.trim_scale(crdb_internal.divide(crdb_internal.spread(state), state.n)) END $$;
CREATE OR REPLACE FUNCTION crdb_internal.var_samp(state crdb_internal.moments) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE WHEN state.n > 1
    THEN crdb_internal.trim_scale(crdb_internal.divide(crdb_internal.spread(state), state.n * (state.n - 1))) END $$;
CREATE OR REPLACE FUNCTION crdb_internal.var_pop(state crdb_internal.moments) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE WHEN state.n > 0
    THEN crdb_internal.trim_scale(crdb_internal.divide(crdb_internal.spread(state), state.n * state.n)) END $$;
CREATE OR REPLACE FUNCTION crdb_internal.stddev_samp(state crdb_internal.moments) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT pg_catalog.sqrt(crdb_internal.var_samp($1))';
CREATE OR REPLACE FUNCTION crdb_internal.stddev_pop(state crdb_internal.moments) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT pg_catalog.sqrt(crdb_internal.var_pop($1))';

DO $$
DECLARE
  f record;
  t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['int2', 'int4'] LOOP
    EXECUTE format('CREATE OR REPLACE AGGREGATE pg_catalog.avg(%1$s) (SFUNC = pg_catalog.%1$s_avg_accum, '
      'STYPE = int8[], INITCOND = ''{0,0}'', FINALFUNC = crdb_internal.avg_result, '
      'COMBINEFUNC = pg_catalog.int4_avg_combine, MSFUNC = pg_catalog.%1$s_avg_accum, '
      'MINVFUNC = pg_catalog.%1$s_avg_accum_inv, MSTYPE = int8[], MINITCOND = ''{0,0}'', '
      'MFINALFUNC = crdb_internal.avg_result, PARALLEL = SAFE)', t);
    EXECUTE format('CREATE OR REPLACE AGGREGATE pg_catalog.sum(%1$s) (SFUNC = pg_catalog.%1$s_accum, '
      'STYPE = internal, SSPACE = 48, FINALFUNC = pg_catalog.numeric_poly_sum, '
      'MSFUNC = pg_catalog.%1$s_accum, MINVFUNC = pg_catalog.%1$s_accum_inv, MSTYPE = internal, MSSPACE = 48, '
      'MFINALFUNC = pg_catalog.numeric_poly_sum)', t);
  END LOOP;
  FOREACH t IN ARRAY ARRAY['int8', 'numeric'] LOOP
    EXECUTE format('CREATE OR REPLACE AGGREGATE pg_catalog.avg(%1$s) (SFUNC = crdb_internal.avg_add, '
      'STYPE = crdb_internal.moments, INITCOND = ''(0,0,0)'', FINALFUNC = crdb_internal.avg_result, '
      'COMBINEFUNC = crdb_internal.avg_merge, MSFUNC = crdb_internal.avg_add, '
      'MINVFUNC = crdb_internal.avg_remove, MSTYPE = crdb_internal.moments, MINITCOND = ''(0,0,0)'', '
      'MFINALFUNC = crdb_internal.avg_result, PARALLEL = SAFE)', t);
  END LOOP;
  FOREACH t IN ARRAY ARRAY['int2', 'int4', 'int8'] LOOP
    EXECUTE format('CREATE OR REPLACE FUNCTION crdb_internal.moments_add(state crdb_internal.moments, value %s) '
      'RETURNS crdb_internal.moments LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS '
      '''DECLARE wide pg_catalog.numeric := value; BEGIN state.n := state.n + 1; state.total := state.total + wide; '
      'state.squares := state.squares + wide * wide; RETURN state; END''', t);
  END LOOP;
  FOR f IN
    SELECT * FROM (VALUES ('sqrdiff', 'sqrdiff'), ('variance', 'var_samp'), ('var_samp', 'var_samp'),
      ('var_pop', 'var_pop'), ('stddev', 'stddev_samp'), ('stddev_samp', 'stddev_samp'),
      ('stddev_pop', 'stddev_pop')) AS a(name, final),
      (VALUES ('int2'), ('int4'), ('int8'), ('numeric')) AS b(type)
  LOOP
    EXECUTE format('CREATE OR REPLACE AGGREGATE pg_catalog.%I(%s) (SFUNC = crdb_internal.moments_add, '
      'STYPE = crdb_internal.moments, INITCOND = ''(0,0,0)'', FINALFUNC = crdb_internal.%I, '
      'COMBINEFUNC = crdb_internal.avg_merge, PARALLEL = SAFE)', f.name, f.type, f.final);
  END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION crdb_internal.sqrdiff(state float8[]) RETURNS float8
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT CASE WHEN state[1] > 0 THEN state[3] END $$;
CREATE OR REPLACE AGGREGATE pg_catalog.sqrdiff(float8) (SFUNC = pg_catalog.float8_accum, STYPE = float8[],
  INITCOND = '{0,0,0}', FINALFUNC = crdb_internal.sqrdiff, COMBINEFUNC = pg_catalog.float8_combine, PARALLEL = SAFE);

-- The bits of an INT2 or INT4 are those of an INT8.
DO $$
DECLARE
  f record;
BEGIN
  FOR f IN SELECT * FROM (VALUES ('bit_and', '&', 'int8and'), ('bit_or', '|', 'int8or')) AS v(name, sign, merge),
    (VALUES ('int2'), ('int4')) AS t(type)
  LOOP
    EXECUTE format('CREATE OR REPLACE FUNCTION crdb_internal.%1$s_add(state int8, value %2$s) RETURNS int8 LANGUAGE sql '
      'IMMUTABLE PARALLEL SAFE AS ''SELECT coalesce($1 OPERATOR(pg_catalog.%3$s) $2::pg_catalog.int8, $2, $1)''',
      f.name, f.type, f.sign);
    EXECUTE format('CREATE OR REPLACE AGGREGATE pg_catalog.%1$s(%2$s) (SFUNC = crdb_internal.%1$s_add, STYPE = int8, '
      'COMBINEFUNC = pg_catalog.%3$s, PARALLEL = SAFE)', f.name, f.type, f.merge);
  END LOOP;
END
$$;

-- The sum of a FLOAT4 is a FLOAT, computed as one.
CREATE OR REPLACE FUNCTION crdb_internal.float_sum(state float8[]) RETURNS float8
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT CASE WHEN state[1] > 0 THEN state[2] END $$;
CREATE OR REPLACE AGGREGATE pg_catalog.sum(float4) (SFUNC = pg_catalog.float4_accum, STYPE = float8[],
  INITCOND = '{0,0,0}', FINALFUNC = crdb_internal.float_sum, COMBINEFUNC = pg_catalog.float8_combine, PARALLEL = SAFE);

-- The greatest and the least of what PostgreSQL only sorts.
CREATE OR REPLACE AGGREGATE pg_catalog.max(bool) (SFUNC = pg_catalog.boolor_statefunc, STYPE = bool, SORTOP = >,
  COMBINEFUNC = pg_catalog.boolor_statefunc, PARALLEL = SAFE);
CREATE OR REPLACE AGGREGATE pg_catalog.min(bool) (SFUNC = pg_catalog.booland_statefunc, STYPE = bool, SORTOP = <,
  COMBINEFUNC = pg_catalog.booland_statefunc, PARALLEL = SAFE);
DO $$
DECLARE
  t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['uuid', 'jsonb', 'bytea', 'varbit'] LOOP
    CONTINUE WHEN EXISTS (SELECT 1 FROM pg_proc p WHERE p.oid < 8000::oid AND p.proname = 'max'
                          AND p.prokind = 'a' AND p.proargtypes[0] = t::regtype);
    EXECUTE format('CREATE OR REPLACE FUNCTION crdb_internal.greater_of(a %1$s, b %1$s) RETURNS %1$s LANGUAGE sql '
      'IMMUTABLE STRICT PARALLEL SAFE AS ''SELECT CASE WHEN $1 >= $2 THEN $1 ELSE $2 END''', t);
    EXECUTE format('CREATE OR REPLACE FUNCTION crdb_internal.lesser_of(a %1$s, b %1$s) RETURNS %1$s LANGUAGE sql '
      'IMMUTABLE STRICT PARALLEL SAFE AS ''SELECT CASE WHEN $1 <= $2 THEN $1 ELSE $2 END''', t);
    EXECUTE format('CREATE OR REPLACE AGGREGATE pg_catalog.max(%1$s) (SFUNC = crdb_internal.greater_of, STYPE = %1$s, '
      'SORTOP = >, COMBINEFUNC = crdb_internal.greater_of, PARALLEL = SAFE)', t);
    EXECUTE format('CREATE OR REPLACE AGGREGATE pg_catalog.min(%1$s) (SFUNC = crdb_internal.lesser_of, STYPE = %1$s, '
      'SORTOP = <, COMBINEFUNC = crdb_internal.lesser_of, PARALLEL = SAFE)', t);
  END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION crdb_internal.concatenated(state text[]) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE WHEN crdb_internal.array_ndims(pg_catalog.array_remove($1, NULL)) > 0
    THEN pg_catalog.array_to_string($1, '') END $$;
CREATE OR REPLACE AGGREGATE pg_catalog.concat_agg(text) (SFUNC = pg_catalog.array_append, STYPE = text[],
  INITCOND = '{}', FINALFUNC = crdb_internal.concatenated);
CREATE OR REPLACE AGGREGATE pg_catalog.concat_agg(bytea) (SFUNC = pg_catalog.byteacat, STYPE = bytea,
  COMBINEFUNC = pg_catalog.byteacat);

CREATE OR REPLACE AGGREGATE pg_catalog.sum_int(int8) (SFUNC = pg_catalog.int8pl, STYPE = int8,
  COMBINEFUNC = pg_catalog.int8pl, PARALLEL = SAFE);
CREATE OR REPLACE AGGREGATE pg_catalog.count_rows(*) (SFUNC = pg_catalog.int8inc, STYPE = int8, INITCOND = '0',
  COMBINEFUNC = pg_catalog.int8pl, MSFUNC = pg_catalog.int8inc, MINVFUNC = pg_catalog.int8dec, MSTYPE = int8,
  MINITCOND = '0', PARALLEL = SAFE);
CREATE OR REPLACE AGGREGATE pg_catalog.xor_agg(int8) (SFUNC = pg_catalog.int8xor, STYPE = int8,
  COMBINEFUNC = pg_catalog.int8xor, PARALLEL = SAFE);

CREATE OR REPLACE FUNCTION crdb_internal.bytes_xor(a bytea, b bytea) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  result pg_catalog.bytea := a;
BEGIN
  IF pg_catalog.octet_length(a) <> pg_catalog.octet_length(b) THEN
    RAISE EXCEPTION USING ERRCODE = '22023',
      MESSAGE = 'arguments to xor must all be the same length';
  END IF;
  FOR i IN 0 .. pg_catalog.octet_length(a) - 1 LOOP
    result := pg_catalog.set_byte(result, i, pg_catalog.get_byte(a, i) # pg_catalog.get_byte(b, i));
  END LOOP;
  RETURN result;
END
$$;
CREATE OR REPLACE AGGREGATE pg_catalog.xor_agg(bytea) (SFUNC = crdb_internal.bytes_xor, STYPE = bytea,
  COMBINEFUNC = crdb_internal.bytes_xor, PARALLEL = SAFE);

CREATE OR REPLACE AGGREGATE pg_catalog.array_cat_agg(anycompatiblearray) (SFUNC = pg_catalog.array_cat,
  STYPE = anycompatiblearray);
