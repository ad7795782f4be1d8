"""The sentences of a meeting's log: what each kind of entry says to people."""

from typing import Any

from flask_babel import gettext as _

from conference.scheduling.journal import LogEntry
from conference.scheduling.sending import CHANNELS, PIECES


def sentence_of(entry: LogEntry) -> str:
    """What happened; who and when stand beside it. Unknown kinds show their own name."""
    about = entry.subject
    detail = entry.detail or {}
    words = {
        "meeting_created": lambda: _("Tạo cuộc họp"),
        "meeting_edited": lambda: _edited(detail),
        "meeting_invited": lambda: _("Gửi lời mời đến %(n)s điểm cầu", n=detail.get("sites", "–")),
        "meeting_submitted": lambda: _("Trình duyệt"),
        "meeting_returned": lambda: _("Trả lại: %(comment)s", comment=about),
        "meeting_approved": lambda: _("Duyệt cuộc họp"),
        "meeting_checked": lambda: _("Bắt đầu kiểm tra đường truyền"),
        "meeting_declared_ready": lambda: _("Ghi nhận sẵn sàng"),
        "minutes_signed": lambda: _("Biên bản đã ký"),
        "conclusion_issued": lambda: _("Đã ban hành kết luận"),
        "meeting_archived": lambda: _("Đưa vào lưu trữ"),
        "meeting_postponed": lambda: _("Hoãn cuộc họp: %(reason)s", reason=about),
        "meeting_cancelled": lambda: _("Hủy cuộc họp: %(reason)s", reason=about),
        "paper_added": lambda: _("Thêm tài liệu “%(name)s”", name=about),
        "paper_removed": lambda: _("Gỡ tài liệu “%(name)s”", name=about),
        "invitation_sent_otherwise": lambda: _sent_otherwise(detail),
        "warnings_kept": lambda: _(
            "Giữ nguyên dù còn %(n)s cảnh báo: %(reason)s",
            n=len(detail.get("codes", ())),
            reason=about,
        ),
        "meeting_opened": lambda: _("Mở phòng họp"),
        "meeting_ended": lambda: _("Kết thúc cuộc họp"),
        "floor_requested": lambda: _("Xin phát biểu"),
        "floor_withdrawn": lambda: _("Rút đăng ký phát biểu"),
        "floor_dismissed": lambda: _("Bỏ đăng ký phát biểu của %(name)s", name=about),
        "floor_moved": lambda: _("Đổi thứ tự phát biểu của %(name)s", name=about),
        "floor_given": lambda: _("Mời %(name)s phát biểu", name=about),
        "floor_ended": lambda: _("%(name)s phát biểu xong", name=about),
        "microphone_muted": lambda: _("Tắt micro của %(name)s", name=about),
        "all_muted": lambda: _("Tắt micro tất cả"),
        "participant_removed": lambda: _("Mời %(name)s ra khỏi phòng họp", name=about),
        "agenda_selected": lambda: _("Chuyển sang mục “%(title)s”", title=about),
        "delegates_reported": lambda: _(
            "Báo số người dự: %(n)s", n=detail.get("count", detail.get("delegates", "–"))
        ),
        "recording_requested": lambda: _("Bắt đầu ghi hình"),
        "reply_given": lambda: _("%(site)s trả lời giấy mời", site=about),
        "recording_stopped": lambda: _("Dừng ghi hình"),
        "floor_extended": lambda: _("Thêm thời gian phát biểu cho %(name)s", name=about),
        "floor_warned": lambda: _("Nhắc %(name)s về thời gian", name=about),
        "spotlight_set": lambda: (
            _("Ghim hình %(name)s", name=about) if about else _("Bỏ ghim hình")
        ),
        "vote_opened": lambda: _("Mở biểu quyết: %(question)s", question=about),
        "vote_closed": lambda: _("Kết thúc biểu quyết: %(question)s", question=about),
        "vote_published": lambda: _vote_published(about, detail),
    }
    return words[entry.kind]() if entry.kind in words else entry.kind.replace("_", " ")


def _sent_otherwise(detail: dict[str, Any]) -> str:
    what, channel = PIECES[detail["what"]], CHANNELS[detail["channel"]]
    text = _("Gửi %(what)s qua %(channel)s", what=_(what), channel=_(channel))
    return f"{text}: {detail['note']}" if detail.get("note") else text


def _edited(detail: dict[str, object]) -> str:
    parts = [_("Sửa cuộc họp")]
    if detail.get("sites_added"):
        parts.append(_("thêm %(n)s điểm cầu", n=detail["sites_added"]))
    if detail.get("sites_removed"):
        parts.append(_("bớt %(n)s điểm cầu", n=detail["sites_removed"]))
    return ", ".join(parts)


def _vote_published(question: str, detail: dict[str, object]) -> str:
    said: str = _(
        "Công bố kết quả biểu quyết: %(question)s – tán thành %(yes)s, không tán thành %(no)s, "
        "không có ý kiến %(none)s",
        question=question,
        yes=detail.get("for", "–"),
        no=detail.get("against", "–"),
        none=detail.get("abstain", "–"),
    )
    return said
