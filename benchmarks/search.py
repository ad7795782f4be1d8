"""The search at ten years: 1,023 meetings of 134 sites with minutes and two papers each.

The meetings are written straight into the tables; minutes have some 400 words and papers 1,500,
drawn from a vocabulary of syllables with the frequencies of a natural text (Zipf). Each query is
asked for as the page does it, rights and the 25 hits shown included, without HTML. PostgreSQL is
measured where its server is installed.
"""

import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import func, insert, select, text

from conference import migrations
from conference.access import sample
from conference.access.accounts import actor_of
from conference.access.models import Account
from conference.access.policy import Actor
from conference.archive import search_index
from conference.archive.search import find
from conference.archive.search_piece import SearchPiece
from conference.database import Database
from conference.minutes.models import Minutes
from conference.scheduling.models import Paper

YEARS: Final = int(os.environ.get("DIEMCAU_BENCH_YEARS", "11"))
LAST_YEAR: Final = 2026
ROUNDS: Final = 20
MOST_MS: Final = 200.0
AT: Final = datetime(LAST_YEAR, 11, 23, tzinfo=UTC)
QUERIES: Final = (
    ("every title", "họp mẫu", "thuky"),
    ("two letters", "họ", "thuky"),
    ("every unit", "xã đăk", "thuky"),
    ("words of every minutes", "bao cao ket qua", "thuky"),
    ("one paper", "mabietduy 512", "thuky"),
    ("twelve words", "ủy ban nhân dân xã đăk họp mẫu số năm báo cáo", "thuky"),
    ("nothing", "khongcotunay", "thuky"),
    ("every title, a site", "họp mẫu", "diemcau1"),
    ("words of every minutes, a chair", "bao cao ket qua", "chutoa"),
)
_FREQUENT: Final = "báo cáo kết quả thực hiện kế hoạch đề nghị các đơn vị huyện xã tỉnh"
_ONSETS: Final = "b ch d đ g h kh l m n ng nh ph r s t th tr v x"
_RHYMES: Final = "á ạn ăng ấp ế iên ìm ô ống ờ ươi ưu y uyết oan"


def run() -> dict[str, Any]:
    """Fill, measure, print; the result is kept by ``python -m benchmarks``."""
    result: dict[str, Any] = {"unit": "ms of one search"}
    with tempfile.TemporaryDirectory(prefix="diemcau-search-") as folder:
        urls = [("sqlite", f"sqlite:///{Path(folder) / 'ten.sqlite3'}")]
        with _postgres() as url:
            urls += [("postgresql", url)] if url else []
            for name, address in urls:
                result[f"{name}, {YEARS} years"] = _at(name, address)
    return result


def _at(name: str, url: str) -> dict[str, Any]:
    from tests.support.held_year import fill_year  # noqa: PLC0415

    migrations.upgrade(url)
    database = Database(url)
    chance = random.Random(7)
    words = _FREQUENT.split() + [o + r for o in _ONSETS.split() for r in _RHYMES.split()]
    with database.transaction() as session:
        sample.load(session, AT)
    for year in range(LAST_YEAR - YEARS + 1, LAST_YEAR + 1):
        with database.transaction() as session:
            ids = fill_year(session, year, sites=134)
            session.execute(insert(Minutes), [_minutes(one, words, chance) for one in ids])
            session.execute(
                insert(Paper), [_paper(one, n, words, chance) for one in ids for n in (1, 2)]
            )
    begun = time.perf_counter()
    with database.transaction() as session:
        meetings = search_index.rebuild(session)
        pieces = session.scalar(select(func.count()).select_from(SearchPiece))
    rebuild_s = time.perf_counter() - begun
    with database.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("ANALYZE"))
    print(f"\n{name}: {meetings} meetings, {pieces} pieces, rebuilt in {rebuild_s:.1f} s\n")
    print("| query | found | p50 ms | p95 ms |\n|---|---:|---:|---:|")
    figures: dict[str, Any] = {"rebuild, s": round(rebuild_s, 2)}
    for label, query, username in QUERIES:
        with database.reading() as session:
            found_by = session.scalars(select(Account).where(Account.username == username)).one()
            actor = actor_of(found_by)
        row = figures[label] = _measure(database, query, actor)
        over = " **over**" if row["p95_ms"] > MOST_MS else ""
        print(
            f"| {label}{over} | {row['found']} | {row['median_ms']} | {row['p95_ms']} |", flush=True
        )
    database.dispose()
    return figures


def _measure(database: Database, query: str, actor: Actor) -> dict[str, Any]:
    def ask() -> int:
        with database.reading() as session:
            return find(session, query, actor=actor).total

    total = ask()  # the first time compiles statements
    times_ms = sorted(_timed_ms(ask) for _ in range(ROUNDS))
    return {
        "median_ms": round(statistics.median(times_ms), 1),
        "min_ms": round(times_ms[0], 1),
        "max_ms": round(times_ms[-1], 1),
        "p95_ms": round(times_ms[int(ROUNDS * 0.95) - 1], 1),
        "found": total,
    }


def _timed_ms(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return (time.perf_counter() - begun) * 1000


def _text(count: int, words: Sequence[str], chance: random.Random) -> str:
    weights = [1 / (rank + 1) for rank in range(len(words))]
    drawn = chance.choices(words, weights, k=count)
    return "\n".join(" ".join(drawn[start : start + 40]) for start in range(0, count, 40))


def _minutes(meeting_id: int, words: Sequence[str], chance: random.Random) -> dict[str, Any]:
    return {
        "meeting_id": meeting_id, "number": f"{meeting_id}/BB-VPUBND", "version": 1,
        "course": _text(300, words, chance), "conclusion": _text(100, words, chance),
        "updated_by": "mẫu", "updated_at": AT,
    }  # fmt: skip


def _paper(
    meeting_id: int, number: int, words: Sequence[str], chance: random.Random
) -> dict[str, Any]:
    return {
        "meeting_id": meeting_id, "filename": f"Tài liệu {number}.pdf",
        "stored_name": f"{meeting_id}-{number}", "media_type": "application/pdf",
        "size_bytes": 1, "sha256": "", "uploaded_by": "mẫu", "uploaded_at": AT,
        "text": f"{_text(1_500, words, chance)}\nmabietduy {meeting_id}",
    }  # fmt: skip


@contextmanager
def _postgres() -> Iterator[str]:
    """Address of an empty database on a server of its own; empty without PostgreSQL."""
    from tests.support.postgres import cluster, find_binaries  # noqa: PLC0415

    if find_binaries() is None:
        yield ""
        return
    with tempfile.TemporaryDirectory(prefix="diemcau-pg-") as place, cluster(Path(place)) as made:
        yield made.new_database()


def lines(result: Mapping[str, Any]) -> list[str]:
    """A line for each query, a column for each database."""
    measured_on = {name: rows for name, rows in result.items() if isinstance(rows, Mapping)}
    del measured_on["machine"]
    head = "".join(f" {name}: p50, p95 ms |" for name in measured_on)
    text = [f"| query | meetings found |{head}", "|---|" + "---:|" * (len(measured_on) + 1)]
    for label, *_ in QUERIES:
        rows = [figures[label] for figures in measured_on.values() if label in figures]
        times = "".join(f" {row['median_ms']:.0f}, {row['p95_ms']:.0f} |" for row in rows)
        text.append(f"| {label} | {rows[0]['found']} |{times}")
    return text
