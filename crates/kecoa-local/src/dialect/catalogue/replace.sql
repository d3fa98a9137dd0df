-- Puts a view in the place of one of the same name, whatever columns that one has. What users' views read stays as
-- it is, out of sight.
CREATE OR REPLACE PROCEDURE crdb_internal.replace_view(space text, name text, query text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  BEGIN
    EXECUTE format('CREATE OR REPLACE VIEW %I.%I AS %s', space, name, query);
  EXCEPTION WHEN invalid_table_definition THEN
    IF to_regclass(format('%I.%I', space, name)) IS NULL THEN
      RAISE;
    END IF;
    BEGIN
      EXECUTE format('DROP VIEW %I.%I', space, name);
    EXCEPTION WHEN dependent_objects_still_exist THEN
      EXECUTE format('ALTER VIEW %I.%I RENAME TO %I', space, name,
        name || '_before_' || format('%I.%I', space, name)::regclass::oid);
    END;
    EXECUTE format('CREATE VIEW %I.%I AS %s', space, name, query);
  END;
  EXECUTE format('GRANT SELECT ON %I.%I TO PUBLIC', space, name);
END
$$;
REVOKE ALL ON PROCEDURE crdb_internal.replace_view(text, text, text) FROM PUBLIC;
