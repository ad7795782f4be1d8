"""What every act of a live meeting asks first."""

from conference.conduct.participants import Participant
from conference.errors import ConflictError, ForbiddenError
from conference.scheduling.models import Meeting, Status


def require_console(by: Participant) -> None:
    """Only who shares the console may go on. Raises ForbiddenError."""
    if not by.is_conducting:
        raise ForbiddenError


def require_live(meeting: Meeting) -> None:
    """Only a meeting that is being held may go on. Raises ConflictError."""
    if meeting.status is not Status.LIVE:
        raise ConflictError("Cuộc họp chưa bắt đầu hoặc đã kết thúc.")
