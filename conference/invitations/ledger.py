"""Looking at the outbox: what was sent to whom, and what became of it."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session, aliased, defer, joinedload

from conference.directory.models import Site
from conference.invitations.models import (
    ABOUT_CHECKS,
    Channel,
    Delivery,
    OutboxMessage,
    Purpose,
)
from conference.scheduling.models import InvitedSite, Meeting


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom to call about an invited site, and how its last letter stands."""

    email: str
    technician_name: str
    technician_phone: str
    state: Delivery | None


def about(meeting_id: int) -> ColumnElement[bool]:
    """Messages about a meeting: its own, those about its series; not those about its tasks."""
    series = select(Meeting.series_id).where(
        Meeting.id == meeting_id, Meeting.series_id.is_not(None)
    )
    is_about = or_(OutboxMessage.meeting_id == meeting_id, OutboxMessage.series_id.in_(series))
    return is_about & OutboxMessage.purpose.is_distinct_from(Purpose.TASK)


def letters_of(session: Session, meeting_id: int) -> list[OutboxMessage]:
    """All letters of a meeting, newest change first, sites in order; contents are not loaded."""
    query = (
        select(OutboxMessage)
        .where(about(meeting_id))
        .options(joinedload(OutboxMessage.invited_site), defer(OutboxMessage.content))
        .order_by(OutboxMessage.created_at.desc(), OutboxMessage.id)
    )
    return list(session.scalars(query))


def tally(session: Session, meeting_id: int) -> dict[Delivery, int]:
    """How many letters of a meeting stand in each state."""
    query = (
        select(OutboxMessage.state, func.count())
        .where(about(meeting_id))
        .group_by(OutboxMessage.state)
    )
    found = dict(session.execute(query).all())
    return {state: found.get(state, 0) for state in Delivery}


def _newest_of_each_site(meeting_id: int) -> Select[int]:
    return (
        select(func.max(OutboxMessage.id))
        .join(OutboxMessage.invited_site)
        .where(
            about(meeting_id),
            OutboxMessage.channel == Channel.MAIL,
            OutboxMessage.purpose.not_in(ABOUT_CHECKS),
        )
        .group_by(InvitedSite.site_id)
    )


def last_failed(session: Session, meeting_id: int) -> list[int]:
    """Letters that failed and were followed by no other to the same site."""
    query = select(OutboxMessage.id).where(
        OutboxMessage.id.in_(_newest_of_each_site(meeting_id)),
        OutboxMessage.state == Delivery.FAILED,
    )
    return list(session.scalars(query))


def contacts_of(session: Session, meeting_id: int) -> dict[int, Contact]:
    """Contacts by `InvitedSite` id."""
    told = aliased(InvitedSite)
    newest = (
        select(told.site_id, OutboxMessage.state)
        .join(told, OutboxMessage.invited_site_id == told.id)
        .where(OutboxMessage.id.in_(_newest_of_each_site(meeting_id)))
        .subquery()
    )
    query = (
        select(
            InvitedSite.id, Site.email, Site.technician_name, Site.technician_phone,
            newest.c.state,
        )
        .join(InvitedSite.site)
        .outerjoin(newest, newest.c.site_id == InvitedSite.site_id)
        .where(InvitedSite.meeting_id == meeting_id)
    )  # fmt: skip
    return {row[0]: Contact(*row[1:]) for row in session.execute(query)}
