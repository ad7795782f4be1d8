"""The rail at the left: which screens there are, for whom, in which order.

An entry is shown when the actor's role may use it; what a role may is asked of the one policy.
"""

from dataclasses import dataclass
from typing import Final

from flask import current_app, request, url_for
from flask_babel import gettext as _

from conference.access.policy import Actor, Verb, may


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the rail."""

    endpoint: str
    label: str
    """Vietnamese; translated where it is shown."""
    icon: str
    verb: Verb
    section: str
    """Beginning of the path that lights the entry up; of several the longest."""


RAIL: Final = (
    Entry("today.index", "Hôm nay", "today", Verb.MEETING_LIST, "hom-nay"),
    Entry("meetings.index", "Cuộc họp", "meetings", Verb.MEETING_LIST, "cuoc-hop"),
    Entry("conclusions.tasks", "Nhiệm vụ", "list", Verb.MEETING_LIST, "nhiem-vu"),
    Entry("week.show", "Lịch tuần", "calendar", Verb.WEEK_VIEW, "lich-tuan"),
    Entry("search.index", "Tìm hồ sơ", "search", Verb.MEETING_LIST, "tim-kiem"),
    Entry("statistics.index", "Thống kê", "chart", Verb.STATISTICS_VIEW, "thong-ke"),
    Entry("directory.index", "Cơ cấu", "tree", Verb.DIRECTORY_VIEW, "quan-tri"),
    Entry("planning_rules.rules", "Quy tắc", "check", Verb.PLANNING_MANAGE, "quan-tri/quy-tac"),
    Entry(
        "planning_rules.days", "Ngày nghỉ", "calendar", Verb.PLANNING_MANAGE, "quan-tri/ngay-nghi"
    ),
    Entry("retention.index", "Lưu trữ", "archive", Verb.ARCHIVE_DECIDE, "luu-tru"),
    Entry("audit_log.index", "Nhật ký", "log", Verb.AUDIT_VIEW, "nhat-ky"),
)


@dataclass(frozen=True, slots=True)
class Item:
    """A line as the template needs it."""

    url: str
    label: str
    icon: str
    is_current: bool


def rail(actor: Actor) -> list[Item]:
    """The lines ``actor`` sees on this page."""
    path = request.path.strip("/") + "/"
    fitting = [entry.section for entry in RAIL if path.startswith(entry.section + "/")]
    section = max(fitting, key=len, default="")
    return [
        Item(url_for(entry.endpoint), entry.label, entry.icon, entry.section == section)
        for entry in RAIL
        if entry.endpoint in current_app.view_functions and may(actor, entry.verb)
    ]


ARCHIVE_PARTS: Final = (
    ("terms", "retention.index", "Thời hạn bảo quản", Verb.ARCHIVE_DECIDE),
    ("schedule", "retention.schedule", "Bảng thời hạn", Verb.ARCHIVE_DECIDE),
    ("destruction", "retention.destructions", "Tiêu hủy", Verb.ARCHIVE_DECIDE),
    ("personal", "personal_data.index", "Dữ liệu cá nhân", Verb.PERSONAL_DATA),
    ("import", "archive_import.index", "Nhập hồ sơ", Verb.ARCHIVE_IMPORT),
)  # fmt: skip
"""Parts of the archive's pages: name, endpoint, Vietnamese label, right."""


def archive_parts(actor: Actor) -> list[tuple[str, str, str, Verb]]:
    """Parts ``actor`` may open, labels in the reader's language."""
    return [
        (part, endpoint, _(label), verb)
        for part, endpoint, label, verb in ARCHIVE_PARTS
        if may(actor, verb)
    ]
