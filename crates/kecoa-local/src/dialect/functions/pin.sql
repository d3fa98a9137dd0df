-- A VIRTUAL column may use PostgreSQL's own functions only, told by their oids below 12000: those made
-- here get such an oid, unless something that stays names the one they have.
WITH moved AS MATERIALIZED (
  SELECT p.oid AS old, f.oid AS fresh
  FROM (
    SELECT p.oid, row_number() OVER (ORDER BY p.oid) AS place FROM pg_proc p
    WHERE p.oid >= 12000::oid AND p.proowner = 10 AND p.prokind = 'f'
      AND p.pronamespace IN ('pg_catalog'::regnamespace, 'crdb_internal'::regnamespace)
      AND NOT EXISTS (
        SELECT 1 FROM pg_depend d
        WHERE d.refclassid = 'pg_proc'::regclass AND d.refobjid = p.oid
          AND d.classid NOT IN ('pg_operator'::regclass, 'pg_cast'::regclass))
      AND NOT EXISTS (
        SELECT 1 FROM pg_depend d
        WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
  ) AS p
  JOIN (
    SELECT row_number() OVER (ORDER BY o.o) AS place, o.o::oid AS oid FROM generate_series(8000::int8, 9999::int8) AS o(o)
    WHERE NOT EXISTS (SELECT 1 FROM pg_proc p WHERE p.oid = o.o::oid)
  ) AS f USING (place)
), procs AS (
  UPDATE pg_proc SET oid = m.fresh FROM moved m WHERE pg_proc.oid = m.old
), operators AS (
  UPDATE pg_operator SET oprcode = m.fresh FROM moved m WHERE oprcode = m.old
), casts AS (
  UPDATE pg_cast SET castfunc = m.fresh FROM moved m WHERE castfunc = m.old
), own AS (
  DELETE FROM pg_depend USING moved m WHERE classid = 'pg_proc'::regclass AND objid = m.old
)
DELETE FROM pg_depend USING moved m WHERE refclassid = 'pg_proc'::regclass AND refobjid = m.old;

RESET allow_system_table_mods;
