-- CockroachDB's functions that PostgreSQL lacks. Run by a superuser in template1 and in every
-- database; safe to run again.
CREATE SCHEMA IF NOT EXISTS crdb_internal;
GRANT USAGE ON SCHEMA crdb_internal TO PUBLIC;

SET check_function_bodies = off;
