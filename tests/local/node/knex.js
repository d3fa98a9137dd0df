// knex with the client "cockroachdb": migrations, schema, queries, transactions.
"use strict";
const assert = require("node:assert/strict");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const Knex = require("knex");

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "kecoa-knex-"));
const migration = (name, text) => fs.writeFileSync(path.join(folder, name), text);
migration(
  "1_accounts.js",
  `exports.up = (knex) =>
    knex.schema
      .createTable("accounts", (t) => {
        t.uuid("id", { primaryKey: true });
        t.string("owner", 40).notNullable().unique().defaultTo("it's");
        t.bigInteger("balance").notNullable().defaultTo(-3).index("by_balance");
        t.decimal("rate", 10, 2).defaultTo(1.5);
        t.boolean("open").defaultTo(true);
        t.enu("state", ["new", "old"], { useNative: true, enumName: "state" }).defaultTo("new");
        t.jsonb("notes").defaultTo({ a: 1 });
        t.specificType("tags", "text[]");
        t.specificType("twice", "int AS (balance * 2) STORED");
        t.timestamps(true, true);
        t.check("?? > -10", ["balance"], "not_too_low");
        t.comment("who has what");
      })
      .createTable("entries", (t) => {
        t.bigIncrements();
        t.uuid("account").notNullable().references("accounts.id").onDelete("CASCADE");
        t.bigInteger("amount");
      });
  exports.down = (knex) => knex.schema.dropTable("entries").dropTable("accounts").raw("DROP TYPE state");`
);
migration(
  "2_alter.js",
  `exports.up = (knex) =>
    knex.schema.alterTable("entries", (t) => {
      t.string("label", 10).notNullable().defaultTo("q");
      t.integer("kind").nullable();
      t.bigInteger("kind").notNullable().defaultTo(7).alter();
      t.unique(["account", "label"], { indexName: "one_label" });
      t.renameColumn("amount", "sum");
    });
  exports.down = (knex) =>
    knex.schema.alterTable("entries", (t) => {
      t.dropUnique(["account", "label"], "one_label");
      t.dropColumns("label", "kind");
      t.renameColumn("sum", "amount");
    });`
);
migration(
  "3_alone.js",
  `exports.config = { transaction: false };
  exports.up = (knex) => knex.raw("CREATE INDEX CONCURRENTLY by_sum ON entries (sum)");
  exports.down = (knex) => knex.raw("DROP INDEX entries@by_sum");`
);

const knex = Knex({
  client: "cockroachdb",
  connection: process.env.DATABASE_URL,
  pool: { min: 0, max: 4 },
  migrations: { directory: folder },
  log: { warn() {} },
});

async function migrations() {
  assert.equal((await knex.migrate.latest())[1].length, 3);
  assert.deepEqual((await knex.migrate.latest())[1], []);
  assert.equal(await knex.migrate.currentVersion(), "3");
  assert.deepEqual((await knex.migrate.down())[1], ["3_alone.js"]);
  assert.deepEqual((await knex.migrate.rollback(null, true))[1], ["2_alter.js", "1_accounts.js"]);
  assert.equal(await knex.schema.hasTable("accounts"), false);
  const both = await Promise.allSettled([knex.migrate.latest(), knex.migrate.latest()]);
  assert.ok(both.some((outcome) => outcome.status === "fulfilled"));
  for (const { reason } of both) assert.match(reason?.name ?? "MigrationLocked", /^MigrationLocked$/);
  assert.equal((await knex.migrate.list())[0].length, 3);
}

async function introspection() {
  const columns = await knex("accounts").columnInfo();
  const seen = Object.entries(columns).map(([name, column]) => [name, column.type, column.defaultValue]);
  assert.deepEqual(seen, [
    ["id", "uuid", "gen_random_uuid()"],
    ["owner", "character varying", "e'it\\'s'"],
    ["balance", "bigint", "(-3)"],
    ["rate", "numeric", "1.5"],
    ["open", "boolean", "true"],
    ["state", "USER-DEFINED", "'new'"],
    ["notes", "jsonb", `'{"a": 1}'`],
    ["tags", "ARRAY", null],
    ["twice", "bigint", null],
    ["created_at", "timestamp with time zone", "current_timestamp()"],
    ["updated_at", "timestamp with time zone", "current_timestamp()"],
  ]);
  // An INT8, as on a cluster: node-postgres gives text.
  assert.equal(columns.owner.maxLength, "40");
  assert.equal(await knex.schema.hasColumn("entries", "sum"), true);
}

async function queries() {
  const [ani] = await knex("accounts").insert({ owner: "ani", balance: 5, tags: ["a", "b"] }).returning("*");
  assert.deepEqual([ani.twice, ani.state, ani.tags, ani.notes], ["10", "new", ["a", "b"], { a: 1 }]);
  await knex("accounts").insert({ owner: "ani", balance: 6 }).onConflict("owner").merge(["balance"]);
  await knex("accounts").upsert({ id: ani.id, owner: "ani", balance: 7 });
  assert.equal((await knex("accounts").where({ owner: "ani" }).first()).balance, "7");
  const rows = Array.from({ length: 200 }, (_, i) => ({ account: ani.id, label: `l${i}`, sum: i }));
  assert.equal((await knex.batchInsert("entries", rows, 50).returning("id")).length, 200);
  const page = await knex("entries").orderBy("sum", "desc").limit(3).offset(1).pluck("sum");
  assert.deepEqual(page, ["198", "197", "196"]);
  let streamed = 0;
  for await (const row of knex("entries").stream({ batchSize: 30 })) streamed += row.sum ? 1 : 0;
  assert.equal(streamed, 200);
  assert.equal((await knex("accounts").whereJsonPath("notes", "$.a", "=", 1)).length, 1);
  const [{ notes }] = await knex("accounts").jsonSet("notes", "$.b", "2", "notes");
  assert.deepEqual(notes, { a: 1, b: 2 });
  const ranked = await knex("entries").select("sum").rowNumber("place", "sum").limit(1);
  assert.deepEqual(ranked, [{ sum: "0", place: "1" }]);
  const failed = (query) => query.then(() => undefined, (error) => [error.code, error.constraint]);
  assert.deepEqual(await failed(knex("accounts").insert({ owner: "ani" })), ["23505", "accounts_owner_unique"]);
  assert.deepEqual(await failed(knex("accounts").insert({ balance: -11 })), ["23514", "not_too_low"]);
}

async function transactions() {
  const level = (wanted) =>
    knex.transaction(async (trx) => (await trx.raw("SHOW transaction_isolation")).rows[0].transaction_isolation, {
      isolationLevel: wanted,
    });
  assert.equal(await level("serializable"), "serializable");
  assert.equal(await level("read committed"), "read committed");
  await knex.transaction(async (trx) => {
    await trx("accounts").insert({ owner: "budi" });
    const inner = trx.transaction(async (nested) => {
      await nested("accounts").insert({ owner: "cici" });
      throw new Error("undone");
    });
    await assert.rejects(inner, /undone/);
    await trx("accounts").forUpdate().skipLocked().first();
  });
  assert.deepEqual(await knex("accounts").orderBy("owner").pluck("owner"), ["ani", "budi"]);
  await knex.transaction(async (trx) => {
    await trx.raw("SET LOCAL inject_retry_errors_enabled = true");
    await assert.rejects(trx("accounts").update({ open: false }), { code: "40001" });
    await trx.rollback();
  }).catch((error) => assert.match(error.message, /restart transaction|rollback|Transaction rejected/i));
}

migrations()
  .then(introspection)
  .then(queries)
  .then(transactions)
  .finally(() => knex.destroy())
  .finally(() => fs.rmSync(folder, { recursive: true }))
  .then(() => console.log("done"));
