"""Who may do what: one pure function for every page, event and download.

The rules as a table, for each verb: roles that always may, and ties to a meeting that also allow
it. A *tie* is what somebody is to one meeting: its chair, its secretary, who created it, an
invited site. Nothing else in the code decides about rights; a test walks every verb and role.

Pure: takes plain facts, reads no database and no clock.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from conference.access.models import Role


class Verb(enum.Enum):
    """An act that needs permission."""

    MEETING_LIST = "meeting.list"
    MEETING_CREATE = "meeting.create"
    MEETING_VIEW = "meeting.view"
    MEETING_EDIT = "meeting.edit"
    MEETING_CANCEL = "meeting.cancel"
    MEETING_APPROVE = "meeting.approve"
    PLANNING_MANAGE = "planning.manage"
    LINE_CHECK = "line.check"
    LINE_TEST = "line.test"
    INVITATION_VIEW = "invitation.view"
    PAPER_UPLOAD = "paper.upload"
    PAPER_READ = "paper.read"
    ROOM_JOIN = "room.join"
    ROOM_CONDUCT = "room.conduct"
    RECORDING_START = "recording.start"
    RECORDING_VIEW = "recording.view"
    ATTENDANCE_VIEW = "attendance.view"
    ATTENDANCE_MARK = "attendance.mark"
    ATTENDANCE_SIGN = "attendance.sign"
    MINUTES_VIEW = "minutes.view"
    MINUTES_EDIT = "minutes.edit"
    LOG_VIEW = "log.view"
    DIRECTORY_VIEW = "directory.view"
    DIRECTORY_MANAGE = "directory.manage"
    ACCOUNT_MANAGE = "account.manage"
    SYSTEM_VIEW = "system.view"
    AUDIT_VIEW = "audit.view"
    ARCHIVE_EXPORT = "archive.export"
    ARCHIVE_DECIDE = "archive.decide"
    ARCHIVE_IMPORT = "archive.import"
    PERSONAL_DATA = "personal_data.report"
    STATISTICS_VIEW = "statistics.view"
    STATISTICS_MANAGE = "statistics.manage"
    API_KEY_MANAGE = "api_key.manage"
    WEEK_VIEW = "week.view"
    WEEK_PUBLISH = "week.publish"
    INVITATION_WRITE = "invitation.write"
    TEMPLATE_MANAGE = "template.manage"
    REPLY_GIVE = "reply.give"
    REPLY_VIEW = "reply.view"
    SUBSTITUTE_DECIDE = "substitute.decide"
    SITE_FEED_MANAGE = "site_feed.manage"


class Tie(enum.Enum):
    """What an actor is to one meeting."""

    CHAIR = "chair"
    SECRETARY = "secretary"
    CREATOR = "creator"
    SITE = "site"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks: an account, or a visitor who holds an invitation link (no account, no role)."""

    account_id: int | None
    role: Role | None
    name: str
    person_id: int | None = None
    site_id: int | None = None
    invited_site_id: int | None = None

    @property
    def identity(self) -> str:
        """Participant identity on the media engine and in the meeting's records.

        A site is known by its invitation, whether it came by link or by login, so that one site
        is one participant. Raises ValueError for an actor who is neither.
        """
        if self.invited_site_id is not None:
            return f"site:{self.invited_site_id}"
        if self.account_id is not None:
            return f"person:{self.account_id}"
        raise ValueError("an anonymous visitor has no identity")


ANONYMOUS: Final = Actor(account_id=None, role=None, name="")
"""Somebody who is not logged in and followed no link."""


@dataclass(frozen=True, slots=True)
class MeetingFacts:
    """What the policy needs to know of a meeting."""

    chair_person_id: int | None
    secretary_person_id: int | None
    created_by_account_id: int | None
    invited_site_ids: frozenset[int]
    """`InvitedSite` ids that are not withdrawn."""
    site_ids: frozenset[int]
    """`Site` ids of the same."""
    is_imported: bool = False
    """Its file came from another installation; nobody changes it here."""


@dataclass(frozen=True, slots=True)
class _Rule:
    roles: frozenset[Role]
    ties: frozenset[Tie] = frozenset()


_EVERY_ROLE: Final = frozenset(Role)
_PLANNERS: Final = frozenset({Role.ADMINISTRATOR, Role.SECRETARY, Role.OFFICE_CHIEF})
_OFFICE: Final = _PLANNERS | {Role.CLERK}
_READERS: Final = _OFFICE | {Role.LEADER, Role.AUDITOR}
"""Who reads every meeting's results; leaders and auditors change nothing."""
_LEADS: Final = frozenset({Tie.CHAIR, Tie.SECRETARY})
_TAKES_PART: Final = frozenset(Tie)

RULES: Final[Mapping[Verb, _Rule]] = {
    Verb.MEETING_LIST: _Rule(_EVERY_ROLE),  # the list itself shows only what MEETING_VIEW allows
    Verb.MEETING_CREATE: _Rule(_PLANNERS),
    Verb.MEETING_VIEW: _Rule(_READERS | {Role.CHAIR, Role.TECHNICIAN}, _TAKES_PART),
    Verb.MEETING_EDIT: _Rule(_PLANNERS, frozenset({Tie.CREATOR, Tie.SECRETARY})),
    Verb.MEETING_CANCEL: _Rule(_PLANNERS, _LEADS | {Tie.CREATOR}),
    # the chair or the chief of office approves what others plan
    Verb.MEETING_APPROVE: _Rule(
        frozenset({Role.ADMINISTRATOR, Role.OFFICE_CHIEF}), frozenset({Tie.CHAIR})
    ),
    Verb.PLANNING_MANAGE: _Rule(frozenset({Role.ADMINISTRATOR})),
    Verb.LINE_CHECK: _Rule(
        frozenset({Role.ADMINISTRATOR, Role.SECRETARY, Role.OFFICE_CHIEF, Role.TECHNICIAN}),
        _LEADS | {Tie.CREATOR},
    ),
    # a site tests its own line; whoever keeps the board may sit down at a site's machine
    Verb.LINE_TEST: _Rule(
        frozenset({Role.ADMINISTRATOR, Role.SECRETARY, Role.OFFICE_CHIEF, Role.TECHNICIAN}),
        _TAKES_PART,
    ),
    # shows join links, so readers of results are not among them
    Verb.INVITATION_VIEW: _Rule(_OFFICE | {Role.TECHNICIAN}, _LEADS | {Tie.CREATOR}),
    Verb.PAPER_UPLOAD: _Rule(
        frozenset({Role.SECRETARY, Role.OFFICE_CHIEF, Role.CLERK}), _LEADS | {Tie.CREATOR}
    ),
    Verb.PAPER_READ: _Rule(_OFFICE | {Role.LEADER}, _TAKES_PART),
    Verb.ROOM_JOIN: _Rule(
        frozenset({Role.SECRETARY, Role.OFFICE_CHIEF, Role.TECHNICIAN}), _TAKES_PART
    ),
    Verb.ROOM_CONDUCT: _Rule(frozenset({Role.SECRETARY}), _LEADS),
    # QĐ 45/2018: the chair decides on recording; the secretary acts for the chair
    Verb.RECORDING_START: _Rule(frozenset({Role.SECRETARY}), _LEADS),
    Verb.RECORDING_VIEW: _Rule(_OFFICE | {Role.LEADER}, _LEADS),
    Verb.ATTENDANCE_VIEW: _Rule(_READERS | {Role.TECHNICIAN}, _LEADS),
    Verb.ATTENDANCE_MARK: _Rule(frozenset({Role.SECRETARY, Role.CLERK}), _LEADS),
    # the sheet is the chair's word; nobody signs for the chair
    Verb.ATTENDANCE_SIGN: _Rule(frozenset(), frozenset({Tie.CHAIR})),
    Verb.MINUTES_VIEW: _Rule(_READERS, _LEADS),
    Verb.MINUTES_EDIT: _Rule(frozenset({Role.SECRETARY, Role.CLERK}), _LEADS),
    Verb.LOG_VIEW: _Rule(_OFFICE | {Role.AUDITOR}, _LEADS),
    Verb.DIRECTORY_VIEW: _Rule(_READERS | {Role.TECHNICIAN}),
    Verb.DIRECTORY_MANAGE: _Rule(frozenset({Role.ADMINISTRATOR})),
    Verb.ACCOUNT_MANAGE: _Rule(frozenset({Role.ADMINISTRATOR})),
    Verb.SYSTEM_VIEW: _Rule(frozenset({Role.ADMINISTRATOR})),
    Verb.AUDIT_VIEW: _Rule(frozenset({Role.ADMINISTRATOR, Role.AUDITOR})),
    Verb.ARCHIVE_EXPORT: _Rule(frozenset({Role.CLERK, Role.ADMINISTRATOR}), _LEADS),
    # retention, legal hold and destruction are decided by the registry, on a written decision
    Verb.ARCHIVE_DECIDE: _Rule(frozenset({Role.CLERK, Role.ADMINISTRATOR})),
    Verb.ARCHIVE_IMPORT: _Rule(frozenset({Role.ADMINISTRATOR})),
    Verb.PERSONAL_DATA: _Rule(frozenset({Role.ADMINISTRATOR, Role.CLERK})),
    Verb.STATISTICS_VIEW: _Rule(_READERS | {Role.CHAIR}),
    Verb.STATISTICS_MANAGE: _Rule(frozenset({Role.ADMINISTRATOR, Role.OFFICE_CHIEF})),
    Verb.API_KEY_MANAGE: _Rule(frozenset({Role.ADMINISTRATOR})),
    Verb.WEEK_VIEW: _Rule(_READERS | {Role.CHAIR, Role.TECHNICIAN}),
    Verb.WEEK_PUBLISH: _Rule(_PLANNERS),
    Verb.INVITATION_WRITE: _Rule(_OFFICE, frozenset({Tie.CREATOR, Tie.SECRETARY})),
    Verb.TEMPLATE_MANAGE: _Rule(frozenset({Role.ADMINISTRATOR, Role.OFFICE_CHIEF, Role.CLERK})),
    # a site answers for itself; the secretariat writes down what it was told by telephone
    Verb.REPLY_GIVE: _Rule(_PLANNERS, frozenset({Tie.SITE, Tie.SECRETARY})),
    Verb.REPLY_VIEW: _Rule(_OFFICE | {Role.LEADER}, _LEADS | {Tie.CREATOR}),
    # QĐ 45/2018: substitutes need the consent of the chair, for whom the secretary acts
    Verb.SUBSTITUTE_DECIDE: _Rule(frozenset({Role.SECRETARY, Role.OFFICE_CHIEF}), _LEADS),
    # the address shows join links of one site, like the letters its planners send
    Verb.SITE_FEED_MANAGE: _Rule(_PLANNERS),
}


READS: Final = frozenset(
    {
        Verb.MEETING_LIST, Verb.MEETING_VIEW, Verb.PAPER_READ, Verb.RECORDING_VIEW,
        Verb.ATTENDANCE_VIEW, Verb.MINUTES_VIEW, Verb.LOG_VIEW, Verb.REPLY_VIEW,
        Verb.INVITATION_VIEW, Verb.ARCHIVE_EXPORT, Verb.ARCHIVE_DECIDE,
    }
)  # fmt: skip
"""What may be done to a file of another installation: look at it, and archive it."""


def ties(actor: Actor, meeting: MeetingFacts) -> frozenset[Tie]:
    """What ``actor`` is to ``meeting``; possibly several things, possibly nothing."""
    found = set()
    if actor.person_id is not None:
        if actor.person_id == meeting.chair_person_id:
            found.add(Tie.CHAIR)
        if actor.person_id == meeting.secretary_person_id:
            found.add(Tie.SECRETARY)
    if actor.account_id is not None and actor.account_id == meeting.created_by_account_id:
        found.add(Tie.CREATOR)
    if actor.site_id in meeting.site_ids or actor.invited_site_id in meeting.invited_site_ids:
        found.add(Tie.SITE)
    return frozenset(found)


def may(actor: Actor, verb: Verb, meeting: MeetingFacts | None = None) -> bool:
    """Whether ``actor`` may do ``verb``, to ``meeting`` where the verb is about one."""
    if meeting is not None and meeting.is_imported and verb not in READS:
        return False
    rule = RULES[verb]
    if actor.role in rule.roles:
        return True
    return meeting is not None and bool(ties(actor, meeting) & rule.ties)
