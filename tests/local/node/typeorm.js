// TypeORM of the type "cockroachdb": a second synchronize finds nothing, migrations, queries, transactions.
"use strict";
require("reflect-metadata");
const assert = require("node:assert/strict");
const { ArrayContains, DataSource, EntitySchema, In, Table, TableColumn, TableIndex } = require("typeorm");

const types = [
  ...["bool", "bytes", "date", "decimal", "float4", "float8", "inet", "int", "int2", "int4", "int8", "interval"],
  ...["string", "character varying", "char", "varchar", "text", "time", "timestamp", "timestamptz", "jsonb", "uuid"],
];
const columnsOf = (of) => Object.fromEntries(types.map((type) => [`${type.replace(" ", "_")}_column`, of(type)]));
const rowid = { type: "int8", primary: true, generated: "rowid" };
const Types = new EntitySchema({
  name: "Types",
  columns: { id: { type: "uuid", primary: true, generated: "uuid" }, ...columnsOf((type) => ({ type, nullable: true })) },
});
const Arrays = new EntitySchema({
  name: "Arrays",
  columns: { id: rowid, ...columnsOf((type) => ({ type, array: true, nullable: true })) },
});
delete Arrays.options.columns.jsonb_column; // CockroachDB has no arrays of JSONB
const Account = new EntitySchema({
  name: "Account",
  columns: {
    id: { type: "int8", primary: true, generated: "increment" },
    owner: { type: "varchar", length: 40, unique: true },
    code: { type: "string", length: 7, default: "abc" },
    balance: { type: "int8", default: -3 },
    rate: { type: "decimal", precision: 10, scale: 2, default: 1.25 },
    open: { type: "bool", default: true },
    notes: { type: "jsonb", default: { a: 1 } },
    state: { type: "enum", enum: ["new", "old one"], default: "new" },
    mood: { type: "enum", enum: ["good", "bad"], enumName: "moods", array: true, nullable: true },
    tags: { type: "text", array: true, default: () => "ARRAY[]" },
    since: { type: "timestamptz", default: () => "now()" },
    day: { type: "date", default: () => "CURRENT_DATE" },
    at: { type: "timestamp", default: () => "CURRENT_TIMESTAMP" },
    twice: { type: "int8", asExpression: "balance * 2", generatedType: "STORED", nullable: true },
    upper: { type: "string", asExpression: "upper(code)", generatedType: "VIRTUAL", nullable: true },
    said: { type: "string", comment: "it's said", nullable: true },
    version: { type: Number, version: true },
    deleted: { type: Date, deleteDate: true, nullable: true },
  },
  relations: { entries: { type: "one-to-many", target: "Entry", inverseSide: "account" } },
  indices: [
    { name: "by_balance", columns: ["balance"] },
    { columns: ["balance", "owner"] },
    { columns: ["rate"], where: "rate > 0 AND open = true" },
  ],
  uniques: [{ columns: ["code", "owner"] }],
  checks: [{ name: "not_too_low", expression: "balance > -10" }, { expression: "\"code\" <> 'q'" }],
});
const Entry = new EntitySchema({
  name: "Entry",
  columns: { account_id: { type: "int8", primary: true }, place: { type: "int8", primary: true } },
  relations: {
    account: {
      type: "many-to-one",
      target: "Account",
      joinColumn: { name: "account_id" },
      onDelete: "CASCADE",
      onUpdate: "RESTRICT",
    },
    labels: { type: "many-to-many", target: "Label", joinTable: true, cascade: true },
  },
});
const Label = new EntitySchema({
  name: "Label",
  schema: "apart",
  columns: { id: rowid, name: { type: "string", unique: true } },
});
const Owners = new EntitySchema({
  name: "Owners",
  type: "view",
  expression: 'SELECT "owner" FROM "account"',
  columns: { owner: { type: "varchar" } },
});

class Ledger1700000000001 {
  async up(runner) {
    const id = { name: "id", type: "int8", isPrimary: true, isGenerated: true, generationStrategy: "rowid" };
    await runner.createTable(new Table({ name: "ledger", columns: [id, { name: "a", type: "int8", default: 3 }] }));
    await runner.addColumn("ledger", new TableColumn({ name: "b", type: "enum", enum: ["x", "y"], default: "'x'" }));
    await runner.createIndex("ledger", new TableIndex({ name: "by_a", columnNames: ["a"], where: "a IS NOT NULL" }));
    await runner.renameColumn("ledger", "a", "c");
    const wider = new TableColumn({ name: "b", type: "enum", enum: ["x", "y", "z"], default: "'z'" });
    await runner.changeColumn("ledger", "b", wider);
  }
  async down(runner) {
    await runner.dropTable("ledger");
  }
}

const statements = [];
const note = (sql) => statements.push(sql);
const quiet = () => {};
const source = (options) =>
  new DataSource({
    type: "cockroachdb",
    url: process.env.DATABASE_URL,
    entities: [Types, Arrays, Account, Entry, Label, Owners],
    migrations: [Ledger1700000000001],
    migrationsTransactionMode: "each",
    logging: true,
    logger: {
      ...{ logQuery: note, logQueryError: quiet, logQuerySlow: quiet, log: quiet },
      ...{ logSchemaBuild: quiet, logMigration: quiet },
    },
    ...options,
  });

async function synchronization(data) {
  await data.query("CREATE SCHEMA apart");
  await data.synchronize();
  assert.deepEqual((await data.driver.createSchemaBuilder().log()).upQueries, []);
  statements.length = 0;
  await data.synchronize();
  assert.deepEqual(statements.filter((sql) => /^\s*(CREATE|ALTER|DROP|COMMENT)/i.test(sql)), []);
  // What is read of an existing schema.
  const runner = data.createQueryRunner();
  const table = await runner.getTable("account");
  const column = (name) => table.findColumnByName(name);
  assert.deepEqual([column("code").type, column("code").length, column("code").default], ["string", "7", "'abc'"]);
  assert.deepEqual([column("state").enum, column("mood").enumName], [["new", "old one"], "moods"]);
  assert.deepEqual([column("id").generationStrategy, column("balance").default], ["increment", "(-3)"]);
  assert.deepEqual([column("twice").generatedType, column("upper").generatedType], ["STORED", "VIRTUAL"]);
  assert.deepEqual(table.indices.map((index) => index.columnNames.length).sort(), [1, 1, 2]);
  const [key] = (await runner.getTable("entry")).foreignKeys;
  assert.deepEqual([key.referencedTableName, key.onDelete, key.onUpdate], ["account", "CASCADE", "RESTRICT"]);
  // What changes is found.
  await data.query("ALTER TABLE account ALTER COLUMN balance SET DEFAULT 4");
  const { upQueries } = await data.driver.createSchemaBuilder().log();
  assert.deepEqual(upQueries.filter(({ query }) => /SET DEFAULT/.test(query)).map(({ query }) => query), [
    'ALTER TABLE "account" ALTER COLUMN "balance" SET DEFAULT (-3)',
  ]);
  await data.synchronize();
  await runner.release();
}

async function migrations(data) {
  assert.equal((await data.runMigrations()).length, 1);
  assert.equal((await data.runMigrations()).length, 0);
  const runner = data.createQueryRunner();
  const table = await runner.getTable("ledger");
  assert.deepEqual(table.findColumnByName("b").enum, ["x", "y", "z"]);
  assert.match(table.indices[0].where, /c IS NOT NULL/);
  await data.undoLastMigration();
  assert.equal(await runner.hasTable("ledger"), false);
  await runner.release();
}

async function queries(data) {
  const accounts = data.getRepository("Account");
  const ani = await accounts.save({ owner: "ani", tags: ["a", "b"] });
  const entries = data.getRepository("Entry");
  await entries.save({ account: ani, place: 1, labels: [{ name: "one" }, { name: "two" }] });
  const [read] = await accounts.find({ relations: { entries: { labels: true } } });
  assert.deepEqual([read.twice, read.upper, read.entries[0].labels.length], ["-6", "ABC", 2]);
  assert.deepEqual([read.tags, read.notes, read.state], [["a", "b"], { a: 1 }, "new"]);
  read.balance = 5;
  await accounts.save(read);
  assert.equal((await accounts.findOneByOrFail({ owner: "ani" })).version, 2);
  assert.equal(await accounts.countBy({ tags: ArrayContains(["b"]) }), 1);
  assert.deepEqual(await data.getRepository("Owners").find(), [{ owner: "ani" }]);
  const labels = data.getRepository("Label");
  await labels.insert(Array.from({ length: 300 }, (_, i) => ({ name: `l${i}` })));
  await labels.upsert([{ name: "l1" }, { name: "new" }], ["name"]);
  assert.equal(await labels.countBy({ name: In(["l1", "new"]) }), 2);
  const [page, total] = await labels.findAndCount({ order: { name: "ASC" }, take: 5, skip: 10 });
  assert.deepEqual([page.length, total], [5, 303]);
  let streamed = 0;
  for await (const row of await labels.createQueryBuilder("l").stream()) streamed += row.l_id ? 1 : 0;
  assert.equal(streamed, 303);
  await accounts.softDelete({ owner: "ani" });
  assert.equal(await accounts.count(), 0);
  await accounts.restore({ owner: "ani" });
  await assert.rejects(labels.insert({ name: "l1" }), { code: "23505" });
  await assert.rejects(accounts.insert({ owner: "x", balance: -11 }), { code: "23514", constraint: "not_too_low" });
  const sample = { bytes_column: Buffer.from("b"), interval_column: "1 day", jsonb_column: [1], decimal_column: "1.50" };
  const { id } = await data.getRepository("Types").save({ ...sample, inet_column: "10.0.0.1" });
  const typed = await data.getRepository("Types").findOneByOrFail({ id });
  assert.deepEqual([typed.bytes_column.toString(), typed.jsonb_column, typed.decimal_column], ["b", [1], "1.50"]);
  await data.getRepository("Arrays").save({ int8_column: [1, 2], string_column: ["a,b", '"'], bytes_column: null });
  const [arrays] = await data.getRepository("Arrays").find();
  assert.deepEqual([arrays.int8_column, arrays.string_column], [["1", "2"], ["a,b", '"']]);
}

async function transactions(data) {
  for (const level of ["READ COMMITTED", "SERIALIZABLE"]) {
    const [shown] = await data.transaction(level, (manager) => manager.query("SHOW transaction_isolation"));
    assert.equal(shown.transaction_isolation.toUpperCase(), level);
  }
  await data.transaction(async (manager) => {
    await manager.save("Label", { name: "kept" });
    const inner = manager.transaction(async (nested) => {
      await nested.save("Label", { name: "undone" });
      throw new Error("undone");
    });
    await assert.rejects(inner, /undone/);
    await manager.createQueryBuilder("Label", "l").setLock("pessimistic_write").limit(1).getMany();
  });
  assert.equal(await data.getRepository("Label").countBy({ name: In(["kept", "undone"]) }), 1);
  // TypeORM rolls back to its savepoint and says all again.
  const retrying = await source({ maxTransactionRetries: 5, extra: { max: 1 } }).initialize();
  await retrying.query("SET inject_retry_errors_enabled = true");
  statements.length = 0;
  await retrying.transaction((manager) => manager.query("INSERT INTO apart.label (name) VALUES ('retried')"));
  await retrying.query("SET inject_retry_errors_enabled = false");
  assert.ok(statements.filter((sql) => sql === "ROLLBACK TO SAVEPOINT cockroach_restart").length >= 1);
  assert.equal(await retrying.getRepository("Label").countBy({ name: "retried" }), 1);
  await retrying.destroy();
}

async function main() {
  const data = await source().initialize();
  try {
    await synchronization(data);
    await migrations(data);
    await queries(data);
    await transactions(data);
  } finally {
    await data.destroy();
  }
}

main().then(() => console.log("done"));
