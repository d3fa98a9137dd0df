-- The operators of regular expressions. They call the originals, which stand aside under their own names, so that an
-- index can still serve what a pattern begins with. What is made with an operator keeps the function that this
-- has at that moment: so these come behind all that the prelude makes with them.
DO $$
DECLARE
  o record;
BEGIN
  FOR o IN
    SELECT t.kind, s.name, s.word, s.negator
    FROM (VALUES ('text'), ('name'), ('bpchar')) AS t(kind),
      (VALUES ('~', 'matches', '!~'), ('!~', 'matches_not', '~'),
              ('~*', 'matches_in_any_case', '!~*'), ('!~*', 'matches_in_no_case', '~*')) AS s(name, word, negator)
  LOOP
    -- A shell may be there: what the negator of another one made.
    IF NOT EXISTS (SELECT 1 FROM pg_operator WHERE oprname = o.name AND oprleft = o.kind::regtype
                   AND oprnamespace = 'crdb_internal'::regnamespace AND oprcode <> 0) THEN
      EXECUTE format('CREATE OPERATOR crdb_internal.%1$s (LEFTARG = %2$s, RIGHTARG = text, FUNCTION = %3$s, '
        'NEGATOR = OPERATOR(crdb_internal.%4$s), RESTRICT = %5$s, JOIN = %6$s)', o.name, o.kind,
        (SELECT oprcode FROM pg_operator
         WHERE oid = to_regoperator(format('pg_catalog.%s(%s,text)', o.name, o.kind))), o.negator,
        (SELECT oprrest FROM pg_operator
         WHERE oid = to_regoperator(format('pg_catalog.%s(%s,text)', o.name, o.kind))),
        (SELECT oprjoin FROM pg_operator
         WHERE oid = to_regoperator(format('pg_catalog.%s(%s,text)', o.name, o.kind))));
    END IF;
    EXECUTE format('CREATE OR REPLACE FUNCTION crdb_internal.%1$s(%2$s, text) RETURNS bool LANGUAGE sql IMMUTABLE STRICT '
      'PARALLEL SAFE AS ''SELECT $1 OPERATOR(crdb_internal.%3$s) crdb_internal.regex($2, ''''[^\n]'''')''',
      o.word, o.kind, o.name);
    UPDATE pg_operator SET oprcode = format('crdb_internal.%s(%s,text)', o.word, o.kind)::regprocedure
    WHERE oid = to_regoperator(format('pg_catalog.%s(%s,text)', o.name, o.kind));
  END LOOP;
END
$$;
