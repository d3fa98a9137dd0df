-- CockroachDB's functions that make and read ids, and those of addresses.
CREATE OR REPLACE FUNCTION pg_catalog.uuid_v4() RETURNS bytea
LANGUAGE sql VOLATILE PARALLEL SAFE AS 'SELECT pg_catalog.uuid_send(pg_catalog.gen_random_uuid())';
CREATE OR REPLACE FUNCTION pg_catalog.experimental_uuid_v4() RETURNS bytea
LANGUAGE sql VOLATILE PARALLEL SAFE AS 'SELECT pg_catalog.uuid_send(pg_catalog.gen_random_uuid())';
CREATE OR REPLACE FUNCTION pg_catalog.uuid_generate_v4() RETURNS uuid
LANGUAGE sql VOLATILE PARALLEL SAFE AS 'SELECT pg_catalog.gen_random_uuid()';

CREATE OR REPLACE FUNCTION pg_catalog.uuid_nil() RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT '00000000-0000-0000-0000-000000000000'::pg_catalog.uuid $$;
CREATE OR REPLACE FUNCTION pg_catalog.uuid_ns_dns() RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT '6ba7b810-9dad-11d1-80b4-00c04fd430c8'::pg_catalog.uuid $$;
CREATE OR REPLACE FUNCTION pg_catalog.uuid_ns_url() RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT '6ba7b811-9dad-11d1-80b4-00c04fd430c8'::pg_catalog.uuid $$;
CREATE OR REPLACE FUNCTION pg_catalog.uuid_ns_oid() RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT '6ba7b812-9dad-11d1-80b4-00c04fd430c8'::pg_catalog.uuid $$;
CREATE OR REPLACE FUNCTION pg_catalog.uuid_ns_x500() RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT '6ba7b814-9dad-11d1-80b4-00c04fd430c8'::pg_catalog.uuid $$;

-- A hash of 16 bytes with the version and the variant written over it.
CREATE OR REPLACE FUNCTION crdb_internal.uuid_of(hash bytea, version int8) RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT pg_catalog.encode(pg_catalog.set_byte(pg_catalog.set_byte(pg_catalog.substring($1, 1, 16),
    6, (pg_catalog.get_byte($1, 6) & 15) | ($2 << 4)), 8, (pg_catalog.get_byte($1, 8) & 63) | 128), 'hex')::pg_catalog.uuid $$;
CREATE OR REPLACE FUNCTION pg_catalog.uuid_generate_v3(namespace uuid, name text) RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT crdb_internal.uuid_of(pg_catalog.digest(pg_catalog.uuid_send($1) || pg_catalog.convert_to($2, 'UTF8'), 'md5'), 3) $$;
CREATE OR REPLACE FUNCTION pg_catalog.uuid_generate_v5(namespace uuid, name text) RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT crdb_internal.uuid_of(crdb_internal.sha1(pg_catalog.uuid_send($1) || pg_catalog.convert_to($2, 'UTF8')), 5) $$;

-- 100 nanoseconds since 1582, and a random number where the network card's would be.
CREATE OR REPLACE FUNCTION pg_catalog.uuid_generate_v1mc() RETURNS uuid
LANGUAGE plpgsql VOLATILE PARALLEL SAFE AS $$
DECLARE
  ticks bytea := pg_catalog.int8send((crdb_internal."extract"('epoch', pg_catalog.clock_timestamp()) * 10000000)::int8
    + 122192928000000000);
  rest bytea := pg_catalog.substring(pg_catalog.uuid_send(pg_catalog.gen_random_uuid()), 9, 8);
BEGIN
  rest := pg_catalog.set_byte(rest, 2, pg_catalog.get_byte(rest, 2) | 1);
  RETURN crdb_internal.uuid_of(pg_catalog.substring(ticks, 5, 4) || pg_catalog.substring(ticks, 3, 2)
    || pg_catalog.substring(ticks, 1, 2) || rest, 1);
END
$$;
CREATE OR REPLACE FUNCTION pg_catalog.uuid_generate_v1() RETURNS uuid
LANGUAGE sql VOLATILE PARALLEL SAFE AS 'SELECT pg_catalog.uuid_generate_v1mc()';

-- PostgreSQL reads braces and any hyphens, and no prefix.
CREATE OR REPLACE FUNCTION crdb_internal.text_to_uuid(val text) RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT pg_catalog.uuid_in(pg_catalog.textout(
    CASE WHEN pg_catalog.starts_with($1, 'urn:uuid:') THEN pg_catalog.substr($1, 10) ELSE $1 END)) $$;
CREATE OR REPLACE FUNCTION pg_catalog.to_uuid(val text) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT pg_catalog.uuid_send($1::pg_catalog.uuid)';
CREATE OR REPLACE FUNCTION crdb_internal.uuid_of(val bytea) RETURNS uuid
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  IF pg_catalog.octet_length(val) <> 16 THEN
    RAISE EXCEPTION USING ERRCODE = '22P02', MESSAGE = pg_catalog.format(
      'could not parse bytes as uuid: got %s bytes, expected 16', pg_catalog.octet_length(val));
  END IF;
  RETURN pg_catalog.encode(val, 'hex')::pg_catalog.uuid;
END
$$;
CREATE OR REPLACE FUNCTION pg_catalog.from_uuid(val bytea) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT crdb_internal.uuid_of($1)::pg_catalog.text';

-- 32 bytes of chance: what three random ids have that is not fixed, and their hash to spread it.
CREATE OR REPLACE FUNCTION crdb_internal.random_bytes() RETURNS bytea
LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
  SELECT crdb_internal.sha256(pg_catalog.uuid_send(pg_catalog.gen_random_uuid())
    || pg_catalog.uuid_send(pg_catalog.gen_random_uuid()) || pg_catalog.uuid_send(pg_catalog.gen_random_uuid())) $$;

-- 48 bits of milliseconds and 80 of chance, written with 32 letters and digits.
CREATE OR REPLACE FUNCTION pg_catalog.gen_random_ulid() RETURNS uuid
LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
  SELECT pg_catalog.encode(pg_catalog.substring(pg_catalog.int8send(
      (crdb_internal."extract"('epoch', pg_catalog.clock_timestamp()) * 1000)::pg_catalog.int8), 3)
    || pg_catalog.substring(crdb_internal.random_bytes(), 1, 10), 'hex')::pg_catalog.uuid $$;
CREATE OR REPLACE FUNCTION pg_catalog.uuid_to_ulid(val uuid) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT pg_catalog.string_agg(pg_catalog.substring('0123456789ABCDEFGHJKMNPQRSTVWXYZ',
    pg_catalog.substring(bits, 5 * n - 4, 5)::pg_catalog.bit(5)::pg_catalog.int4 + 1, 1), '' ORDER BY n)
  FROM (SELECT '00' || ('x' || pg_catalog.replace($1::pg_catalog.text, '-', ''))::pg_catalog.bit(128)::pg_catalog.text) AS s(bits),
    pg_catalog.generate_series(1, 26) AS n $$;
CREATE OR REPLACE FUNCTION pg_catalog.ulid_to_uuid(val text) RETURNS uuid
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  bits text := '';
BEGIN
  IF pg_catalog.upper(val) !~ '^[0-7][0-9A-HJKMNP-TV-Z]{25}$' THEN
    RAISE EXCEPTION USING ERRCODE = '22P02', MESSAGE = 'ulid: bad data size or characters when unmarshaling';
  END IF;
  FOR i IN 1 .. 26 LOOP
    bits := bits || (pg_catalog.strpos('0123456789ABCDEFGHJKMNPQRSTVWXYZ',
      pg_catalog.substring(pg_catalog.upper(val), i, 1)) - 1)::int4::bit(5)::text;
  END LOOP;
  bits := pg_catalog.substring(bits, 3);
  RETURN (SELECT pg_catalog.string_agg(pg_catalog.lpad(pg_catalog.to_hex(
      pg_catalog.substring(bits, 8 * n - 7, 8)::bit(8)::int4), 2, '0'), '' ORDER BY n)
    FROM pg_catalog.generate_series(1, 16) AS n)::pg_catalog.uuid;
END
$$;

-- Ids without an order: the bits that count time up, mirrored.
CREATE OR REPLACE FUNCTION pg_catalog.unordered_unique_rowid() RETURNS int8
LANGUAGE sql VOLATILE PARALLEL UNSAFE AS $$
  SELECT pg_catalog.reverse((id >> 15)::pg_catalog.bit(48)::pg_catalog.text)::pg_catalog.bit(48)::pg_catalog.int8 << 15
    | (id & 32767)
  FROM (SELECT pg_catalog.unique_rowid()) AS r(id) $$;

CREATE OR REPLACE FUNCTION pg_catalog.gen_random_bytes(count int8) RETURNS bytea
LANGUAGE plpgsql VOLATILE STRICT PARALLEL SAFE AS $$
DECLARE
  result bytea := '';
BEGIN
  IF count < 1 OR count > 1024 THEN
    RAISE EXCEPTION USING ERRCODE = '22023',
      MESSAGE = pg_catalog.format('length %s is outside the range [1, 1024]', count);
  END IF;
  WHILE pg_catalog.octet_length(result) < count LOOP
    result := result || crdb_internal.random_bytes();
  END LOOP;
  RETURN pg_catalog.substring(result, 1, count);
END
$$;

CREATE OR REPLACE FUNCTION pg_catalog.to_ip(val text) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE pg_catalog.family($1::pg_catalog.inet)
    WHEN 4 THEN '\x00000000000000000000ffff'::pg_catalog.bytea ELSE ''::pg_catalog.bytea END
    || pg_catalog.substring(pg_catalog.inet_send(pg_catalog.host($1::pg_catalog.inet)::pg_catalog.inet), 5) $$;
CREATE OR REPLACE FUNCTION pg_catalog.from_ip(val bytea) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  IF pg_catalog.octet_length(val) = 4 THEN
    val := '\x00000000000000000000ffff'::pg_catalog.bytea || val;
  ELSIF pg_catalog.octet_length(val) <> 16 THEN
    RAISE EXCEPTION USING ERRCODE = '22023',
      MESSAGE = pg_catalog.format('invalid IP length: %s', pg_catalog.octet_length(val));
  END IF;
  IF pg_catalog.substring(val, 1, 12) = '\x00000000000000000000ffff' THEN
    RETURN pg_catalog.concat_ws('.', pg_catalog.get_byte(val, 12), pg_catalog.get_byte(val, 13),
      pg_catalog.get_byte(val, 14), pg_catalog.get_byte(val, 15));
  END IF;
  RETURN pg_catalog.host(pg_catalog.rtrim(pg_catalog.regexp_replace(pg_catalog.encode(val, 'hex'), '(....)', '\1:', 'g'), ':')::pg_catalog.inet);
END
$$;
CREATE OR REPLACE FUNCTION pg_catalog.inet_contained_by_or_equals(val inet, container inet) RETURNS bool
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT $1 <<= $2';
CREATE OR REPLACE FUNCTION pg_catalog.inet_contains_or_equals(container inet, val inet) RETURNS bool
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT $1 >>= $2';
