"""Whatever the schema ties to a meeting is part of its file, or stands beside it with a reason."""

from conference.archive import rows
from conference.models import Base


def led_to_a_meeting() -> set[str]:
    """Tables with a path of foreign keys to ``meeting``."""
    found = {"meeting"}
    while True:
        more = {
            table.name
            for table in Base.metadata.sorted_tables
            if any(key.column.table.name in found for key in table.foreign_keys)
        }
        if more <= found:
            return found - {"meeting"}
        found |= more


def test_every_table_of_a_meeting_is_exported_taken_in_and_destroyed_or_says_why_not() -> None:
    kept = {one.name for one in rows.TABLES}
    assert not kept & rows.BESIDE.keys()
    assert led_to_a_meeting() == kept | rows.BESIDE.keys()


def test_parents_come_before_what_names_them() -> None:
    seen = {"meeting", "unit", "person", "site", "account"}
    for kept in rows.TABLES:
        for column in kept.table.columns:
            if column.name in kept.left_behind:
                continue
            target = rows.references(column)
            assert target is None or target in seen, f"{kept.name}.{column.name}"
        seen.add(kept.name)


def test_what_stays_behind_are_columns_that_exist() -> None:
    for kept in (rows.MEETING, *rows.TABLES):
        assert kept.left_behind <= {column.name for column in kept.table.columns}
