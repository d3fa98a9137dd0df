-- Decimals as CockroachDB has them: a quotient, a mean, a root has 20 significant digits, rounded
-- half up, with zeros behind.

-- How many digits a value has before the point, or less the zeros behind it.
CREATE OR REPLACE FUNCTION crdb_internal.magnitude(value numeric) RETURNS int4
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE WHEN pg_catalog.abs(value) >= 1
    THEN crdb_internal.length(pg_catalog.trunc(pg_catalog.abs(value))::pg_catalog.text)
    ELSE crdb_internal.length(pg_catalog.ltrim(pg_catalog.abs(value)::pg_catalog.text, '0.'))
      - crdb_internal.scale(value) END
$$;

-- The steps are the powers of ten, less what is rounded up to them.
CREATE OR REPLACE FUNCTION crdb_internal.digits(value numeric) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  step int4 := crdb_internal.width_bucket(pg_catalog.abs(value), '{0.999999999999999999995e-8,0.999999999999999999995e-7,0.999999999999999999995e-6,0.999999999999999999995e-5,0.999999999999999999995e-4,0.999999999999999999995e-3,0.999999999999999999995e-2,0.999999999999999999995e-1,0.999999999999999999995e0,0.999999999999999999995e1,0.999999999999999999995e2,0.999999999999999999995e3,0.999999999999999999995e4,0.999999999999999999995e5,0.999999999999999999995e6,0.999999999999999999995e7,0.999999999999999999995e8,0.999999999999999999995e9,0.999999999999999999995e10,0.999999999999999999995e11,0.999999999999999999995e12,0.999999999999999999995e13,0.999999999999999999995e14,0.999999999999999999995e15,0.999999999999999999995e16,0.999999999999999999995e17,0.999999999999999999995e18,0.999999999999999999995e19}'::pg_catalog.numeric[]);
  rounded pg_catalog.numeric;
BEGIN
  IF step BETWEEN 1 AND 27 THEN
    RETURN crdb_internal.round(value, (28 - step)::pg_catalog.int4);
  ELSIF value = 0 THEN
    RETURN 0;
  ELSIF value = 'NaN' OR pg_catalog.abs(value) = 'Infinity' THEN
    RETURN value;
  END IF;
  rounded := crdb_internal.round(value, (20 - crdb_internal.magnitude(value))::pg_catalog.int4);
  RETURN crdb_internal.round(rounded, greatest(20 - crdb_internal.magnitude(rounded), 0)::pg_catalog.int4);
END
$$;

CREATE OR REPLACE FUNCTION crdb_internal.divide(dividend numeric, divisor numeric) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  -- A quotient has as many places as the dividend: more than twice what is wanted, so that to round
  -- it twice is to round it once.
  quotient pg_catalog.numeric := pg_catalog.numeric_div(dividend + 0.0000000000000000000000000000000000000000, divisor);
  step int4 := crdb_internal.width_bucket(pg_catalog.abs(quotient), '{0.999999999999999999995e-8,0.999999999999999999995e-7,0.999999999999999999995e-6,0.999999999999999999995e-5,0.999999999999999999995e-4,0.999999999999999999995e-3,0.999999999999999999995e-2,0.999999999999999999995e-1,0.999999999999999999995e0,0.999999999999999999995e1,0.999999999999999999995e2,0.999999999999999999995e3,0.999999999999999999995e4,0.999999999999999999995e5,0.999999999999999999995e6,0.999999999999999999995e7,0.999999999999999999995e8,0.999999999999999999995e9,0.999999999999999999995e10,0.999999999999999999995e11,0.999999999999999999995e12,0.999999999999999999995e13,0.999999999999999999995e14,0.999999999999999999995e15,0.999999999999999999995e16,0.999999999999999999995e17,0.999999999999999999995e18,0.999999999999999999995e19}'::pg_catalog.numeric[]);
  places int4;
BEGIN
  IF step BETWEEN 1 AND 27 THEN
    RETURN crdb_internal.round(quotient, (28 - step)::pg_catalog.int4);
  ELSIF dividend = 0 THEN
    RETURN crdb_internal.round(0::pg_catalog.numeric,
      greatest(crdb_internal.scale(dividend) - crdb_internal.scale(divisor), 0)::pg_catalog.int4);
  ELSIF quotient = 'NaN' OR pg_catalog.abs(quotient) = 'Infinity' OR pg_catalog.abs(divisor) = 'Infinity' THEN
    RETURN quotient;
  END IF;
  -- Two digits more than are wanted, cut and not rounded.
  places := 22 - crdb_internal.magnitude(dividend) + crdb_internal.magnitude(divisor);
  RETURN crdb_internal.digits(pg_catalog.div(dividend * ('1e' || places)::pg_catalog.numeric, divisor)
                              * ('1e' || -places)::pg_catalog.numeric);
END
$$;
