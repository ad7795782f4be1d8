"""The fair copy of a sheet: rows and rules turned into the words of an `AttendanceRecord`. Pure."""

from collections.abc import Iterable

from conference.attendance.intervals import Interval
from conference.attendance.models import AttendanceStatus
from conference.attendance.record import (
    AttendanceRecord,
    DelegateRecord,
    SiteRecord,
    Stay,
    UnitRecord,
)
from conference.attendance.service import (
    LEAVE_WORDS,
    STATUS_WORDS,
    DelegateLine,
    Sheet,
    SiteLine,
)
from conference.scheduling.local_time import period_text
from conference.scheduling.models import Meeting


def record_of(meeting: Meeting, sheet: Sheet) -> AttendanceRecord:
    """``sheet`` as it stands, unsigned."""
    return AttendanceRecord(
        meeting=meeting.title,
        period=period_text(meeting.starts_at, meeting.ends_at),
        chair=meeting.chair.full_name,
        at=sheet.at.replace(microsecond=0),
        merge_gap_s=int(sheet.rule.merge_gap.total_seconds()),
        late_after_min=int(sheet.rule.late_after.total_seconds() // 60),
        totals=_totals(sheet),
        sites=tuple(_site(line) for line in sheet.sites),
        delegates=(*(_delegate(line) for line in sheet.delegates), *_people(sheet)),
        units=tuple(
            UnitRecord(line.unit, _word(line.status), line.expected, line.came, line.headcount)
            for line in sheet.units
        ),
        stays=tuple(_stays(sheet)),
    )


def _word(status: AttendanceStatus) -> str:
    return STATUS_WORDS[status]


def _suggested(status: AttendanceStatus) -> str:
    return "" if status is AttendanceStatus.UNMARKED else STATUS_WORDS[status]


def _site(line: SiteLine) -> SiteRecord:
    found = line.presence
    return SiteRecord(
        number=line.number,
        unit=line.site.unit_name,
        site=line.site.site_name,
        status=_word(line.counted_as),
        is_marked=line.status is not AttendanceStatus.UNMARKED,
        suggested=_suggested(found.suggestion),
        first_join=found.first_join,
        last_leave=found.last_leave,
        is_present=found.is_present,
        seconds=round(found.total.total_seconds()),
        interruptions=found.interruptions,
        headcount=line.site.delegates_count,
        note=line.note,
        marked_by=line.mark.marked_by if line.mark else "",
    )


def _delegate(line: DelegateLine) -> DelegateRecord:
    row, found = line.delegate, line.presence
    return DelegateRecord(
        number=line.number,
        name=row.full_name,
        title=row.title,
        unit=row.unit_name,
        place=line.place,
        status=_word(line.counted_as),
        is_marked=line.status is not AttendanceStatus.UNMARKED,
        suggested=_suggested(line.suggestion),
        stands_in_for=row.stands_in_for,
        first_join=found.first_join,
        last_leave=found.last_leave,
        seconds=round(found.total.total_seconds()),
        note=row.note,
        marked_by=row.marked_by,
    )


def _people(sheet: Sheet) -> Iterable[DelegateRecord]:
    for number, line in enumerate(sheet.people, len(sheet.delegates) + 1):
        found = line.presence
        yield DelegateRecord(
            number=number,
            name=line.name,
            title="",
            unit=line.unit,
            place="",
            status=_word(found.suggestion),
            is_marked=False,
            suggested=_suggested(found.suggestion),
            stands_in_for="",
            first_join=found.first_join,
            last_leave=found.last_leave,
            seconds=round(found.total.total_seconds()),
            note="",
            marked_by="",
        )


def _stays(sheet: Sheet) -> Iterable[Stay]:
    named: list[tuple[str, str, Iterable[Interval]]] = [
        (line.site.unit_name, line.site.site_name, line.intervals) for line in sheet.sites
    ]
    named += [(line.unit, line.name, line.intervals) for line in sheet.people]
    for unit, name, intervals in named:
        for one in intervals:
            yield Stay(
                unit, name, one.start, one.end, round(one.length(sheet.at).total_seconds()),
                LEAVE_WORDS.get(one.reason, one.reason), one.is_estimated,
            )  # fmt: skip


def _totals(sheet: Sheet) -> tuple[tuple[str, int], ...]:
    sites, people = sheet.totals, sheet.delegate_totals
    lines = [
        ("Tổng số điểm cầu được mời", sites.invited),
        ("Có mặt", sites.came),
        ("Trong đó đến muộn", sites.late),
        ("Trong đó về sớm", sites.left_early),
        ("Vắng có lý do", sites.excused),
        ("Vắng", sites.absent),
        ("Chưa điểm danh", sites.invited - sheet.marked),
        ("Tổng số đại biểu tại các điểm cầu", sites.delegates),
        ("Điểm cầu có mặt chưa báo số người", sites.sites_without_count),
    ]
    if people.invited:
        lines += [
            ("Đại biểu có tên trong danh sách", people.invited),
            ("Đại biểu có mặt trực tiếp", people.in_person),
            ("Đại biểu có mặt trực tuyến", people.online),
            ("Đại biểu dự thay", people.substitutes),
            ("Đại biểu vắng có lý do", people.excused),
            ("Đại biểu vắng", people.absent),
        ]
    return tuple(lines)
