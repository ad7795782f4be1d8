"""Every model, imported once, so that `Base.metadata` is complete for migrations and tests.

With them comes what follows their changes: the search index and the sums of past months.
"""

from conference.access.models import Account, AuditEntry, AuditHead
from conference.api_keys.models import ApiKey
from conference.archive import search_index
from conference.archive.models import ImportedFile, Recording
from conference.archive.search_piece import SearchPiece
from conference.attendance.models import (
    AttendanceMark,
    AttendanceVersion,
    Delegate,
    PresenceEvidence,
)
from conference.calendar_feeds.models import CalendarFeed
from conference.conclusions.models import Notice, Task
from conference.conduct.models import Ballot, ChatMessage, FloorRequest, LogEntry, Vote, VoteReceipt
from conference.database import Base
from conference.directory.models import (
    Appointment,
    DirectoryImport,
    FormerHolder,
    ImportHeading,
    Person,
    Site,
    Succession,
    Unit,
    UnitChange,
    UnitCode,
)
from conference.invitation_papers.models import InvitationPaper, PaperTemplate
from conference.invitations.models import OutboxMessage
from conference.lease import Lease
from conference.line_checks.models import LineCheck, LineCheckReminder
from conference.minutes.models import Minutes, MinutesAddendum, MinutesRevision
from conference.personal_data.models import DataCorrection, DataRequest
from conference.replies.models import IncomingMessage, SiteReply, Substitution
from conference.retention.models import (
    Destruction,
    DestructionItem,
    FileTerm,
    LegalHold,
    RetentionClass,
)
from conference.scheduling.models import (
    AgendaItem,
    CalendarDay,
    InvitedSite,
    Meeting,
    MeetingSeries,
    MeetingTemplate,
    Paper,
    PlanningSetting,
    SeriesPlace,
)
from conference.signatures.models import SignedPaper
from conference.statistics import tallies
from conference.statistics.models import MonthTally, SavingsRates
from conference.week.models import WeekRevision

__all__ = [
    "Account",
    "AgendaItem",
    "ApiKey",
    "Appointment",
    "AttendanceMark",
    "AttendanceVersion",
    "AuditEntry",
    "AuditHead",
    "Ballot",
    "Base",
    "CalendarDay",
    "CalendarFeed",
    "ChatMessage",
    "DataCorrection",
    "DataRequest",
    "Delegate",
    "Destruction",
    "DestructionItem",
    "DirectoryImport",
    "FileTerm",
    "FloorRequest",
    "FormerHolder",
    "ImportHeading",
    "ImportedFile",
    "IncomingMessage",
    "InvitationPaper",
    "InvitedSite",
    "Lease",
    "LegalHold",
    "LineCheck",
    "LineCheckReminder",
    "LogEntry",
    "Meeting",
    "MeetingSeries",
    "MeetingTemplate",
    "Minutes",
    "MinutesAddendum",
    "MinutesRevision",
    "MonthTally",
    "Notice",
    "OutboxMessage",
    "Paper",
    "PaperTemplate",
    "Person",
    "PlanningSetting",
    "PresenceEvidence",
    "Recording",
    "RetentionClass",
    "SavingsRates",
    "SearchPiece",
    "SeriesPlace",
    "SignedPaper",
    "Site",
    "SiteReply",
    "Substitution",
    "Succession",
    "Task",
    "Unit",
    "UnitChange",
    "UnitCode",
    "Vote",
    "VoteReceipt",
    "WeekRevision",
    "search_index",
    "tallies",
]
