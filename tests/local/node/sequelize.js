// Sequelize: its dialect for PostgreSQL, as it is or patched by sequelize-cockroachdb (the program's argument).
"use strict";
const assert = require("node:assert/strict");
const { DataTypes, Op, Sequelize } = require(process.argv[2]);

const patched = process.argv[2] === "sequelize-cockroachdb";
const sequelize = new Sequelize(process.env.DATABASE_URL, {
  dialect: "postgres",
  logging: false,
  dialectOptions: { cockroachdbTelemetryDisabled: true },
});
const Account = sequelize.define("Account", {
  id: { type: DataTypes.UUID, primaryKey: true, defaultValue: Sequelize.literal("gen_random_uuid()") },
  owner: { type: DataTypes.STRING(40), allowNull: false, unique: true },
  greeting: { type: DataTypes.STRING, defaultValue: "it's", comment: "a 'comment'" },
  balance: { type: DataTypes.BIGINT, defaultValue: -3 },
  rate: DataTypes.DECIMAL(10, 2),
  open: { type: DataTypes.BOOLEAN, defaultValue: true },
  notes: DataTypes.JSONB,
  tags: DataTypes.ARRAY(DataTypes.TEXT),
  state: { type: DataTypes.ENUM("new", "old"), defaultValue: "new" },
  seen: { type: DataTypes.DATE, defaultValue: Sequelize.literal("CURRENT_TIMESTAMP") },
  picture: DataTypes.BLOB,
}, {
  paranoid: true,
  indexes: [
    { fields: ["balance"], where: { balance: { [Op.gt]: 0 } }, name: "rich" },
    { fields: [{ name: "rate", order: "DESC" }, "owner"], name: "by_rate", unique: true },
    { fields: ["notes"], using: "gin", name: "by_notes" },
  ],
});
const Entry = sequelize.define("Entry", { label: DataTypes.STRING, sum: DataTypes.INTEGER });
const Tag = sequelize.define("Tag", { name: DataTypes.STRING });
Account.hasMany(Entry, { as: "entries", foreignKey: { name: "account", allowNull: false }, onDelete: "CASCADE" });
Entry.belongsTo(Account, { as: "holder", foreignKey: "account" });
Entry.belongsToMany(Tag, { through: "EntryTag" });
Tag.belongsToMany(Entry, { through: "EntryTag" });
const queryInterface = sequelize.getQueryInterface();

async function schema() {
  await sequelize.authenticate();
  await sequelize.sync();
  await sequelize.sync();
  await sequelize.sync({ alter: true });
  const columns = await queryInterface.describeTable("Accounts");
  const seen = (name) => [columns[name].type, columns[name].defaultValue, columns[name].allowNull];
  assert.deepEqual(seen("id"), ["UUID", "gen_random_uuid()", false]);
  assert.deepEqual(seen("owner"), ["CHARACTER VARYING(40)", null, false]);
  assert.deepEqual(seen("balance"), ["BIGINT", "(-3)", true]);
  assert.deepEqual(seen("open"), ["BOOLEAN", true, true]);
  assert.deepEqual(seen("seen"), ["TIMESTAMP WITH TIME ZONE", "current_timestamp()", true]);
  assert.deepEqual([columns.state.special, columns.id.primaryKey], [["new", "old"], true]);
  const indexes = await queryInterface.showIndex("Accounts");
  const index = indexes.find(({ name }) => name === "by_rate");
  assert.deepEqual([index.unique, index.fields.map(({ attribute }) => attribute)], [true, ["rate", "owner"]]);
  const [key] = await queryInterface.getForeignKeyReferencesForTable("Entries");
  assert.deepEqual([key.columnName, key.referencedTableName], ["account", "Accounts"]);
}

async function migrations() {
  const integer = { type: DataTypes.INTEGER };
  const reference = { model: "Accounts", key: "id" };
  await queryInterface.createTable("ledger", {
    id: { ...integer, primaryKey: true, autoIncrement: true },
    a: { type: DataTypes.STRING, allowNull: false },
    account: { type: DataTypes.UUID, references: reference, onDelete: "SET NULL", onUpdate: "CASCADE" },
  });
  await queryInterface.addColumn("ledger", "b", { ...integer, defaultValue: 3, allowNull: false });
  await queryInterface.changeColumn("ledger", "b", { type: DataTypes.BIGINT, defaultValue: 4 });
  await queryInterface.renameColumn("ledger", "a", "c");
  await queryInterface.addIndex("ledger", ["c", "b"], { unique: true, name: "by_c" });
  await queryInterface.addConstraint("ledger", { fields: ["c"], type: "unique", name: "one_c" });
  await queryInterface.addConstraint("ledger", { fields: ["b"], type: "check", name: "some", where: { b: { [Op.gt]: 0 } } });
  const { b, c } = await queryInterface.describeTable("ledger");
  assert.deepEqual([b.type, b.defaultValue, b.allowNull, c.allowNull], ["BIGINT", "4", true, false]);
  await queryInterface.removeConstraint("ledger", "some");
  // CockroachDB before 26.2 drops the index, and the constraint with it; sequelize-cockroachdb knows that.
  await queryInterface.removeConstraint("ledger", "one_c").catch(async ({ parent }) => {
    assert.equal(parent.code, "0A000");
    await sequelize.query('DROP INDEX "ledger"@one_c CASCADE');
  });
  await queryInterface.removeIndex("ledger", "by_c");
  await queryInterface.removeColumn("ledger", "b");
  await queryInterface.renameTable("ledger", "book");
  await queryInterface.dropTable("book");
  assert.equal(await queryInterface.tableExists("book"), false);
}

async function queries() {
  const [ani, budi] = await Account.bulkCreate(
    [{ owner: "ani", balance: 5, notes: { a: { b: 1 } }, tags: ["x", "y"] }, { owner: "budi", picture: Buffer.from("p") }],
    { returning: true }
  );
  assert.match(ani.id, /^[0-9a-f-]{36}$/);
  await Account.bulkCreate([{ owner: "ani", balance: 6 }], { updateOnDuplicate: ["balance"], conflictAttributes: ["owner"] });
  const [upserted] = await Account.upsert({ owner: "ani", balance: 7 }, { conflictFields: ["owner"] });
  assert.equal(String(upserted.balance), "7");
  const cici = { where: { owner: "cici" }, defaults: { balance: 1 } };
  if (patched) {
    assert.equal((await Account.findOrCreate(cici))[1], true);
  } else {
    // The dialect for PostgreSQL makes a function that no cluster takes.
    await assert.rejects(Account.findOrCreate(cici), /GET DIAGNOSTICS/);
    await Account.create({ owner: "cici", balance: 1 });
  }
  await Entry.bulkCreate(Array.from({ length: 200 }, (_, i) => ({ account: budi.id, label: `l${i}`, sum: i })));
  await Entry.create({ account: ani.id, label: "tagged", Tags: [{ name: "one" }, { name: "two" }] }, { include: [Tag] });
  const [found] = await Account.findAll({ include: [{ model: Entry, as: "entries", where: { label: "tagged" }, include: [Tag] }] });
  assert.deepEqual([found.owner, found.entries[0].Tags.length], ["ani", 2]);
  const { count, rows } = await Entry.findAndCountAll({ order: [["sum", "DESC"]], limit: 3, offset: 2, where: { sum: { [Op.ne]: null } } });
  assert.deepEqual([count, rows.map(({ sum }) => Number(sum))], [200, [197, 196, 195]]);
  assert.equal(await Account.count({ where: { "notes.a.b": 1 } }), 1);
  assert.equal(await Account.count({ where: { tags: { [Op.contains]: ["y"] } } }), 1);
  assert.equal(Number(await Entry.sum("sum")), 19900);
  await Account.destroy({ where: { owner: "cici" } });
  assert.equal(await Account.count(), 2);
  await Account.restore({ where: { owner: "cici" } });
  await assert.rejects(Account.create({ owner: "ani" }), { name: "SequelizeUniqueConstraintError" });
  const nobody = "00000000-0000-0000-0000-000000000000";
  await assert.rejects(Entry.create({ account: nobody }), { name: "SequelizeForeignKeyConstraintError" });
}

async function transactions() {
  for (const isolationLevel of ["READ COMMITTED", "SERIALIZABLE"]) {
    const [shown] = await sequelize.transaction({ isolationLevel }, (transaction) =>
      sequelize.query("SHOW transaction_isolation", { transaction, type: "SELECT" })
    );
    assert.equal(shown.transaction_isolation.toUpperCase(), isolationLevel);
  }
  await sequelize.transaction(async (transaction) => {
    await Tag.create({ name: "kept" }, { transaction });
    const inner = sequelize.transaction({ transaction }, async (nested) => {
      await Tag.create({ name: "undone" }, { transaction: nested });
      throw new Error("undone");
    });
    await assert.rejects(inner, /undone/);
    await Tag.findAll({ transaction, lock: transaction.LOCK.UPDATE, limit: 1 });
    await Tag.findAll({ transaction, lock: true, skipLocked: !patched, limit: 1 });
  });
  assert.equal(await Tag.count({ where: { name: ["kept", "undone"] } }), 1);
  const attempt = sequelize.transaction(async (transaction) => {
    await sequelize.query("SET LOCAL inject_retry_errors_enabled = true", { transaction });
    await Tag.create({ name: "refused" }, { transaction });
  });
  await assert.rejects(attempt, ({ parent }) => parent.code === "40001");
  await sequelize.drop({});
}

schema()
  .then(migrations)
  .then(queries)
  .then(transactions)
  .finally(() => sequelize.close())
  .then(() => console.log("done"));
