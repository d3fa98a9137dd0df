-- CockroachDB's functions of numbers.
CREATE OR REPLACE FUNCTION pg_catalog.sqrt(val numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT crdb_internal.digits(crdb_internal.sqrt($1 + 0.0000000000000000000000000000000000000000)) $$;

CREATE OR REPLACE FUNCTION pg_catalog.ln(val numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT crdb_internal.digits(crdb_internal.ln($1 + 0.0000000000000000000000000000000000000000)) $$;

CREATE OR REPLACE FUNCTION pg_catalog.log(val numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT crdb_internal.digits(crdb_internal.log($1 + 0.0000000000000000000000000000000000000000)) $$;

CREATE OR REPLACE FUNCTION pg_catalog.log(b numeric, x numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT crdb_internal.digits(crdb_internal.log($1, $2 + 0.0000000000000000000000000000000000000000)) $$;

CREATE OR REPLACE FUNCTION pg_catalog.exp(val numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE WHEN $1 = 0 THEN 1
    ELSE crdb_internal.digits(crdb_internal.exp($1 + 0.0000000000000000000000000000000000000000)) END $$;

CREATE OR REPLACE FUNCTION pg_catalog.cbrt(val numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT crdb_internal.digits(pg_catalog.sign($1) * crdb_internal.power(
    pg_catalog.abs($1) + 0.0000000000000000000000000000000000000000,
    0.3333333333333333333333333333333333333333333333333333333333333333)) $$;

-- PostgreSQL's may be off by the last bit: 27 gives 3.0000000000000004. One step nearer is exact.
CREATE OR REPLACE FUNCTION pg_catalog.cbrt(float8) RETURNS float8
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE WHEN pg_catalog.abs(r) BETWEEN 1e-90::pg_catalog.float8 AND 1e100::pg_catalog.float8
    THEN r - (r * r * r - $1) / (3 * r * r) ELSE r END
  FROM (SELECT crdb_internal.cbrt($1)) AS s(r) $$;

-- A whole power has no more places than multiplying gives.
CREATE OR REPLACE FUNCTION pg_catalog.power(x numeric, y numeric) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  result pg_catalog.numeric := crdb_internal.digits(crdb_internal.power(
    x + 0.0000000000000000000000000000000000000000, y));
  places pg_catalog.numeric;
BEGIN
  IF y >= 0 AND y = pg_catalog.trunc(y) THEN
    places := crdb_internal.scale(x) * y;
    IF places < crdb_internal.scale(result) THEN
      RETURN crdb_internal.round(result, places::pg_catalog.int4);
    END IF;
  END IF;
  RETURN result;
END
$$;
CREATE OR REPLACE FUNCTION pg_catalog.pow(x numeric, y numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT pg_catalog.power($1, $2)';

-- The powers of integers are integers.
CREATE OR REPLACE FUNCTION pg_catalog.power(x int8, y int8) RETURNS int8
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  IF x = 0 AND y = 0 THEN
    NULL; -- which is no number
  ELSIF y >= 0 AND (pg_catalog.abs(x) <= 1 OR y < 64) THEN
    RETURN pg_catalog.trunc(crdb_internal.power(x::pg_catalog.numeric, y::pg_catalog.numeric))::pg_catalog.int8;
  ELSIF pg_catalog.abs(x) = 1 THEN
    RETURN CASE WHEN x = 1 OR y % 2 = 0 THEN 1 ELSE -1 END;
  END IF;
  RAISE EXCEPTION USING ERRCODE = '22003', MESSAGE = 'bigint out of range';
END
$$;

DO $$
DECLARE
  t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['int2', 'int4', 'int8'] LOOP
    IF t <> 'int8' THEN
      EXECUTE format('CREATE OR REPLACE FUNCTION pg_catalog.power(x %1$s, y %1$s) RETURNS int8 LANGUAGE sql '
        'IMMUTABLE STRICT PARALLEL SAFE AS ''SELECT pg_catalog.power($1::pg_catalog.int8, $2::pg_catalog.int8)''', t);
    END IF;
    EXECUTE format('CREATE OR REPLACE FUNCTION pg_catalog.pow(x %1$s, y %1$s) RETURNS int8 LANGUAGE sql '
      'IMMUTABLE STRICT PARALLEL SAFE AS ''SELECT pg_catalog.power($1::pg_catalog.int8, $2::pg_catalog.int8)''', t);
    EXECUTE format('CREATE OR REPLACE FUNCTION pg_catalog.div(x %1$s, y %1$s) RETURNS int8 LANGUAGE sql '
      'IMMUTABLE STRICT PARALLEL SAFE AS ''SELECT pg_catalog.int8div($1::pg_catalog.int8, $2::pg_catalog.int8)''', t);
    EXECUTE format('CREATE OR REPLACE FUNCTION pg_catalog.sign(val %1$s) RETURNS int8 LANGUAGE sql '
      'IMMUTABLE STRICT PARALLEL SAFE AS ''SELECT pg_catalog.sign($1::pg_catalog.float8)::pg_catalog.int8''', t);
  END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION pg_catalog.div(x float8, y float8) RETURNS float8
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE WHEN $2 <> 0 THEN pg_catalog.trunc(pg_catalog.float8div($1, $2))
    WHEN $1 = 0 OR $1 = 'NaN' THEN 'NaN' WHEN $1 > 0 THEN 'Infinity' ELSE '-Infinity' END $$;

CREATE OR REPLACE FUNCTION pg_catalog.mod(x float8, y float8) RETURNS float8
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE WHEN $2 = 0 OR pg_catalog.abs($1) = 'Infinity' THEN 'NaN'
    WHEN pg_catalog.abs($2) = 'Infinity' THEN $1
    ELSE $1 - $2 * pg_catalog.trunc($1 / $2) END $$;

CREATE OR REPLACE FUNCTION pg_catalog.isnan(val float8) RETURNS bool
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT $1 = 'NaN'::pg_catalog.float8 $$;
CREATE OR REPLACE FUNCTION pg_catalog.isnan(val numeric) RETURNS bool
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT $1 = 'NaN'::pg_catalog.numeric $$;

CREATE OR REPLACE FUNCTION pg_catalog.log(b float8, x float8) RETURNS float8
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT pg_catalog.dlog10($2) / pg_catalog.dlog10($1) $$;

-- Where FLOAT's functions are not defined they give no number, and no error.
DO $$
DECLARE
  f record;
BEGIN
  FOR f IN
    SELECT * FROM (VALUES
      ('ln', 'pg_catalog.dlog1', '$1 > 0', 'WHEN $1 = 0 THEN ''-Infinity'''),
      ('log', 'pg_catalog.dlog10', '$1 > 0', 'WHEN $1 = 0 THEN ''-Infinity'''),
      ('asin', 'crdb_internal.asin', '$1 BETWEEN -1 AND 1', ''), ('acos', 'crdb_internal.acos', '$1 BETWEEN -1 AND 1', ''),
      ('asind', 'crdb_internal.asind', '$1 BETWEEN -1 AND 1', ''), ('acosd', 'crdb_internal.acosd', '$1 BETWEEN -1 AND 1', ''),
      ('acosh', 'crdb_internal.acosh', '$1 >= 1', ''), ('atanh', 'crdb_internal.atanh', '$1 BETWEEN -1 AND 1', '')
    ) AS v(name, original, defined, otherwise)
  LOOP
    EXECUTE format('CREATE OR REPLACE FUNCTION pg_catalog.%I(val float8) RETURNS float8 LANGUAGE sql IMMUTABLE STRICT '
      'PARALLEL SAFE AS %L', f.name,
      format('SELECT CASE WHEN %s THEN %s($1) %s ELSE ''NaN'' END', f.defined, f.original, f.otherwise));
  END LOOP;
END
$$;

-- Half to even, of the digits that the value is written with.
CREATE OR REPLACE FUNCTION pg_catalog.round(input float8, decimal_accuracy int8) RETURNS float8
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  exact pg_catalog.numeric;
  rounded pg_catalog.numeric;
  unit pg_catalog.numeric;
BEGIN
  IF input = 'NaN' OR pg_catalog.abs(input) = 'Infinity' OR decimal_accuracy > 400 THEN
    RETURN input;
  ELSIF decimal_accuracy < -400 THEN
    RETURN 0;
  END IF;
  exact := input::pg_catalog.text::pg_catalog.numeric;
  rounded := crdb_internal.round(exact, decimal_accuracy::pg_catalog.int4);
  unit := ('1e' || -decimal_accuracy)::pg_catalog.numeric;
  IF pg_catalog.abs(exact - rounded) * 2 = unit AND pg_catalog.div(rounded, unit) % 2 <> 0 THEN
    rounded := crdb_internal.trunc(exact, decimal_accuracy::pg_catalog.int4);
  END IF;
  RETURN rounded::pg_catalog.float8;
END
$$;

-- PostgreSQL has none for INT2, which drivers send for small numbers: it would fit those for INT4, INT8 and DECIMAL alike.
CREATE OR REPLACE FUNCTION pg_catalog.generate_series(int2, int2) RETURNS SETOF int8
LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'generate_series_int8';
CREATE OR REPLACE FUNCTION pg_catalog.generate_series(int2, int2, int2) RETURNS SETOF int8
LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'generate_series_step_int8';

-- A whole number in English: a group of three digits, and what it counts.
CREATE OR REPLACE FUNCTION pg_catalog.to_english(val int8) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE WHEN $1 < 0 THEN 'minus-' ELSE '' END || pg_catalog.string_agg(
    (ARRAY['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'])[d::int4 + 1], '-' ORDER BY n)
  FROM pg_catalog.regexp_split_to_table(pg_catalog.ltrim($1::text, '-'), '') WITH ORDINALITY AS s(d, n)
$$;
