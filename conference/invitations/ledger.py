"""Looking at the outbox: what was sent to whom, and what became of it."""

from dataclasses import dataclass

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, defer, joinedload

from conference.directory.models import Site
from conference.invitations.models import Channel, Delivery, OutboxMessage
from conference.scheduling.models import InvitedSite


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom to call about an invited site, and how its last letter stands."""

    email: str
    technician_name: str
    technician_phone: str
    state: Delivery | None


def letters_of(session: Session, meeting_id: int) -> list[OutboxMessage]:
    """All letters of a meeting, newest change first, sites in order; contents are not loaded."""
    query = (
        select(OutboxMessage)
        .where(OutboxMessage.meeting_id == meeting_id)
        .options(joinedload(OutboxMessage.invited_site), defer(OutboxMessage.content))
        .order_by(OutboxMessage.created_at.desc(), OutboxMessage.id)
    )
    return list(session.scalars(query))


def tally(session: Session, meeting_id: int) -> dict[Delivery, int]:
    """How many letters of a meeting stand in each state."""
    query = (
        select(OutboxMessage.state, func.count())
        .where(OutboxMessage.meeting_id == meeting_id)
        .group_by(OutboxMessage.state)
    )
    found = dict(session.execute(query).all())
    return {state: found.get(state, 0) for state in Delivery}


def _newest_of_each_site(meeting_id: int) -> Select[int]:
    return (
        select(func.max(OutboxMessage.id))
        .where(OutboxMessage.meeting_id == meeting_id, OutboxMessage.channel == Channel.MAIL)
        .group_by(OutboxMessage.invited_site_id)
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
    newest = _newest_of_each_site(meeting_id)
    query = (
        select(
            InvitedSite.id, Site.email, Site.technician_name, Site.technician_phone,
            OutboxMessage.state,
        )
        .join(InvitedSite.site)
        .outerjoin(
            OutboxMessage,
            (OutboxMessage.invited_site_id == InvitedSite.id) & OutboxMessage.id.in_(newest),
        )
        .where(InvitedSite.meeting_id == meeting_id)
    )  # fmt: skip
    return {row[0]: Contact(*row[1:]) for row in session.execute(query)}
