"""What each site is told when one act changed several meetings of a series: one letter.

A single change is told as one meeting with RECURRENCE-ID; more than one as the series as it now
stands, because mail programs read one event of a message, not twelve. A site that is invited to
some of the meetings only gets a series without the others.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from conference.invitations.message import AgendaLine, Event, Reason, Series
from conference.scheduling.announcement import Change
from conference.scheduling.invitees import new_join_code
from conference.scheduling.models import (
    ANNOUNCED,
    HELD,
    InvitedSite,
    Meeting,
    MeetingSeries,
    Scope,
    SeriesPlace,
    Status,
)

SCOPE_WORDS: Final = {Scope.CENTRAL: "Trung ương với tỉnh", Scope.INTRA: "Nội tỉnh"}
SHOWN: Final = ANNOUNCED | HELD | {Status.LIVE}


@dataclass(frozen=True, slots=True)
class Note:
    """A letter to be written."""

    site: InvitedSite
    """Where answers and rows of the outbox belong: for a series, its next meeting."""
    reason: Reason
    event: Event
    code: str
    """Secret of its link."""
    series: Series | None = None
    series_id: int | None = None


def event_of(meeting: Meeting) -> Event:
    """``meeting`` as letters show it."""
    chair, series = meeting.chair, meeting.series
    slot = series.slot(meeting) if series else None
    external = ", ".join(filter(None, [meeting.external_host, meeting.external_reference]))
    return Event(
        title=meeting.title,
        scope_words=SCOPE_WORDS[meeting.scope],
        starts_at=meeting.starts_at,
        ends_at=meeting.ends_at,
        chair=", ".join(filter(None, [chair.full_name, chair.title])),
        location=meeting.location,
        description=meeting.description,
        external=external,
        agenda=[AgendaLine(i.title, i.presenter, i.minutes) for i in meeting.agenda],
        uid=series.ics_uid if series and slot else meeting.ics_uid,
        sequence=series.ics_sequence if series and slot else meeting.ics_sequence,
        explanation=meeting.status_reason,
        slot=slot,
    )


def shown_meetings(session: Session, series: MeetingSeries) -> list[Meeting]:
    """Meetings of ``series`` that calendars show: announced, on, or held after an invitation."""
    query = (
        select(Meeting)
        .where(
            Meeting.series_id == series.id,
            Meeting.status.in_(SHOWN),
            Meeting.invited_at.is_not(None),
        )
        .options(
            joinedload(Meeting.chair), selectinload(Meeting.agenda), selectinload(Meeting.sites)
        )
        .order_by(Meeting.series_day)
    )
    return list(session.scalars(query))


def codes_of(session: Session, series: MeetingSeries, site_ids: Iterable[int]) -> dict[int, str]:
    """Secrets of the series' links by site; made where there is none."""
    wanted = set(site_ids)
    query = select(SeriesPlace).where(SeriesPlace.series_id == series.id)
    found = {row.site_id: row.join_code for row in session.scalars(query)}
    for site_id in sorted(wanted - found.keys()):
        found[site_id] = new_join_code()
        place = SeriesPlace(series_id=series.id, site_id=site_id, join_code=found[site_id])
        session.add(place)
    session.flush()
    return found


Told = tuple[Meeting, InvitedSite, Reason]


def notes_for(
    session: Session,
    series: MeetingSeries,
    changes: Sequence[Change],
    at: datetime,
    parted_from: MeetingSeries | None = None,
) -> list[Note]:
    """Letters to write for ``changes`` in ``series``."""
    told = _told(changes, everybody=parted_from is not None)
    codes = codes_of(session, series, told)
    views = _views(shown_meetings(session, series))
    notes = []
    if parted_from is not None:
        notes += _ended(session, parted_from, told, at)
    for site_id, lines in told.items():
        view = views.get(site_id, [])
        if len(lines) == 1 and parted_from is None and len(view) > 1:
            meeting, site, reason = lines[0]
            notes.append(Note(site, reason, event_of(meeting), site.join_code))
        else:
            notes.append(_whole(series, view, lines, codes[site_id], at))
    return notes


def whole_again(session: Session, series: MeetingSeries, site: InvitedSite, at: datetime) -> Note:
    """The series as it now stands, for a site that asks for its letter again."""
    view = _views(shown_meetings(session, series)).get(site.site_id, [])
    code = codes_of(session, series, [site.site_id])[site.site_id]
    reason = Reason.INVITED if view else Reason.CANCELLED
    return _whole(series, view, [(site.meeting, site, reason)], code, at)


def _told(changes: Sequence[Change], *, everybody: bool) -> dict[int, list[Told]]:
    """What concerns each site; with ``everybody`` also those for whom nothing changed."""
    found: dict[int, list[Told]] = {}
    for change in changes:
        meeting, said = change.meeting, change.announcement
        off = reason_off(meeting)
        lines = [
            *((site, Reason.INVITED) for site in said.invited),
            *((site, Reason.CHANGED) for site in said.updated),
            *((site, off) for site in said.called_off),
        ]
        if everybody:
            named = {site.id for site, _ in lines}
            lines += [
                (site, Reason.CHANGED)
                for site in meeting.sites
                if site.withdrawn_at is None and site.id not in named
            ]
        for site, reason in lines:
            found.setdefault(site.site_id, []).append((meeting, site, reason))
    return found


def reason_off(meeting: Meeting) -> Reason:
    """What those called off from ``meeting`` are told."""
    return {
        Status.POSTPONED: Reason.POSTPONED,
        Status.CANCELLED: Reason.CANCELLED,
    }.get(meeting.status, Reason.WITHDRAWN)


View = list[tuple[Meeting, InvitedSite]]


def _views(meetings: Sequence[Meeting]) -> Mapping[int, View]:
    """What each site is invited to."""
    found: dict[int, View] = {}
    for meeting in meetings:
        for site in meeting.sites:
            if site.withdrawn_at is None:
                found.setdefault(site.site_id, []).append((meeting, site))
    return found


def _whole(
    series: MeetingSeries, view: View, lines: Sequence[Told], code: str, at: datetime
) -> Note:
    ahead = [(meeting, site) for meeting, site in view if meeting.ends_at > at]
    off = [event_of(meeting) for meeting, _site, reason in lines if reason not in _GO_ON]
    meeting, site = ahead[0] if ahead else view[-1] if view else lines[0][:2]
    reasons = {reason for _meeting, _site, reason in lines}
    return Note(
        site=site,
        reason=reasons.pop() if len(reasons) == 1 else Reason.CHANGED,
        event=event_of(meeting),
        code=code,
        series=Series(
            rule=series.rule,
            meetings=[event_of(one) for one, _site in view],
            ahead=[event_of(one) for one, _site in ahead],
            off=off,
        ),
        series_id=series.id,
    )


_GO_ON: Final = frozenset({Reason.INVITED, Reason.CHANGED, Reason.REMINDED})


def _ended(
    session: Session, series: MeetingSeries, told: Mapping[int, Sequence[Told]], at: datetime
) -> list[Note]:
    """The earlier part of a series that was parted: it ends before the other begins.

    A site that is wanted at none of its meetings is told that it is over.
    """
    views = _views(shown_meetings(session, series))
    known = {
        site_id: lines
        for site_id, lines in told.items()
        if any(reason is not Reason.INVITED for _meeting, _site, reason in lines)
    }
    codes = codes_of(session, series, known)
    found = []
    for site_id, lines in known.items():
        view, code = views.get(site_id, []), codes[site_id]
        if view:
            found.append(_whole(series, view, [(*view[-1], Reason.CHANGED)], code, at))
            continue
        meeting, site, _reason = lines[0]
        event = replace(
            event_of(meeting), uid=series.ics_uid, sequence=series.ics_sequence, slot=None
        )
        none = Series(rule=series.rule, meetings=(), ahead=())
        found.append(Note(site, Reason.REPLACED, event, code, none, series.id))
    return found
