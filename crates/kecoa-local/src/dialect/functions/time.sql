-- CockroachDB's functions of times.
CREATE OR REPLACE FUNCTION pg_catalog.experimental_follower_read_timestamp() RETURNS timestamptz
LANGUAGE sql STABLE AS 'SELECT pg_catalog.follower_read_timestamp()';
CREATE OR REPLACE FUNCTION pg_catalog.hlc_to_timestamp(hlc numeric) RETURNS timestamptz
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT '1970-01-01 00:00:00+00'::pg_catalog.timestamptz
    + pg_catalog.trunc($1 / 1000) * '1 microsecond'::pg_catalog.interval $$;

-- All of an interval in one unit, where extract() gives a field alone. A month has 30 days.
CREATE OR REPLACE FUNCTION pg_catalog.extract_duration(element text, input interval) RETURNS int8
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  unit numeric := CASE pg_catalog.rtrim(pg_catalog.lower(element), 's')
    WHEN 'hour' THEN 3600 WHEN 'minute' THEN 60 WHEN 'second' THEN 1
    WHEN 'millisecond' THEN 0.001 WHEN 'microsecond' THEN 0.000001 END;
BEGIN
  IF unit IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = pg_catalog.format('unsupported timespan: %s', element);
  END IF;
  RETURN pg_catalog.div(((crdb_internal."extract"('year', input) * 12 + crdb_internal."extract"('month', input)) * 30
      + crdb_internal."extract"('day', input)) * 86400 + crdb_internal."extract"('hour', input) * 3600
    + crdb_internal."extract"('minute', input) * 60 + crdb_internal."extract"('second', input), unit);
END
$$;

-- From now on, where PostgreSQL's counts from midnight.
CREATE OR REPLACE FUNCTION pg_catalog.age(val timestamptz) RETURNS interval
LANGUAGE sql STABLE STRICT PARALLEL SAFE AS 'SELECT pg_catalog.age(pg_catalog.now(), $1)';
CREATE OR REPLACE FUNCTION pg_catalog.age(val timestamp) RETURNS interval
LANGUAGE sql STABLE STRICT PARALLEL SAFE AS 'SELECT pg_catalog.age(pg_catalog.now()::pg_catalog.timestamp, $1)';

CREATE OR REPLACE FUNCTION pg_catalog.to_char("interval" interval) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT $1::pg_catalog.text';
CREATE OR REPLACE FUNCTION pg_catalog.to_char("timestamp" timestamp) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT $1::pg_catalog.text';
CREATE OR REPLACE FUNCTION pg_catalog.to_char("date" date) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT $1::pg_catalog.text';
CREATE OR REPLACE FUNCTION pg_catalog.to_char("date" date, format text) RETURNS text
LANGUAGE sql STABLE STRICT PARALLEL SAFE AS 'SELECT pg_catalog.to_char($1::pg_catalog.timestamp, $2)';

-- What is read by a style, whatever the session's is.
DO $$
DECLARE
  t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['timestamp', 'date', 'time', 'timetz', 'interval'] LOOP
    EXECUTE format('CREATE OR REPLACE FUNCTION pg_catalog.parse_%1$s(val text) RETURNS %1$s LANGUAGE plpgsql '
      'IMMUTABLE STRICT PARALLEL SAFE SET datestyle TO ISO, MDY SET intervalstyle TO postgres '
      'AS ''BEGIN RETURN val::pg_catalog.%1$s; END''', t);
    EXECUTE format('CREATE OR REPLACE FUNCTION pg_catalog.parse_%1$s(string text, style text) RETURNS %1$s LANGUAGE plpgsql '
      'IMMUTABLE STRICT PARALLEL SAFE SET datestyle TO ISO, MDY SET intervalstyle TO postgres '
      'AS ''BEGIN PERFORM pg_catalog.set_config(''''%2$s'''', style, true); RETURN string::pg_catalog.%1$s; END''',
      t, CASE t WHEN 'interval' THEN 'intervalstyle' ELSE 'datestyle' END);
  END LOOP;
  FOREACH t IN ARRAY ARRAY['timestamp', 'date', 'interval'] LOOP
    EXECUTE format('CREATE OR REPLACE FUNCTION pg_catalog.to_char_with_style(value %1$s, style text) RETURNS text LANGUAGE plpgsql '
      'IMMUTABLE STRICT PARALLEL SAFE SET datestyle TO ISO, MDY SET intervalstyle TO postgres '
      'AS ''BEGIN PERFORM pg_catalog.set_config(''''%2$s'''', style, true); RETURN value::pg_catalog.text; END''',
      t, CASE t WHEN 'interval' THEN 'intervalstyle' ELSE 'datestyle' END);
  END LOOP;
END
$$;

-- The letters of C's strftime().
CREATE OR REPLACE FUNCTION crdb_internal.strftime(input timestamp, zone text, format text) RETURNS text
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE AS $$
DECLARE
  result text := '';
  letter text;
  at int8 := 1;
BEGIN
  WHILE at <= pg_catalog.length(format) LOOP
    letter := pg_catalog.substring(format, at, 1);
    at := at + 1;
    IF letter <> '%' THEN
      result := result || letter;
      CONTINUE;
    END IF;
    letter := pg_catalog.substring(format, at, 1);
    at := at + 1;
    result := result || CASE letter
      WHEN 'a' THEN pg_catalog.to_char(input, 'Dy') WHEN 'A' THEN pg_catalog.to_char(input, 'FMDay')
      WHEN 'b' THEN pg_catalog.to_char(input, 'Mon') WHEN 'h' THEN pg_catalog.to_char(input, 'Mon')
      WHEN 'B' THEN pg_catalog.to_char(input, 'FMMonth')
      WHEN 'c' THEN pg_catalog.to_char(input, 'Dy Mon') || pg_catalog.lpad(pg_catalog.to_char(input, 'FMDD'), 3) || pg_catalog.to_char(input, ' HH24:MI:SS YYYY')
      WHEN 'd' THEN pg_catalog.to_char(input, 'DD') WHEN 'D' THEN pg_catalog.to_char(input, 'MM/DD/YY')
      WHEN 'e' THEN pg_catalog.lpad(pg_catalog.to_char(input, 'FMDD'), 2)
      WHEN 'f' THEN pg_catalog.to_char(input, 'US') WHEN 'F' THEN pg_catalog.to_char(input, 'YYYY-MM-DD')
      WHEN 'g' THEN pg_catalog.to_char(input, 'IY') WHEN 'G' THEN pg_catalog.to_char(input, 'IYYY')
      WHEN 'H' THEN pg_catalog.to_char(input, 'HH24') WHEN 'I' THEN pg_catalog.to_char(input, 'HH12')
      WHEN 'j' THEN pg_catalog.to_char(input, 'DDD')
      WHEN 'k' THEN pg_catalog.lpad(pg_catalog.to_char(input, 'FMHH24'), 2)
      WHEN 'l' THEN pg_catalog.lpad(pg_catalog.to_char(input, 'FMHH12'), 2)
      WHEN 'm' THEN pg_catalog.to_char(input, 'MM') WHEN 'M' THEN pg_catalog.to_char(input, 'MI')
      WHEN 'n' THEN E'\n' WHEN 't' THEN E'\t' WHEN '%' THEN '%'
      WHEN 'p' THEN pg_catalog.to_char(input, 'AM')
      WHEN 'r' THEN pg_catalog.to_char(input, 'HH12:MI:SS AM') WHEN 'R' THEN pg_catalog.to_char(input, 'HH24:MI')
      WHEN 's' THEN pg_catalog.trunc(crdb_internal."extract"('epoch', input))::text
      WHEN 'S' THEN pg_catalog.to_char(input, 'SS') WHEN 'T' THEN pg_catalog.to_char(input, 'HH24:MI:SS')
      WHEN 'u' THEN pg_catalog.to_char(input, 'ID')
      WHEN 'U' THEN pg_catalog.lpad(pg_catalog.div(crdb_internal."extract"('doy', input) + 6 - crdb_internal."extract"('dow', input), 7)::text, 2, '0')
      WHEN 'v' THEN pg_catalog.lpad(pg_catalog.to_char(input, 'FMDD'), 2) || pg_catalog.to_char(input, '-Mon-YYYY')
      WHEN 'V' THEN pg_catalog.to_char(input, 'IW') WHEN 'w' THEN (crdb_internal."extract"('dow', input))::int8::text
      WHEN 'W' THEN pg_catalog.lpad(pg_catalog.div(crdb_internal."extract"('doy', input) + 7 - crdb_internal."extract"('isodow', input), 7)::text, 2, '0')
      WHEN 'x' THEN pg_catalog.to_char(input, 'MM/DD/YY') WHEN 'X' THEN pg_catalog.to_char(input, 'HH24:MI:SS')
      WHEN 'y' THEN pg_catalog.to_char(input, 'YY') WHEN 'Y' THEN pg_catalog.to_char(input, 'YYYY')
      WHEN 'C' THEN pg_catalog.to_char(input, 'CC') WHEN 'z' THEN zone WHEN 'Z' THEN CASE zone WHEN '+0000' THEN 'UTC' ELSE zone END
      END;
    IF result IS NULL THEN
      RAISE EXCEPTION USING ERRCODE = '22023',
        MESSAGE = pg_catalog.format('invalid format string: %%%s', letter);
    END IF;
  END LOOP;
  RETURN result;
END
$$;
DO $$
DECLARE
  f record;
BEGIN
  FOR f IN
    SELECT * FROM (VALUES ('strftime'), ('experimental_strftime')) AS n(name),
      -- With a time zone it is the session's here.
      (VALUES ('timestamp', 'IMMUTABLE', '''+0000'''), ('date', 'IMMUTABLE', '''+0000'''),
        ('timestamptz', 'STABLE', 'pg_catalog.to_char($1, ''TZHTZM'')')) AS t(type, volatility, zone)
  LOOP
    EXECUTE format('CREATE OR REPLACE FUNCTION pg_catalog.%I(input %s, extract_format text) RETURNS text LANGUAGE sql '
      '%s STRICT PARALLEL SAFE AS %L', f.name, f.type, f.volatility,
      format('SELECT crdb_internal.strftime($1::pg_catalog.timestamp, %s, $2)', f.zone));
  END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION pg_catalog.strptime(input text, format text) RETURNS timestamptz
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE SET timezone TO UTC AS $$
DECLARE
  pattern text := '';
  letter text;
  template text;
  at int8 := 1;
BEGIN
  WHILE at <= pg_catalog.length(format) LOOP
    letter := pg_catalog.substring(format, at, 1);
    at := at + 1;
    IF letter <> '%' THEN
      pattern := pattern || CASE WHEN letter ~ '[A-Za-z]' THEN '"' || letter || '"' ELSE letter END;
      CONTINUE;
    END IF;
    letter := pg_catalog.substring(format, at, 1);
    at := at + 1;
    template := CASE letter WHEN 'T' THEN 'HH24:MI:SS' WHEN 'F' THEN 'YYYY-MM-DD' WHEN 'D' THEN 'MM/DD/YY'
      WHEN 'R' THEN 'HH24:MI' WHEN 'Y' THEN 'YYYY' WHEN 'm' THEN 'MM' WHEN 'd' THEN 'DD' WHEN 'e' THEN 'DD'
      WHEN 'H' THEN 'HH24' WHEN 'M' THEN 'MI' WHEN 'S' THEN 'SS' WHEN 'f' THEN 'US' WHEN 'j' THEN 'DDD'
      WHEN 'b' THEN 'Mon' WHEN 'h' THEN 'Mon' WHEN 'B' THEN 'Month' WHEN 'p' THEN 'AM' WHEN 'I' THEN 'HH12'
      WHEN 'y' THEN 'YY' WHEN 'z' THEN 'TZHTZM' WHEN 'n' THEN ' ' WHEN 't' THEN ' ' WHEN '%' THEN '%' END;
    IF template IS NULL THEN
      RAISE EXCEPTION USING ERRCODE = '0A000', HINT = 'use to_timestamp()',
        MESSAGE = pg_catalog.format('the local endpoint does not read %%%s', letter);
    END IF;
    pattern := pattern || template;
  END LOOP;
  RETURN pg_catalog.to_timestamp(input, pattern);
END
$$;
CREATE OR REPLACE FUNCTION pg_catalog.experimental_strptime(input text, format text) RETURNS timestamptz
LANGUAGE sql STABLE STRICT PARALLEL SAFE AS 'SELECT pg_catalog.strptime($1, $2)';
