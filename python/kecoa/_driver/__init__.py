"""What the modules of psycopg2's names are made of. Private: import from those."""
