-- The functions that a client may call by name: without those that types, operators, casts, access methods,
-- conversions, text search and triggers use, and without those of the server's administration.
WITH internal AS MATERIALIZED (
  SELECT oprcode::oid AS oid FROM pg_operator
  UNION ALL SELECT oprrest FROM pg_operator UNION ALL SELECT oprjoin FROM pg_operator
  UNION ALL SELECT unnest(ARRAY[typinput, typoutput, typreceive, typsend, typmodin, typmodout, typanalyze, typsubscript]::oid[])
    FROM pg_type
  UNION ALL SELECT castfunc FROM pg_cast UNION ALL SELECT amproc FROM pg_amproc UNION ALL SELECT amhandler FROM pg_am
  UNION ALL SELECT unnest(ARRAY[aggtransfn, aggfinalfn, aggcombinefn, aggmtransfn, aggminvtransfn, aggmfinalfn]::oid[])
    FROM pg_aggregate
  UNION ALL SELECT conproc FROM pg_conversion UNION ALL SELECT prosupport FROM pg_proc
  UNION ALL SELECT unnest(ARRAY[lanplcallfoid, laninline, lanvalidator]) FROM pg_language
  UNION ALL SELECT unnest(ARRAY[tmplinit, tmpllexize]::oid[]) FROM pg_ts_template
  UNION ALL SELECT unnest(ARRAY[prsstart, prstoken, prsend, prsheadline, prslextype]::oid[]) FROM pg_ts_parser
  UNION ALL SELECT rngcanonical FROM pg_range UNION ALL SELECT rngsubdiff FROM pg_range
)
SELECT DISTINCT p.proname FROM pg_proc p
WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.oid NOT IN (SELECT oid FROM internal)
  AND p.proname !~ '^(pg_|binary_upgrade_|RI_FKey_|has_|txid_|lo_)'
  AND NOT 2281 = ANY (p.proargtypes::oid[])
  AND p.prorettype NOT IN ('internal'::regtype, 'trigger'::regtype, 'table_am_handler'::regtype,
    'index_am_handler'::regtype, 'tsm_handler'::regtype)
ORDER BY 1
