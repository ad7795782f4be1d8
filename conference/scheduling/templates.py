"""Templates: the form of a meeting filled in beforehand, kept under a name.

A template holds what the form held, not a meeting: no day, no status, nobody invited. Whatever a
reform made of its sites since is sorted out when the form is used.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from conference.access import audit
from conference.access.policy import Actor
from conference.errors import InvalidError, NotFoundError
from conference.scheduling import rules
from conference.scheduling.models import MeetingTemplate
from conference.sentences import say

MAX_NAME: Final = 120
NEVER_KEPT: Final = frozenset({"day", "end_day", "version", "classification", "ad_hoc_reason"})
"""What belongs to one meeting only; each is classified anew."""


def all_templates(session: Session) -> list[MeetingTemplate]:
    """Templates by name."""
    return list(session.scalars(select(MeetingTemplate).order_by(MeetingTemplate.name)))


def find(session: Session, template_id: int) -> MeetingTemplate:
    """One template. Raises NotFoundError."""
    template = session.get(MeetingTemplate, template_id)
    if template is None:
        raise NotFoundError
    return template


def keep(
    session: Session,
    name: str,
    content: Mapping[str, Any],
    *,
    actor: Actor,
    at: datetime,
    address: str = "",
) -> MeetingTemplate:
    """Store a template; one of the same name is replaced. Raises InvalidError for its name."""
    name = " ".join(name.split())
    if not name:
        raise InvalidError({"name": "Nhập tên mẫu."})
    if len(name) > MAX_NAME:
        raise InvalidError({"name": say("Tên dài quá %(n)s ký tự.", n=MAX_NAME)})
    if rules.is_marked_secret(name):
        raise InvalidError({"name": rules.REFUSAL}, code="state_secret")
    kept = {key: value for key, value in content.items() if key not in NEVER_KEPT}
    found = session.scalars(select(MeetingTemplate).where(MeetingTemplate.name == name)).first()
    template = found or MeetingTemplate(name=name)
    template.content, template.created_by, template.created_at = kept, actor.name, at
    session.add(template)
    session.flush()
    _audit(session, template, "kept", actor, at, address)
    return template


def drop(
    session: Session, template_id: int, *, actor: Actor, at: datetime, address: str = ""
) -> str:
    """Remove a template; its name. Raises NotFoundError."""
    template = find(session, template_id)
    _audit(session, template, "dropped", actor, at, address)
    session.delete(template)
    return template.name


def _audit(  # noqa: PLR0917 (session, actor, time, address come together everywhere)
    session: Session,
    template: MeetingTemplate,
    what: str,
    actor: Actor,
    at: datetime,
    address: str,
) -> None:
    audit.record(
        session, at=at, actor=actor, action=f"template.{what}", object_type="template",
        object_id=template.id, address=address, note=template.name,
    )  # fmt: skip
