"""Network addresses: `Inet`, and the standard library's ipaddress."""

from __future__ import annotations

import importlib
import ipaddress

import pytest

ADDRESSES = ["127.0.0.1", "127.0.0.1/24", "10.0.0.0/8", "::1", "::ffff:1.2.3.0/120", "fe80::/10", "0.0.0.0/0"]


def names(types):
    return [(caster.name, caster.values) for caster in types.values()]


@pytest.mark.parametrize("address", ADDRESSES)
def test_objects_of_the_standard_library(same, registrations, address):
    def action(module, conn, cur):
        module.extras.register_ipaddress(cur)
        cur.execute(f"SELECT '{address}'::inet, ARRAY['{address}'::inet, NULL], NULL::inet")
        interfaces = cur.fetchone()
        network = ipaddress.ip_network(address, strict=False)
        cur.execute("SELECT %s::cidr, ARRAY[%s::cidr, NULL], NULL::cidr", (network, network))
        networks = cur.fetchone()
        values = (interfaces[0], networks[0], [interfaces[0], None], (networks[0],))
        return interfaces, networks, cur.mogrify("%s %s %s %s", values), names(cur.string_types)

    same(action)


@pytest.mark.parametrize("value", [ipaddress.ip_address("1.2.3.4"), ipaddress.ip_address("::1")])
def test_plain_addresses_are_not_adapted(same, registrations, value):
    def action(module, conn, cur):
        module.extras.register_ipaddress(cur)
        return cur.mogrify("%s", (value,))

    same(action)


@pytest.mark.parametrize("scope", ["cursor", "connection", None])
def test_where_it_is_registered(same, registrations, scope):
    def action(module, conn, cur):
        module.extras.register_ipaddress({"cursor": cur, "connection": conn}.get(scope))
        other = conn.cursor()
        other.execute("SELECT '10.0.0.0/8'::cidr, '10.0.0.1'::inet")
        return other.fetchone()

    same(action)


@pytest.mark.parametrize("text", [None, "", "1.2.3.4", "1.2.3.4/8", "::1", "nonsense"])
def test_the_functions(same, registrations, text):
    def action(module, conn, cur):
        functions = importlib.import_module(module.__name__ + "._ipaddress")
        module.extras.register_ipaddress(cur)
        return (
            functions.adapt_ipaddress(text).getquoted(),
            functions.cast_interface(text),
            functions.cast_network(text),
        )

    same(action)


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("oids", [None, 869, (869, 1041)])
def test_inet(same, registrations, address, oids):
    def action(module, conn, cur):
        with pytest.warns(DeprecationWarning, match="the inet adapter is deprecated"):
            made = module.extras.register_inet(oids, cur)
        cur.execute(f"SELECT '{address}'::inet, ARRAY['{address}'::inet, NULL], NULL::inet")
        row = cur.fetchone()
        constants = module.extensions.INET.name, module.extensions.INETARRAY.name
        return (
            row,
            str(row[0]),
            row[0].addr,
            cur.mogrify("%s %s", (row, [row[0]])),
            made.name,
            made.values,
            constants,
        )

    same(action)


@pytest.mark.parametrize("value", ["a'\\", 3, None, "é"])
def test_what_inet_sends(same, value):
    def action(module, conn, cur):
        inet = module.extras.Inet(value)
        inet.prepare(conn)
        return inet.getquoted(), repr(inet), str(inet), inet.__conform__(module.extensions.ISQLQuote) is inet

    same(action)
