"""Gateways beside each other on one database, and what they may have."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import psycopg2
import pymongo
import pytest
from psycopg2.extensions import make_dsn
from pymongo.errors import OperationFailure

from tests.gateways import Gateway, GatewayError


def test_gateways_of_one_home_know_one_first_user(database: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    with (
        Gateway(database, home, ["--name", "a"]) as one,
        Gateway(database, home, ["--name", "b"]) as other,
        pymongo.MongoClient[dict[str, Any]](one.url) as first,
        pymongo.MongoClient[dict[str, Any]](other.url) as second,
    ):
        first.shop.goods.insert_one({"_id": 1})
        assert second.shop.goods.find_one() == {"_id": 1}


def test_a_gateway_without_the_first_users_password_does_not_start(database: str, tmp_path: Path) -> None:
    with Gateway(database, tmp_path / "a"):
        pass
    with pytest.raises(GatewayError, match=r"another password than that of this home.*--password-file"):
        Gateway(database, tmp_path / "b")
    password = tmp_path / "password"
    password.write_text("a wrong one\n")
    password.chmod(0o600)
    with pytest.raises(GatewayError, match="another password"):
        Gateway(database, tmp_path / "a", ["--password-file", str(password)])
    with Gateway(database, tmp_path / "b", ["--user", "other"]) as gateway:
        with pymongo.MongoClient[dict[str, Any]](gateway.url) as client:
            assert client.admin.command("ping")["ok"] == 1


def test_three_in_four_connections_may_hold_a_transaction(database: str, tmp_path: Path) -> None:
    arguments = ["--no-password", "--connections", "4"]
    with (
        Gateway(database, tmp_path / "home", arguments) as gateway,
        pymongo.MongoClient[dict[str, Any]](gateway.url) as client,
    ):
        goods = client.shop.goods
        goods.insert_one({"_id": 0})
        sessions = [client.start_session() for _ in range(4)]
        for session in sessions[:3]:
            session.start_transaction()
            goods.insert_one({}, session=session)
        sessions[3].start_transaction(max_commit_time_ms=1000)
        with pytest.raises(OperationFailure) as failure:
            goods.insert_one({}, session=sessions[3])
        assert failure.value.code == 462
        assert "at most 3" in str(failure.value)
        # What runs outside of one is served.
        assert goods.count_documents({}) == 1
        for session in sessions:
            session.end_session()


def test_what_runs_is_filtered_and_ones_own_needs_no_right(database: str, tmp_path: Path) -> None:
    with (
        Gateway(database, tmp_path / "home") as gateway,
        pymongo.MongoClient[dict[str, Any]](gateway.url) as client,
    ):
        client.shop.command("createUser", "ani", pwd="rahasia", roles=["read"])
        host, port = client.address or ("", 0)
        admin = client.admin
        listed = admin.command("currentOp", {"$or": [{"op": "command"}, {"op": "none"}]})["inprog"]
        assert any("currentOp" in one["command"] for one in listed)
        assert admin.command({"currentOp": 1, "secs_running": {"$gt": 3600}})["inprog"] == []
        with pymongo.MongoClient[dict[str, Any]](
            host, port, username="ani", password="rahasia", authSource="shop"
        ) as ani:
            with pytest.raises(OperationFailure) as failure:
                ani.admin.command("currentOp")
            assert failure.value.code == 13
            own = ani.admin.command({"currentOp": 1, "$ownOps": True})["inprog"]
            assert [next(iter(one["command"])) for one in own] == ["currentOp"]
            stage = list(ani.admin.aggregate([{"$currentOp": {}}]))
            assert [next(iter(one["command"])) for one in stage] == ["aggregate"]
            with pytest.raises(OperationFailure) as failure:
                ani.admin.aggregate([{"$currentOp": {"allUsers": True}}])
            assert failure.value.code == 13
            # The name of dataSize has a database of its own.
            assert ani.shop.command("dataSize", "shop.goods")["numObjects"] == 0
            with pytest.raises(OperationFailure) as failure:
                ani.shop.command("dataSize", "other.goods")
            assert failure.value.code == 13


def test_sizes_and_refusals(db: Any) -> None:
    db.c.insert_many([{"_id": n} for n in range(3)])
    size = db.command("dataSize", f"{db.name}.c")
    assert (size["numObjects"], size["size"]) == (3, 3 * 14)
    assert db.command("dataSize", f"{db.name}.none")["size"] == 0
    assert db.command("compact", "c")["bytesFreed"] == 0

    def code(command: dict[str, Any]) -> int | None:
        with pytest.raises(OperationFailure) as failure:
            db.command(command)
        return failure.value.code

    assert code({"compact": "none"}) == 26
    assert code({"dataSize": "c"}) == 73
    assert code({"dataSize": f"{db.name}.c", "min": {"_id": 1}}) == 238
    assert code({"convertToCapped": "c", "size": 4096}) == 238
    prepared = {"key": {"a": 1}, "name": "a", "prepareUnique": True}
    assert code({"createIndexes": "c", "indexes": [prepared]}) == 238


def test_a_plain_sql_role_is_enough(database: str, tmp_path: Path) -> None:
    role = f"plain_{uuid.uuid4().hex[:8]}"
    plain = make_dsn(database, user=role, password="x")
    conn = psycopg2.connect(database)
    conn.autocommit = True
    run = conn.cursor().execute
    run(f"CREATE ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD 'x'")
    try:
        # It may make tables in the schema, and no schemas.
        run(f"CREATE SCHEMA kecoa_mongo AUTHORIZATION {role}")
        with (
            Gateway(plain, tmp_path / "home", ["--no-password", "--replica-set", "rs"]) as gateway,
            pymongo.MongoClient[dict[str, Any]](gateway.url) as client,
        ):
            goods = client.shop.goods
            goods.create_index("k", unique=True)
            with goods.watch() as stream:
                goods.insert_many([{"_id": n, "k": n} for n in range(10)])
                assert stream.next()["operationType"] == "insert"
            with client.start_session() as session, session.start_transaction():
                goods.update_one({"_id": 1}, {"$set": {"k": 99}}, session=session)
            goods.aggregate([{"$out": "copy"}])
            goods.drop()
            assert client.shop.copy.count_documents({}) == 10
        run(f"REASSIGN OWNED BY {role} TO CURRENT_USER")
        run(f"GRANT USAGE ON SCHEMA kecoa_mongo TO {role}")
        run(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA kecoa_mongo TO {role}")
        run(f"GRANT UPDATE ON ALL SEQUENCES IN SCHEMA kecoa_mongo TO {role}")
        with (
            Gateway(plain, tmp_path / "home", ["--no-password", "--replica-set", "rs"]) as gateway,
            pymongo.MongoClient[dict[str, Any]](gateway.url) as client,
        ):
            with client.shop.copy.watch() as stream:
                client.shop.copy.insert_one({"_id": 10, "k": 10})
                assert stream.next()["operationType"] == "insert"
            assert client.shop.copy.count_documents({}) == 11
    finally:
        run(f"DROP OWNED BY {role}")
        run(f"DROP ROLE {role}")
        conn.close()
