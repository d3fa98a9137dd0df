"""Pictures of how things are built: layers, ranges, pools, the local endpoint."""

from __future__ import annotations

from tools.pictures.drawing import Picture, Say


def layers(say: Say) -> Picture:
    """The path of a statement through the layers."""
    picture = Picture(
        480,
        say("The path of a statement", "Perjalanan sebuah statement"),
        say(
            "From your program through SQLAlchemy's ORM and Core, the dialect, the Python driver and the Rust core to"
            " the database, and back as Python objects. psycopg2-style programs enter at the driver.",
            "Dari program Anda melalui ORM dan Core SQLAlchemy, dialek, driver Python, dan inti Rust ke database,"
            " lalu kembali sebagai objek Python. Program bergaya psycopg2 masuk di driver.",
        ),
        height=624,
    )
    x, width = 70, 280
    rows = [
        (say("your program", "program Anda"), "giver.balance -= 100", "soft"),
        (say("SQLAlchemy ORM", "ORM SQLAlchemy"), "update(Account)…", "wait"),
        (say("SQLAlchemy Core, dialect", "Core SQLAlchemy, dialek"), "UPDATE … = %s", "wait"),
        (say("kecoa, the Python driver", "kecoa, driver Python"), "execute(sql, values)", "go"),
        (
            say("kecoa, the Rust core", "kecoa, inti Rust"),
            say("bytes of the protocol", "byte protokol"),
            "go",
        ),
        (
            say("TCP or a unix socket, TLS", "TCP atau unix socket, TLS"),
            say("encrypted bytes", "byte terenkripsi"),
            "soft",
        ),
        (say("the database", "database"), say("plan, lock, write", "rencana, lock, tulis"), "good"),
    ]
    top, height, gap = 14, 56, 34
    for number, (name, what, style) in enumerate(rows):
        y = top + number * (height + gap)
        picture.box(x, y, width, height, "", style)
        picture.text(x + width / 2, y + 23, name, "ink bold")
        mono = number < 4
        picture.text(x + width / 2, y + 44, what, "soft mono" if mono else "soft")
        if number:
            picture.arrow(x + 110, y - gap + 3, x + 110, y - 3, "go")
            picture.arrow(x + 170, y - 3, x + 170, y - gap + 3, "good")
    picture.text(x + 102, top + height + 22, say("statement", "statement"), "go small", anchor="end")
    picture.text(
        x + 178, top + height + 22, say("rows, errors", "baris, error"), "good small", anchor="start"
    )
    # Programs without SQLAlchemy enter lower.
    driver = top + 3 * (height + gap) + height / 2
    picture.bent(
        [(x + width + 3, top + height / 2), (466, top + height / 2), (466, driver), (x + width + 4, driver)],
        "soft",
    )
    picture.text(458, top + 130, say("without\nSQLAlchemy", "tanpa\nSQLAlchemy"), "soft small", anchor="end")
    gil = top + 3 * (height + gap) + height + gap / 2
    picture.line(8, gil, 60, gil, "wait", dashed=True)
    picture.text(8, gil - 26, say("with\nthe GIL", "dengan\nGIL"), "wait small", anchor="start")
    picture.text(8, gil + 17, say("without\nit", "tanpa\nGIL"), "wait small", anchor="start")
    return picture


def keys(say: Say) -> Picture:
    """A hot range, and keys that avoid it."""
    picture = Picture(
        520,
        say("A hot range, and keys that avoid it", "Hot range, dan kunci yang menghindarinya"),
        say(
            "Four tables, each in three ranges on three nodes. With ascending keys all inserts go to the last range."
            " UUIDs, hash-sharded indexes and composite keys that begin with a customer spread them.",
            "Empat tabel, masing-masing dalam tiga range di tiga node. Dengan kunci menaik, semua INSERT masuk ke range"
            " terakhir. UUID, indeks hash-sharded, dan kunci komposit yang diawali pelanggan menyebarkannya.",
        ),
        height=678,
    )
    kinds = [
        (
            say("Ascending: SERIAL, now()", "Menaik: SERIAL, now()"),
            ["1 … 999", "1000 … 1999", "2000 … ∞"],
            (0, 0, 9),
            say("one node does all the work", "satu node mengerjakan semuanya"),
        ),
        (
            say("Random: UUID", "Acak: UUID"),
            ["00… – 55…", "55… – aa…", "aa… – ff…"],
            (3, 3, 3),
            say(
                "even, but neighbours in time are far apart", "merata, tetapi baris yang berurutan terpencar"
            ),
        ),
        (
            say("Hash-sharded: USING HASH", "Hash-sharded: USING HASH"),
            [
                say("bucket 0-2", "bucket 0-2"),
                say("bucket 3-5", "bucket 3-5"),
                say("bucket 6-7", "bucket 6-7"),
            ],
            (3, 3, 3),
            say("even; each bucket is in order of time", "merata; tiap bucket terurut menurut waktu"),
        ),
        (
            say("Composite: (customer, time)", "Komposit: (pelanggan, waktu)"),
            [say("Ani … Dewi", "Ani … Dewi"), "Eka … Made", "Nia … Zul"],
            (3, 2, 4),
            say(
                "as even as your customers; theirs stay together",
                "semerata pelanggan Anda; barisnya berdekatan",
            ),
        ),
    ]
    for number, (name, ranges, arrows, verdict) in enumerate(kinds):
        top = 8 + number * 172
        picture.text(8, top + 14, name, "ink bold", anchor="start")
        for place, (words, count) in enumerate(zip(ranges, arrows, strict=True)):
            x = 8 + place * 170
            hot = count > 5
            picture.box(x, top + 78, 160, 40, words, "bad" if hot else "good" if count else "soft")
            for arrow in range(count):
                at = x + 80 + (arrow - (count - 1) / 2) * (14 if hot else 22)
                picture.arrow(at, top + 34, at, top + 74, "bad" if hot else "go")
            if number == 0:
                picture.text(
                    x + 80,
                    top + 54 if not count else top + 28,
                    "" if count else say("idle", "menganggur"),
                    "soft",
                )
        picture.text(260, top + 140, verdict, "bad" if number == 0 else "soft")
    return picture


def pool(say: Say) -> Picture:
    """The life of a connection in a pool."""
    picture = Picture(
        480,
        say("The life of a pooled connection", "Siklus hidup koneksi dalam pool"),
        say(
            "A connection is opened and configured, is idle in the pool, is checked before it is checked out, is used,"
            " and is returned: committed or rolled back, and reset. It is closed when it is lost, too old, or idle for too long.",
            "Koneksi dibuka dan dikonfigurasi, menganggur di pool, diperiksa sebelum diambil, dipakai, lalu"
            " dikembalikan: di-commit atau di-rollback, dan di-reset. Koneksi ditutup jika putus, terlalu tua, atau terlalu lama"
            " menganggur.",
        ),
        height=542,
    )
    mid = 200
    boxes = {
        "connect": (14, say("connecting", "membuka koneksi"), "soft"),
        "idle": (134, say("idle, in the pool", "menganggur di pool"), "good"),
        "use": (284, say("checked out: you use it", "diambil: Anda pakai"), "go"),
        "close": (480, say("closed", "ditutup"), "bad"),
    }
    for y, words, style in boxes.values():
        picture.box(mid - 110, y, 220, 48, words, style, "ink bold")
    picture.arrow(mid, 64, mid, 130, "soft")
    picture.text(mid + 10, 102, "configure(conn)", "soft mono", anchor="start")
    picture.arrow(mid - 60, 184, mid - 60, 280, "go")
    picture.text(mid - 70, 226, say("check out", "ambil"), "go", anchor="end")
    picture.text(mid - 70, 246, say("(is it alive?)", "(masih hidup?)"), "soft small", anchor="end")
    picture.arrow(mid + 60, 280, mid + 60, 184, "good")
    picture.text(mid + 70, 226, say("return:", "kembalikan:"), "good", anchor="start")
    picture.text(
        mid + 70,
        246,
        say("COMMIT or ROLLBACK,\nreset(conn)", "COMMIT atau ROLLBACK,\nreset(conn)"),
        "soft mono",
        anchor="start",
    )
    picture.arrow(mid, 334, mid, 476, "bad", dashed=True)
    picture.text(
        mid - 10,
        396,
        say(
            "lost, or older than\nmax_lifetime when\nit comes back",
            "putus, atau saat\nkembali sudah melewati\nmax_lifetime",
        ),
        "bad small",
        anchor="end",
    )
    picture.bent([(mid + 112, 158), (450, 158), (450, 504), (mid + 114, 504)], "bad", dashed=True)
    picture.text(
        442,
        396,
        say(
            "lost, older than\nmax_lifetime,\nor unused for\nmax_idle",
            "putus, melewati\nmax_lifetime,\natau menganggur\nlebih dari max_idle",
        ),
        "bad small",
        anchor="end",
    )
    picture.bent([(mid - 112, 504), (14, 504), (14, 38), (mid - 114, 38)], "soft", dashed=True)
    picture.text(
        24, 446, say("a new one\ntakes its place", "digantikan\nyang baru"), "soft small", anchor="start"
    )
    return picture


def endpoint(say: Say) -> Picture:
    """The local endpoint beside a cluster."""
    picture = Picture(
        520,
        say("The local endpoint and a cluster", "Endpoint lokal dan sebuah cluster"),
        say(
            "Your program is the same; only DATABASE_URL changes. On the left one machine: a layer that rewrites"
            " CockroachDB's SQL, and one PostgreSQL with all the data. On the right a CockroachDB cluster: a load"
            " balancer, three nodes, and three copies of each range.",
            "Program Anda sama; hanya DATABASE_URL yang berubah. Di kiri satu komputer: lapisan depan yang menulis"
            " ulang SQL CockroachDB, dan satu PostgreSQL dengan semua data. Di kanan cluster CockroachDB: load"
            " balancer, tiga node, dan tiga salinan tiap range.",
        ),
        height=546,
    )
    picture.box(150, 10, 220, 44, say("your program", "program Anda"), "go", "ink bold")
    picture.text(260, 76, "DATABASE_URL", "go mono")
    picture.arrow(200, 84, 130, 128, "go")
    picture.arrow(320, 84, 390, 128, "go", dashed=True)
    picture.text(120, 150, say("local endpoint", "endpoint lokal"), "ink bold")
    picture.text(390, 150, say("CockroachDB cluster", "cluster CockroachDB"), "ink bold")
    picture.box(8, 162, 234, 300, "", "soft")
    picture.text(125, 482, say("one machine", "satu komputer"), "soft")
    picture.box(
        24,
        180,
        202,
        72,
        say("translation layer:\nCockroachDB's SQL", "lapisan depan:\nSQL CockroachDB"),
        "go",
    )
    picture.arrow(125, 256, 125, 300, "go")
    picture.box(24, 304, 202, 72, "PostgreSQL 18", "good")
    picture.arrow(125, 380, 125, 408, "good")
    picture.box(24, 410, 202, 38, say("all data, one copy", "semua data, satu salinan"), "good")
    picture.box(278, 162, 234, 300, "", "soft")
    picture.text(395, 482, say("three machines or more", "tiga komputer atau lebih"), "soft")
    picture.box(294, 180, 202, 36, say("load balancer", "load balancer"), "go")
    for number in range(3):
        x = 290 + number * 74
        picture.arrow(395, 220, x + 31, 258, "go")
        picture.box(x, 262, 62, 36, f"node {number + 1}", "good")
        for place, name in enumerate(("a", "b", "c")):
            holds = "wait" if place == number else "good"
            picture.box(x, 306 + place * 46, 62, 38, f"range {name}", holds)
    picture.text(
        260,
        512,
        say(
            "Every range has three copies. One of them (amber) leads:",
            "Setiap range punya tiga salinan. Pemimpinnya (kuning)",
        ),
        "soft",
    )
    picture.text(
        260,
        532,
        say(
            "it decides on writes and waits for one other copy.",
            "menentukan penulisan dan menunggu satu salinan lain.",
        ),
        "soft",
    )
    return picture


def documents(say: Say) -> Picture:
    """Programs, gateways, and the tables that hold the documents."""
    picture = Picture(
        480,
        say("Gateways in front of one database", "Beberapa gateway di depan satu database"),
        say(
            "Two programs with PyMongo reach two gateways by MongoDB's protocol. Both gateways speak SQL to one database,"
            " whose tables hold documents, index entries and the records of repeated writes. When the first gateway"
            " dies, its program goes on with the second.",
            "Dua program dengan PyMongo mencapai dua gateway lewat protokol MongoDB. Kedua gateway memakai SQL dengan satu"
            " database, yang tabelnya menyimpan dokumen, entri indeks, dan catatan penulisan yang diulang. Jika gateway"
            " pertama mati, programnya melanjutkan dengan yang kedua.",
        ),
        height=372,
    )
    left, right, width = 40, 280, 160
    for x in (left, right):
        middle = x + width / 2
        picture.box(x, 14, width, 44, "PyMongo", "soft")
        picture.arrow(middle, 61, middle, 127, "go")
        picture.box(x, 130, width, 56, "", "go")
        picture.text(middle, 153, "gateway", "ink bold")
        picture.text(middle, 174, "kecoa mongo", "soft mono")
        picture.arrow(middle, 189, middle, 249, "go")
        picture.text(middle + 10, 224, "SQL", "go small", anchor="start")
    picture.text(left + 70, 100, say("MongoDB's\nprotocol", "protokol\nMongoDB"), "go small", anchor="end")
    picture.arrow(left + width - 10, 61, right + 30, 127, "wait", dashed=True)
    words = say("if the first\none dies", "jika yang\npertama mati")
    picture.text(right + 70, 78, words, "wait small", anchor="end")
    picture.box(left, 252, right + width - left, 106, "", "good")
    picture.text(240, 276, say("the database", "database"), "ink bold")
    rows = [
        ("document, entry, uniq", say("documents, indexes", "dokumen, indeks")),
        ("collection", say("names, options", "nama, opsi")),
        ("session", say("what was done already", "apa yang sudah dilakukan")),
    ]
    for number, (table, what) in enumerate(rows):
        picture.text(left + 16, 302 + number * 21, table, "soft mono", anchor="start")
        picture.text(right - 20, 302 + number * 21, what, "ink", anchor="start")
    return picture
