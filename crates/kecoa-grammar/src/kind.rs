//! What a node is.

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident $name:literal,)*) => {
        /// What a node is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Kind { $($(#[$doc])* $kind,)* }

        impl Kind {
            /// Its name in a printed tree.
            pub fn name(self) -> &'static str {
                match self { $(Self::$kind => $name,)* }
            }
        }
    };
}

kinds! {
    // Statements.
    /// `EXPLAIN … statement`.
    Explain "explain",
    /// `PREPARE name (types) AS statement`.
    Prepare "prepare",
    /// A statement of which only the query at its end is read: `CREATE VIEW … AS query`,
    /// `DECLARE … FOR query`.
    Around "around",
    /// `SHOW …`, in brackets or in a `WITH`; its words are not looked at.
    Show "show",
    /// A query: `WITH`, body, `ORDER BY`, `LIMIT`, locking.
    Query "query",
    /// `INSERT` or `UPSERT`.
    Insert "insert",
    /// `UPDATE`.
    Update "update",
    /// `DELETE`.
    Delete "delete",

    // Parts of queries.
    /// `WITH …`.
    With "with",
    /// `name AS (statement)`.
    Cte "cte",
    /// `SELECT …` up to `WINDOW`.
    Select "select",
    /// `VALUES …`.
    Values "values",
    /// One row of `VALUES`, with its brackets.
    ValuesRow "row",
    /// `TABLE name`.
    TableQuery "table-query",
    /// `UNION`, `INTERSECT`, `EXCEPT`; the head is that word.
    SetOperation "set-operation",
    /// `DISTINCT`, `DISTINCT ON (…)`.
    Distinct "distinct",
    /// The list of what is selected or returned.
    Targets "targets",
    /// An expression with or without a name.
    Target "target",
    /// `*`.
    Star "star",
    /// `FROM …`.
    From "from",
    /// `AS OF SYSTEM TIME …`.
    AsOf "as-of",
    /// `WHERE …`.
    Where "where",
    /// `GROUP BY …`.
    GroupBy "group-by",
    /// `HAVING …`.
    Having "having",
    /// `WINDOW …`.
    WindowClause "window-clause",
    /// `name AS (…)`.
    WindowDefinition "window-definition",
    /// `(PARTITION BY … ORDER BY … frame)`.
    WindowSpec "window",
    /// `PARTITION BY …`.
    PartitionBy "partition-by",
    /// `ROWS BETWEEN …`.
    Frame "frame",
    /// `ORDER BY …`.
    OrderBy "order-by",
    /// `expression ASC NULLS FIRST`; the head is ASC or DESC, or none.
    SortKey "sort-key",
    /// `INDEX t@i`, `PRIMARY KEY t`.
    SortIndex "sort-index",
    /// `NULLS FIRST`.
    Nulls "nulls",
    /// `LIMIT …`.
    Limit "limit",
    /// `OFFSET …`.
    Offset "offset",
    /// `FETCH FIRST …`.
    Fetch "fetch",
    /// `FOR UPDATE …`.
    Locking "locking",

    // Sources.
    /// A table with hint, ordinality and alias.
    Table "table",
    /// A function, or `ROWS FROM`, with ordinality and alias.
    FunctionSource "function-source",
    /// A query in brackets, with ordinality and alias.
    QuerySource "query-source",
    /// `[statement]`, with ordinality and alias.
    StatementSource "statement-source",
    /// `(a JOIN b)`, with ordinality and alias.
    JoinSource "join-source",
    /// `a JOIN b`; the head is the word JOIN.
    Join "join",
    /// `HASH`, `MERGE`, `LOOKUP`, `INVERTED`, `STRAIGHT` in front of JOIN.
    JoinHint "join-hint",
    /// `ON …`, `USING (…)` of a join.
    JoinCondition "join-condition",
    /// `@…` behind a table.
    IndexHint "index-hint",
    /// `WITH ORDINALITY`.
    Ordinality "ordinality",
    /// `AS name (columns)`.
    Alias "alias",
    /// A list of names in brackets.
    Names "names",
    /// The name of a relation.
    Name "name",
    /// `ROWS FROM (…)`.
    RowsFrom "rows-from",

    // Parts of writes.
    /// `ON CONFLICT …`.
    OnConflict "on-conflict",
    /// `(column, …)` in `ON CONFLICT`.
    ConflictTarget "conflict-target",
    /// `SET …`.
    Set "set",
    /// `column = expression`.
    Assignment "assignment",
    /// `RETURNING …`.
    Returning "returning",
    /// `USING …` of a `DELETE`.
    Using "using",
    /// `BATCH (SIZE n)`.
    Batch "batch",
    /// `DEFAULT VALUES`.
    DefaultValues "default-values",

    // Expressions: primaries.
    /// A column, perhaps qualified; `t.*` too.
    Column "column",
    /// A number without point and exponent.
    Integer "integer",
    /// Another number.
    Decimal "decimal",
    /// A string, of whatever quotes.
    Text "text",
    /// `b'…'`, `x'…'`, `B'…'`.
    Bytes "bytes",
    /// `TRUE`, `FALSE`.
    Boolean "boolean",
    /// `NULL`.
    Null "null",
    /// `DEFAULT` as a value.
    Default "default",
    /// `$1`.
    Parameter "parameter",
    /// `type 'text'`.
    TypedLiteral "typed-literal",
    /// `(expression)`.
    Paren "paren",
    /// `(a, b)`, `()`, `(a,)`.
    Tuple "tuple",
    /// `((a, b) AS x, y)`.
    LabelledTuple "labelled-tuple",
    /// `ROW(…)`.
    Row "row-constructor",
    /// `ARRAY[…]`, and the brackets within it.
    Array "array",
    /// `ARRAY(query)`.
    ArrayQuery "array-query",
    /// A query in brackets.
    Subquery "subquery",
    /// `EXISTS (query)`.
    Exists "exists",
    /// `CASE …`.
    Case "case",
    /// `WHEN … THEN …`.
    When "when",
    /// A call of a function.
    Call "call",
    /// A function with a syntax of its own: `EXTRACT(… FROM …)`, `IF(…)`, `CURRENT_DATE`.
    Special "special",
    /// `FILTER (WHERE …)`.
    Filter "filter",
    /// `WITHIN GROUP (ORDER BY …)`.
    WithinGroup "within-group",
    /// `OVER …`.
    Over "over",
    /// `CAST(a AS type)`.
    CastCall "cast-call",

    // Expressions: operators.
    /// `a::type`.
    Cast "cast",
    /// `a:::type`.
    Annotation "annotation",
    /// A type's name.
    Type "type",
    /// `a[…]`, the head is the bracket.
    Subscript "subscript",
    /// `(a).b`, `(a).*`, `(a).@1`.
    Field "field",
    /// `a COLLATE b`.
    Collate "collate",
    /// `a AT TIME ZONE b`.
    AtTimeZone "at-time-zone",
    /// `-a`, `+a`, `~a`, `|/ a`; the head is the operator.
    Prefix "prefix",
    /// `a + b`; the head is the operator.
    Binary "binary",
    /// `a = ANY (…)`; the head is the operator.
    Quantified "quantified",
    /// `a LIKE b ESCAPE c`.
    Like "like",
    /// `a IN (…)`.
    In "in",
    /// The list of `IN`.
    InList "in-list",
    /// `a BETWEEN b AND c`.
    Between "between",
    /// `a IS …`, `a ISNULL`.
    Is "is",
    /// `a IS DISTINCT FROM b`.
    IsDistinct "is-distinct",
    /// `a OVERLAPS b`.
    Overlaps "overlaps",
    /// `NOT a`.
    Not "not",
    /// `a AND b`.
    And "and",
    /// `a OR b`.
    Or "or",
}
