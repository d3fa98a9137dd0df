"""TLS against a real PostgreSQL, with certificates made for the run, beside psycopg2."""
