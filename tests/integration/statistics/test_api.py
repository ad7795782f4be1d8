"""What other systems are told."""

import csv
import logging
import subprocess
import sys
import threading
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from conference.api_keys.models import Scope
from tests.integration.statistics.conftest import Year

YEAR = "from=2020-01-01&to=2020-12-31"


def get(year: Year, path: str, key: str | None = None) -> Any:
    headers = {} if key == "" else {"Authorization": f"Bearer {key or year.key}"}
    return year.app.test_client().get(f"/api/v1/{path}", headers=headers)


def test_the_year_is_told_in_figures_and_in_the_sentence(year: Year) -> None:
    told = get(year, f"statistics?{YEAR}").get_json()
    assert told["meetings"] == {"total": 93, "central": 56, "intra": 37}
    assert told["sentence"].startswith("Năm 2020, hệ thống đã phục vụ 93 cuộc họp")
    assert told["same_period_last_year"]["meetings"]["total"] == 70
    assert sum(month["central"] for month in told["by_month"]) == 56
    # of 40 sites four have neither mark nor log, and five of the others are marked absent
    assert told["sites"] == {"invited": 93 * 40, "present": 93 * 31}
    assert told["hours"] == 93 * 2.5
    assert told["in_time"]["papers"]["share"] is None
    assert 0 < told["in_time"]["invitations"]["share"] < 1


def test_csv_holds_the_same_figures(year: Year) -> None:
    answer = get(year, f"statistics?{YEAR}&format=csv")
    rows = {row[0]: row[1:] for row in csv.reader(StringIO(answer.text))}
    assert rows["meetings.total"] == ["93", "70"]
    assert rows["in_time.papers.share"] == ["", ""]


def test_meetings_come_in_pages_and_whole_as_csv(year: Year) -> None:
    both = "from=2019-01-01&to=2020-12-31"
    first, second = (get(year, f"meetings?{both}&page={n}").get_json() for n in (1, 2))
    assert (first["total"], first["next_page"], second["next_page"]) == (163, 2, None)
    assert len(first["items"]) + len(second["items"]) == 163
    whole = list(csv.DictReader(StringIO(get(year, f"meetings?{both}&format=csv").text)))
    assert [int(row["id"]) for row in whole] == [
        one["id"] for one in (*first["items"], *second["items"])
    ]


def test_units_are_those_of_the_day(year: Year) -> None:
    told = get(year, "units?day=2020-06-01").get_json()
    levels = [one["level"] for one in told["items"]]
    assert [levels.count(word) for word in ("provincial_unit", "district", "commune")] == [
        22, 10, 102,
    ]  # fmt: skip


def test_a_key_opens_only_what_it_is_for(year: Year) -> None:
    key = year.new_key(Scope.UNITS)
    assert get(year, "units", key).status_code == 200
    refused = get(year, f"statistics?{YEAR}", key)
    assert refused.status_code == 403
    assert "statistics.read" in refused.get_json()["error"]["message"]


@pytest.mark.parametrize("key", ["", "dck_wrong", "x" * 5000])
def test_without_a_key_in_force_nothing_is_told(year: Year, key: str) -> None:
    refused = get(year, f"statistics?{YEAR}", key)
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")
    assert "93" not in refused.text


def test_a_login_is_no_key(year: Year) -> None:
    assert year.browser("quantri").get(f"/api/v1/statistics?{YEAR}").status_code == 401


@pytest.mark.parametrize(
    "query",
    ["", "from=2020-01-01", "from=2020-01-01&to=2019-01-01", "from=2020-02-31&to=2020-12-31",
     f"{YEAR}&form=csv", f"{YEAR}&format=xml", f"{YEAR}&to=2021-01-01",
     "from=0001-01-01&to=9999-12-31"],
)  # fmt: skip
def test_what_cannot_be_read_is_named(year: Year, query: str) -> None:
    refused = get(year, f"statistics?{query}")
    assert refused.status_code == 400
    assert refused.get_json()["error"]["code"] == "invalid"


def test_a_revoked_key_opens_nothing_from_then_on(year: Year) -> None:
    browser: FlaskClient = year.browser("quantri")
    page = browser.post("/quan-tri/khoa-api", data={"name": "IOC", "scopes": ["units.read"]})
    secret = page.text.partition('id="secret" class="secret">')[2].partition("<")[0]
    assert get(year, "units", secret).status_code == 200
    listed = browser.get("/quan-tri/khoa-api").text
    assert secret not in listed
    assert "IOC" in listed
    number = listed.partition("/quan-tri/khoa-api/")[2].partition("/")[0]
    assert browser.post(f"/quan-tri/khoa-api/{number}/thu-hoi").status_code == 303
    assert get(year, "units", secret).status_code == 401


@pytest.mark.parametrize("form", [{"name": "", "scopes": ["units.read"]}, {"name": "IOC"},
                                  {"name": "IOC", "scopes": ["everything"]}])  # fmt: skip
def test_a_key_without_name_or_scope_is_not_made(year: Year, form: dict[str, Any]) -> None:
    answer = year.browser("quantri").post("/quan-tri/khoa-api", data=form)
    assert answer.status_code == 422
    assert 'class="field-error"' in answer.text
    assert 'id="secret"' not in answer.text


def test_only_administrators_make_keys(year: Year) -> None:
    for username in ("thuky", "chutoa", "vanthu", "diemcau1"):
        assert year.browser(username).get("/quan-tri/khoa-api").status_code == 403


def test_every_answer_is_as_described(year: Year) -> None:
    """Schemathesis asks what a stranger would not, and compares the answers with the document."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, year.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        told = subprocess.run(
            [
                Path(sys.executable).with_name("schemathesis"), "run",
                f"http://127.0.0.1:{server.server_port}/api/v1/openapi.json",
                "--url", f"http://127.0.0.1:{server.server_port}",
                "-H", f"Authorization: Bearer {year.key}", "--checks", "all",
                # that the first day is not after the last cannot be said in a schema
                "--exclude-checks", "positive_data_acceptance",
                "--phases", "examples,coverage,fuzzing", "--max-examples", "15",
                "--seed", "1", "--no-color",
            ],
            capture_output=True, text=True, check=False, timeout=150, cwd=year.folder,
        )  # fmt: skip
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert told.returncode == 0, told.stdout[-4000:] + told.stderr[-2000:]
