-- CockroachDB's hashes: of strings and of bytes, of several one after the other, as hexadecimal text
-- or as a number.
CREATE OR REPLACE FUNCTION crdb_internal.joined(variadic parts bytea[]) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT coalesce(pg_catalog.string_agg(p, ''::pg_catalog.bytea ORDER BY n), '')
  FROM pg_catalog.unnest($1) WITH ORDINALITY AS u(p, n) $$;

CREATE OR REPLACE FUNCTION crdb_internal.sha1(data bytea) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  mask constant int8 := 4294967295;
  size int8 := pg_catalog.octet_length(data);
  padded bytea := data || '\x80'::pg_catalog.bytea
    || pg_catalog.decode(pg_catalog.repeat('00', (119 - size % 64) % 64), 'hex') || pg_catalog.int8send(size * 8);
  w int8[];
  h int8[] := ARRAY[1732584193, 4023233417, 2562383102, 271733878, 3285377520];
  a int8; b int8; c int8; d int8; e int8; f int8; k int8; t int8;
BEGIN
  FOR block IN 0 .. pg_catalog.octet_length(padded) / 64 - 1 LOOP
    FOR i IN 0 .. 15 LOOP
      w[i] := ('x' || pg_catalog.encode(pg_catalog.substring(padded, block::int8 * 64 + i * 4 + 1, 4), 'hex'))::bit(32)::int8;
    END LOOP;
    FOR i IN 16 .. 79 LOOP
      t := w[i - 3] # w[i - 8] # w[i - 14] # w[i - 16];
      w[i] := ((t << 1) | (t >> 31)) & mask;
    END LOOP;
    a := h[1]; b := h[2]; c := h[3]; d := h[4]; e := h[5];
    FOR i IN 0 .. 79 LOOP
      IF i < 20 THEN f := (b & c) | (~b & mask & d); k := 1518500249;
      ELSIF i < 40 THEN f := b # c # d; k := 1859775393;
      ELSIF i < 60 THEN f := (b & c) | (b & d) | (c & d); k := 2400959708;
      ELSE f := b # c # d; k := 3395469782;
      END IF;
      t := ((((a << 5) | (a >> 27)) & mask) + f + e + k + w[i]) & mask;
      e := d; d := c; c := ((b << 30) | (b >> 2)) & mask; b := a; a := t;
    END LOOP;
    h := ARRAY[(h[1] + a) & mask, (h[2] + b) & mask, (h[3] + c) & mask, (h[4] + d) & mask, (h[5] + e) & mask];
  END LOOP;
  RETURN pg_catalog.decode(pg_catalog.substring(pg_catalog.to_hex(h[1] + mask + 1), 2) || pg_catalog.substring(pg_catalog.to_hex(h[2] + mask + 1), 2)
    || pg_catalog.substring(pg_catalog.to_hex(h[3] + mask + 1), 2) || pg_catalog.substring(pg_catalog.to_hex(h[4] + mask + 1), 2)
    || pg_catalog.substring(pg_catalog.to_hex(h[5] + mask + 1), 2), 'hex');
END
$$;

-- FNV-1 multiplies and then mixes, FNV-1a the other way round.
CREATE OR REPLACE FUNCTION crdb_internal.fnv(data bytea, wide bool, mix_first bool) RETURNS int8
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  modulus constant numeric := CASE WHEN wide THEN 18446744073709551616 ELSE 4294967296 END;
  prime constant numeric := CASE WHEN wide THEN 1099511628211 ELSE 16777619 END;
  hash numeric := CASE WHEN wide THEN 14695981039346656037 ELSE 2166136261 END;
  low numeric;
BEGIN
  FOR i IN 0 .. pg_catalog.octet_length(data) - 1 LOOP
    IF NOT mix_first THEN
      hash := hash * prime % modulus;
    END IF;
    low := hash % 256;
    hash := hash - low + (low::int8 # pg_catalog.get_byte(data, i));
    IF mix_first THEN
      hash := hash * prime % modulus;
    END IF;
  END LOOP;
  RETURN CASE WHEN wide AND hash >= 9223372036854775808 THEN hash - modulus ELSE hash END::int8;
END
$$;

-- CRC-32 by the polynomial, its bits reversed.
CREATE OR REPLACE FUNCTION crdb_internal.crc32(data bytea, polynomial int8) RETURNS int8
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  crc int8 := 4294967295;
BEGIN
  FOR i IN 0 .. pg_catalog.octet_length(data) - 1 LOOP
    crc := crc # pg_catalog.get_byte(data, i);
    FOR j IN 1 .. 8 LOOP
      crc := CASE WHEN crc & 1 = 1 THEN (crc >> 1) # polynomial ELSE crc >> 1 END;
    END LOOP;
  END LOOP;
  RETURN crc # 4294967295;
END
$$;

-- Each of strings and of bytes. Beside PostgreSQL's of one value stands the one of several.
DO $$
DECLARE
  f record;
BEGIN
  FOR f IN
    SELECT * FROM (VALUES
      ('md5', 'text', 'pg_catalog.md5(%s)'),
      ('sha1', 'text', 'pg_catalog.encode(crdb_internal.sha1(%s), ''hex'')'),
      ('sha224', 'text', 'pg_catalog.encode(crdb_internal.sha224(%s), ''hex'')'),
      ('sha256', 'text', 'pg_catalog.encode(crdb_internal.sha256(%s), ''hex'')'),
      ('sha384', 'text', 'pg_catalog.encode(crdb_internal.sha384(%s), ''hex'')'),
      ('sha512', 'text', 'pg_catalog.encode(crdb_internal.sha512(%s), ''hex'')'),
      ('fnv32', 'int8', 'crdb_internal.fnv(%s, false, false)'),
      ('fnv32a', 'int8', 'crdb_internal.fnv(%s, false, true)'),
      ('fnv64', 'int8', 'crdb_internal.fnv(%s, true, false)'),
      ('fnv64a', 'int8', 'crdb_internal.fnv(%s, true, true)'),
      ('crc32ieee', 'int8', 'crdb_internal.crc32(%s, 3988292384)'),
      ('crc32c', 'int8', 'crdb_internal.crc32(%s, 2197175160)')
    ) AS v(name, result, body),
    (VALUES ('text', 'crdb_internal.joined(VARIADIC pg_catalog.array_agg(pg_catalog.convert_to(p, ''UTF8'') ORDER BY n))'),
            ('bytea', 'crdb_internal.joined(VARIADIC pg_catalog.array_agg(p ORDER BY n))')) AS t(type, joined)
  LOOP
    EXECUTE format(
      'CREATE OR REPLACE FUNCTION pg_catalog.%I(VARIADIC %s[]) RETURNS %s LANGUAGE sql IMMUTABLE PARALLEL SAFE AS %L',
      f.name, f.type, f.result, format('SELECT CASE WHEN pg_catalog.bool_and(p IS NOT NULL) THEN %s END '
        'FROM pg_catalog.unnest($1) WITH ORDINALITY AS u(p, n)', format(f.body, f.joined)));
  END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION pg_catalog.digest(data bytea, type text) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  CASE pg_catalog.lower(type)
    WHEN 'md5' THEN RETURN pg_catalog.decode(pg_catalog.md5(data), 'hex');
    WHEN 'sha1' THEN RETURN crdb_internal.sha1(data);
    WHEN 'sha224' THEN RETURN crdb_internal.sha224(data);
    WHEN 'sha256' THEN RETURN crdb_internal.sha256(data);
    WHEN 'sha384' THEN RETURN crdb_internal.sha384(data);
    WHEN 'sha512' THEN RETURN crdb_internal.sha512(data);
    ELSE RAISE EXCEPTION USING ERRCODE = '22023',
      MESSAGE = pg_catalog.format('cannot use "%s", no such hash algorithm', type);
  END CASE;
END
$$;
CREATE OR REPLACE FUNCTION pg_catalog.digest(data text, type text) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
  $$ SELECT pg_catalog.digest(pg_catalog.convert_to($1, 'UTF8'), $2) $$;

CREATE OR REPLACE FUNCTION pg_catalog.hmac(data bytea, key bytea, type text) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  block int8 := CASE WHEN pg_catalog.lower(type) IN ('sha384', 'sha512') THEN 128 ELSE 64 END;
  filled bytea := CASE WHEN pg_catalog.octet_length(key) > block THEN pg_catalog.digest(key, type) ELSE key END;
BEGIN
  filled := filled || pg_catalog.decode(pg_catalog.repeat('00', block - pg_catalog.octet_length(filled)), 'hex');
  RETURN pg_catalog.digest(
    crdb_internal.bytes_xor(filled, pg_catalog.decode(pg_catalog.repeat('5c', block), 'hex'))
    || pg_catalog.digest(crdb_internal.bytes_xor(filled,
         pg_catalog.decode(pg_catalog.repeat('36', block), 'hex')) || data, type), type);
END
$$;
CREATE OR REPLACE FUNCTION pg_catalog.hmac(data text, key text, type text) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
  $$ SELECT pg_catalog.hmac(pg_catalog.convert_to($1, 'UTF8'), pg_catalog.convert_to($2, 'UTF8'), $3) $$;
