"""A Django project: migrations up and down, queries, introspection, the test database. DRIVER=psycopg2 hides psycopg 3."""

from __future__ import annotations

import datetime
import decimal
import io
import os
import sys
import uuid
from pathlib import Path
from urllib.parse import urlsplit

MODELS = """
import uuid

from django.db import models
from django.db.models.functions import Lower


class Tag(models.Model):
    name = models.CharField(max_length=30, unique=True)


class Item(models.Model):
    key = models.UUIDField(default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=60, db_index=True)
    price = models.DecimalField(max_digits=10, decimal_places=2)
    stock = models.PositiveIntegerField(default=0)
    rate = models.FloatField(null=True)
    data = models.JSONField(default=dict)
    made = models.DateTimeField(auto_now_add=True)
    day = models.DateField(null=True)
    took = models.DurationField(null=True)
    raw = models.BinaryField(default=b"")
    parent = models.ForeignKey("self", models.CASCADE, null=True)
    tags = models.ManyToManyField(Tag)
    total = models.GeneratedField(
        expression=models.F("price") * models.F("stock"), db_persist=True,
        output_field=models.DecimalField(max_digits=12, decimal_places=2),
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(price__gte=0), name="price_not_negative"),
            models.UniqueConstraint(fields=["name", "day"], name="name_and_day"),
        ]
        indexes = [models.Index(Lower("name").desc(), name="lower_name"), models.Index(fields=["-day"], name="by_day")]
"""


def configure() -> None:
    from django.conf import settings

    url = urlsplit(os.environ["DATABASE_URL"])
    settings.configure(
        DATABASES={
            "default": {
                "ENGINE": "django_cockroachdb",
                "NAME": url.path.lstrip("/"),
                "USER": url.username or "",
                "PASSWORD": url.password or "",
                "HOST": url.hostname,
                "PORT": str(url.port),
            }
        },
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "shop"],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
        DISABLE_COCKROACHDB_TELEMETRY=True,
    )
    import django

    django.setup()


def call(*arguments: str, **options: object) -> str:
    from django.core.management import call_command

    out = io.StringIO()
    call_command(*arguments, stdout=out, **options)
    return out.getvalue()


def migrations() -> None:
    models = Path("shop/models.py")
    call("makemigrations", "shop")
    call("migrate")
    assert "No changes" in call("makemigrations", "shop")
    models.write_text(models.read_text().replace("max_length=60", "max_length=90").replace("rate", "share"))
    # The models are read once a process.
    call("migrate", "shop", "zero")
    call("migrate", "shop")


def introspection() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, "shop_item")
    assert not [name for name in found if name.endswith("_not_null")], found
    assert found["price_not_negative"]["check"]
    assert found["name_and_day"]["unique"]
    assert found["by_day"] == {
        "columns": ["day"], "orders": ["DESC"], "primary_key": False, "unique": False, "foreign_key": None,
        "check": False, "index": True, "type": "idx", "definition": None, "options": None,
    }, found["by_day"]  # fmt: skip
    name = connection.settings_dict["NAME"]
    expected = f"CREATE INDEX lower_name ON {name}.public.shop_item USING btree (lower(name) DESC)"
    assert found["lower_name"]["definition"] == expected, found["lower_name"]
    text = call("inspectdb", "shop_item")
    assert "name = models.CharField(max_length=60)" in text, text
    assert "data = models.JSONField()" in text, text
    assert "unique_together = (('name', 'day'),)" in text, text


def queries() -> None:
    from django.db import IntegrityError, transaction
    from django.db.models import Avg, F, Sum, Value, Window
    from django.db.models.functions import Concat, ExtractYear, Log, Rank, Round
    from shop.models import Item, Tag

    today = datetime.date(2026, 2, 3)
    items = [
        Item(name=f"item {n}", price=decimal.Decimal(n), stock=n, data={"n": n, "list": [n]}, day=today)
        for n in range(1, 6)
    ]
    Item.objects.bulk_create(items)
    assert all(item.pk for item in items)
    Item.objects.bulk_create(
        [Item(name="item 1", price=50, day=today)],
        update_conflicts=True, unique_fields=["name", "day"], update_fields=["price"],
    )  # fmt: skip
    first = Item.objects.get(name="item 1")
    assert (first.price, first.total) == (50, 50)
    assert isinstance(first.key, uuid.UUID)
    tag = Tag.objects.create(name="new")
    first.tags.add(tag)
    assert list(tag.item_set.all()) == [first]
    assert Item.objects.filter(data__n__gt=3, data__list__contains=5).count() == 1
    assert Item.objects.filter(data__has_key="n", day__year=2026, name__icontains="ITEM").count() == 5
    sums = Item.objects.aggregate(Sum("stock"), Avg("price"))
    assert sums == {"stock__sum": 15, "price__avg": decimal.Decimal("12.8")}, sums
    ranked = Item.objects.annotate(place=Window(Rank(), order_by=F("price").desc())).order_by("place")
    assert [item.name for item in ranked][:2] == ["item 1", "item 5"]
    row = Item.objects.annotate(
        text=Concat("name", Value("!")),
        year=ExtractYear("day"),
        log=Log(Value(2.0), Value(8.0)),
        round=Round("stock"),
    ).get(pk=first.pk)
    assert (row.text, row.year, row.log, row.round) == ("item 1!", 2026, 3.0, 1)
    done = []
    with transaction.atomic():
        locked = Item.objects.select_for_update().get(pk=first.pk)
        refused = ""
        try:
            with transaction.atomic():
                Item.objects.filter(pk=locked.pk).update(price=-1)
        except IntegrityError as error:
            refused = str(error)
        assert "failed to satisfy CHECK constraint" in refused
        transaction.on_commit(lambda: done.append(1))
        assert not done
    assert done
    call("dumpdata", "shop", "--output", "dump.json")
    Item.objects.all().delete()
    call("loaddata", "dump.json")
    assert Item.objects.count() == 5


def test_database() -> None:
    from django.db import connection

    name = connection.settings_dict["NAME"]
    made = connection.creation.create_test_db(verbosity=0, autoclobber=True)
    assert made == f"test_{name}"
    connection.creation.destroy_test_db(name, verbosity=0)


if os.environ.get("DRIVER") == "psycopg2":
    sys.modules["psycopg"] = None
Path("shop/migrations").mkdir(parents=True)
Path("shop/__init__.py").touch()
Path("shop/migrations/__init__.py").touch()
Path("shop/models.py").write_text(MODELS)
sys.path.insert(0, os.getcwd())
configure()
migrations()
introspection()
queries()
test_database()
print("done")
