"""The driver beyond psycopg2: what it has of its own."""
