"""What a service of the domain refuses, and why.

::

    DomainError
    ├── NotFoundError            no such meeting, paper, recording …
    ├── ForbiddenError           it exists, but not for this actor
    ├── ConflictError            somebody was faster, or the state no longer allows it
    ├── InvalidError             what was typed is wrong; says which fields
    ├── EngineUnavailableError   the media engine does not answer
    └── StoreUnavailableError    the bucket that keeps recordings does not answer

Every error carries a stable ``code`` for programs and a Vietnamese sentence for people. Who turns
them into HTTP statuses and realtime codes is `web.errors`, nobody else.
"""

from collections.abc import Mapping
from typing import ClassVar


class DomainError(Exception):
    """The act was refused; nothing has changed. Parent of all errors of `conference`."""

    code: ClassVar[str] = "invalid"
    default_message: ClassVar[str] = "Yêu cầu không hợp lệ."

    def __init__(self, message: str = "", *, code: str | None = None) -> None:
        self.message = message or self.default_message
        self.reason = code or self.code
        """Stable word for programs: the class's code unless the caller is more precise."""
        super().__init__(self.message)


class NotFoundError(DomainError):
    """There is no such thing, or nothing that this actor may know of."""

    code = "not_found"
    default_message = "Không tìm thấy nội dung này."


class ForbiddenError(DomainError):
    """The actor has no right to do this; the sentence gives nothing of the content away."""

    code = "forbidden"
    default_message = "Không có quyền thực hiện việc này."


class ConflictError(DomainError):
    """The state has moved on since the actor looked at it."""

    code = "conflict"
    default_message = "Nội dung vừa được người khác thay đổi. Tải lại trang để xem bản mới."


class InvalidError(DomainError):
    """What was typed cannot be accepted. ``fields`` maps a form field's name to its sentence."""

    code = "invalid"
    default_message = "Có mục cần sửa."

    def __init__(
        self,
        fields: Mapping[str, str] | None = None,
        message: str = "",
        *,
        code: str | None = None,
    ) -> None:
        self.fields: dict[str, str] = dict(fields or {})
        super().__init__(message or " ".join(self.fields.values()), code=code)


class EngineUnavailableError(DomainError):
    """The media engine does not answer, or answers with its own failure."""

    code = "engine_unavailable"
    default_message = "Máy chủ âm thanh, hình ảnh chưa trả lời. Thử lại sau ít phút."


class StoreUnavailableError(DomainError):
    """The bucket that keeps recordings does not answer, or refuses this service."""

    code = "store_unavailable"
    default_message = "Kho lưu trữ bản ghi chưa trả lời. Thử lại sau ít phút."
