-- Operators between a parameter and something of each type, and between two parameters.
CREATE TEMP TABLE calls AS
SELECT DISTINCT unnest(ARRAY[
  format('SELECT $1 %s NULL::%s', o.name, t.name), format('SELECT NULL::%s %s $1', t.name, o.name),
  format('SELECT $1 %s $2', o.name)]) AS sql
FROM (SELECT DISTINCT oprname AS name FROM pg_operator
      WHERE oprnamespace = 'pg_catalog'::regnamespace AND oprleft <> 0) AS o,
  (SELECT format_type(oid, NULL) AS name FROM pg_type
   WHERE typnamespace = 'pg_catalog'::regnamespace AND typtype = 'b' AND typcategory NOT IN ('A', 'P', 'X')
     AND typname !~ '^(reg|pg_|_)' UNION ALL SELECT unnest(ARRAY['bigint[]', 'text[]'])) AS t;
