"""Pictures of transactions: a conflict, the ends of a COMMIT, anomalies, backoff."""

from __future__ import annotations

import json
from pathlib import Path

from tools.pictures.drawing import Picture, Say, SequenceDiagram

RUN = Path(__file__).with_name("backoff.json")


def conflict(say: Say) -> Picture:
    """Two transactions and a 40001."""
    picture = Picture(
        480,
        say("Two transactions and a 40001", "Dua transaksi dan satu error 40001"),
        say(
            "Programs A and B read the same balance, 100. A writes 150 and commits. B writes and gets 40001, waits, and"
            " runs its transaction again, which now reads 150 and commits 200.",
            "Program A dan B membaca saldo yang sama, 100. A menulis 150 lalu commit. B menulis dan menerima 40001,"
            " menunggu, lalu menjalankan transaksinya lagi: kali ini membaca 150 dan commit 200.",
        ),
    )
    steps = SequenceDiagram(
        picture,
        [
            (64, say("Program A", "Program A")),
            (240, say("Database", "Database")),
            (416, say("Program B", "Program B")),
        ],
    )
    steps.message(0, 1, "BEGIN; SELECT")
    steps.message(1, 0, "100", "ink", step=26)
    steps.message(2, 1, "BEGIN; SELECT", step=36)
    steps.message(1, 2, "100", "ink", step=26)
    steps.message(0, 1, "UPDATE … = 150", step=44)
    steps.message(0, 1, "COMMIT", step=36)
    steps.message(1, 0, say("done", "selesai"), "good", mono=False, step=26)
    steps.message(2, 1, "UPDATE … = 150", step=44)
    steps.message(1, 2, "40001", "bad", step=28)
    steps.message(2, 1, "ROLLBACK", step=36)
    steps.note(2, say("wait a moment,\nthen again", "tunggu,\nlalu ulangi"), "wait", width=122)
    steps.message(2, 1, "BEGIN; SELECT", step=38)
    steps.message(1, 2, "150", "ink", step=26)
    steps.message(2, 1, "UPDATE … = 200", step=40)
    steps.message(2, 1, "COMMIT", step=36)
    steps.message(1, 2, say("done", "selesai"), "good", mono=False, step=26)
    steps.finish()
    return picture


def commit(say: Say) -> Picture:
    """The ends of a COMMIT."""
    picture = Picture(
        480,
        say("The three outcomes of a COMMIT", "Tiga kemungkinan hasil COMMIT"),
        say(
            "First: COMMIT is answered, the transaction is committed. Second: the answer is an error, it is rolled back."
            " Third: no answer comes. Either COMMIT was lost on the way and nothing happened, or the answer was lost"
            " and the transaction is committed; the program cannot tell.",
            "Pertama: COMMIT dijawab, transaksi ter-commit. Kedua: jawabannya error, transaksi di-rollback. Ketiga:"
            " jawaban tidak datang. Entah COMMIT hilang di jalan dan tidak terjadi apa-apa, entah jawabannya yang hilang"
            " dan transaksi sudah ter-commit; program tidak bisa membedakannya.",
        ),
    )
    program, database = say("Program", "Program"), say("Database", "Database")
    left, right = 76, 394

    def part(top: float, title: str, style: str) -> SequenceDiagram:
        picture.text(8, top + 14, title, f"{style} bold", anchor="start")
        return SequenceDiagram(picture, [(left, program), (right, database)], top + 28)

    one = part(4, say("1. Committed", "1. Ter-commit"), "good")
    one.message(0, 1, "COMMIT", step=34)
    one.message(1, 0, say("done", "selesai"), "good", mono=False, step=28)
    one.finish(8)
    two = part(156, say("2. Rolled back", "2. Di-rollback"), "bad")
    two.message(0, 1, "COMMIT", step=34)
    two.message(1, 0, say("40001: run it again", "40001: jalankan lagi"), "bad", mono=False, step=28)
    two.finish(8)
    three = part(308, say("3. Unknown: the connection is lost", "3. Tidak diketahui: koneksi putus"), "wait")
    three.lost(0, 1, "COMMIT", step=38)
    three.note(1, say("nothing happened", "tidak terjadi apa-apa"), "bad", width=166, step=8)
    picture.text(240, three.y + 22, say("or", "atau"), "soft bold")
    three.y += 26
    three.message(0, 1, "COMMIT", step=36)
    three.note(1, say("committed", "ter-commit"), "good", width=166, step=8)
    three.lost(1, 0, say("done", "selesai"), step=30)
    three.note(
        0,
        say("no answer:\nwhich one was it?", "tanpa jawaban:\nyang mana?"),
        "wait",
        width=146,
        step=12,
    )
    three.finish()
    return picture


def backoff(say: Say) -> Picture:
    """Attempts of six threads in time, without and with jitter, from a run."""
    run = json.loads(RUN.read_text("utf-8"))
    picture = Picture(
        520,
        say("Backoff with and without jitter", "Backoff dengan dan tanpa jitter"),
        say(
            "Attempts of six threads that change one row, measured. Without jitter the threads wait for the same"
            f" time and collide again: {run['fixed']['attempts']} attempts for 6 commits. With jitter they spread:"
            f" {run['jitter']['attempts']} attempts.",
            "Percobaan enam thread yang mengubah satu baris, hasil pengukuran. Tanpa jitter, semua thread menunggu"
            f" sama lama dan bertabrakan lagi: {run['fixed']['attempts']} percobaan untuk 6 commit. Dengan jitter,"
            f" percobaan menyebar: {run['jitter']['attempts']} percobaan.",
        ),
        height=560,
    )
    left, right = 30, 505
    longest = max(max(point[1] for point in run[kind]["points"]) for kind in ("fixed", "jitter"))
    limit = (int(longest * 10) + 1) / 10

    def chart(top: float, kind: str, title: str) -> None:
        data = run[kind]
        picture.text(8, top, title, "ink bold", anchor="start")
        picture.text(
            8,
            top + 20,
            say(
                f"{data['attempts']} attempts, the last commit after {data['seconds']:.2f} s",
                f"{data['attempts']} percobaan, commit terakhir setelah {data['seconds']:.2f} detik".replace(
                    ".", ","
                ),
            ),
            "soft",
            anchor="start",
        )
        bottom = top + 206
        for thread in range(6):
            y = top + 46 + thread * 26
            picture.text(20, y + 5, str(thread + 1), "soft")
            picture.line(left, y, right, y, "soft", dashed=True)
        for thread, seconds, committed in data["points"]:
            x = left + 6 + (right - left - 12) * seconds / limit
            y = top + 46 + thread * 26
            if committed:
                picture.dot(x, y, 6, "good")
            else:
                picture.cross(x, y, "bad", 4.5)
        step = 0.2 if limit > 0.8 else 0.1
        at = 0.0
        while at <= limit + 1e-9:
            x = left + 6 + (right - left - 12) * at / limit
            picture.line(x, bottom - 8, x, bottom - 2, "soft")
            picture.text(x, bottom + 13, say(f"{at:.1f}", f"{at:.1f}".replace(".", ",")), "soft small")
            at += step

    chart(
        20, "fixed", say("Without jitter: 0.05 s, 0.1 s, 0.2 s, …", "Tanpa jitter: 0,05; 0,1; 0,2; … detik")
    )
    chart(
        278, "jitter", say("With jitter: a random part of it", "Dengan jitter: acak antara 0 dan nilai itu")
    )
    picture.text(268, 514, say("seconds; a row is a thread", "detik; satu baris satu thread"), "soft")
    picture.cross(120, 540, "bad", 4.5)
    picture.text(132, 545, say("refused with 40001", "ditolak dengan 40001"), "ink", anchor="start")
    picture.dot(316, 540, 6, "good")
    picture.text(328, 545, say("committed", "ter-commit"), "ink", anchor="start")
    return picture


def write_skew(say: Say) -> Picture:
    """Two transactions that each break a rule together."""
    picture = Picture(
        480,
        say("Write skew", "Write skew"),
        say(
            "Two doctors are on call. Each transaction reads that two are on call, and takes one doctor off. Under"
            " snapshot isolation both commit, and nobody is on call. SERIALIZABLE refuses one of them.",
            "Dua dokter sedang jaga. Setiap transaksi membaca bahwa ada dua yang jaga, lalu melepas satu dokter. Pada"
            " snapshot isolation keduanya commit dan tidak ada yang jaga. SERIALIZABLE menolak salah satunya.",
        ),
    )
    steps = SequenceDiagram(
        picture,
        [(64, "A"), (240, say("Database", "Database")), (416, "B")],
    )
    steps.message(0, 1, say("who is on call?", "siapa yang jaga?"), mono=False)
    steps.message(1, 0, "Ani, Budi", "ink", mono=False, step=28)
    steps.message(2, 1, say("who is on call?", "siapa yang jaga?"), mono=False, step=40)
    steps.message(1, 2, "Ani, Budi", "ink", mono=False, step=28)
    steps.message(0, 1, say("Ani goes home", "Ani pulang"), mono=False, step=44)
    steps.message(0, 1, "COMMIT", step=36)
    steps.message(2, 1, say("Budi goes home", "Budi pulang"), mono=False, step=40)
    steps.message(2, 1, "COMMIT", step=36)
    steps.message(1, 2, say("SERIALIZABLE: 40001", "SERIALIZABLE: 40001"), "bad", mono=False, step=32)
    steps.note(
        1,
        say("other levels: both\ncommit, nobody is left", "tingkat lain: keduanya\ncommit, semua pulang"),
        "wait",
        width=190,
        step=16,
    )
    steps.finish()
    return picture
