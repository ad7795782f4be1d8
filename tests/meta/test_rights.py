"""Every route is in the table of rights, and the table names no route that is gone."""

from pathlib import Path

from config.settings import load
from tests.support.rights import RIGHTS
from web.app import create_app


def test_every_route_has_a_right(tmp_path: Path) -> None:
    app = create_app(load(tmp_path, environment={"": ""}))
    routes = {rule.endpoint for rule in app.url_map.iter_rules()}
    assert routes - RIGHTS.keys() == set(), "name the right in tests/support/rights.py"
    assert {name.partition(" ")[0] for name in RIGHTS} - routes == set(), "these routes are gone"
