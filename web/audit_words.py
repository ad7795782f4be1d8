"""What the audit log says to people: words for every action and kind of object it may hold."""

from collections.abc import Mapping
from typing import Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from conference.access.models import AuditEntry
from conference.directory.vietnamese import fold

ACTION_WORDS: Final[Mapping[str, LazyString]] = {
    "account.created": _l("Tạo tài khoản"),
    "account.link_issued": _l("Cấp đường dẫn đặt mật khẩu"),
    "account.links_issued": _l("Cấp đường dẫn đặt mật khẩu hàng loạt"),
    "account.logged_in": _l("Đăng nhập"),
    "account.logged_out": _l("Đăng xuất"),
    "account.login_refused": _l("Đăng nhập sai"),
    "account.password_changed": _l("Đổi mật khẩu"),
    "account.password_set": _l("Đặt mật khẩu qua đường dẫn"),
    "account.updated": _l("Sửa tài khoản"),
    "api_key.created": _l("Tạo khóa API"),
    "api_key.revoked": _l("Thu hồi khóa API"),
    "archive.export": _l("Tải gói hồ sơ"),
    "archive.import": _l("Nhận gói hồ sơ"),
    "attendance.confirm": _l("Xác nhận điểm danh theo nhật ký"),
    "attendance.correct": _l("Mở đính chính điểm danh"),
    "attendance.delegates": _l("Thêm đại biểu"),
    "attendance.export": _l("Tải bảng điểm danh"),
    "attendance.mark": _l("Điểm danh điểm cầu"),
    "attendance.mark_delegate": _l("Điểm danh đại biểu"),
    "attendance.mark_rest": _l("Điểm danh các điểm cầu còn lại"),
    "attendance.remove_delegate": _l("Bỏ đại biểu khỏi danh sách"),
    "attendance.sign": _l("Ký xác nhận điểm danh"),
    "attendance.undo_rest": _l("Hoàn tác điểm danh các điểm cầu còn lại"),
    "audit.verify": _l("Kiểm tra toàn vẹn nhật ký"),
    "calendar_feed.issued": _l("Cấp địa chỉ lịch"),
    "calendar_feed.revoked": _l("Thu hồi địa chỉ lịch"),
    "conclusion.issued": _l("Ban hành kết luận"),
    "destruction.decide": _l("Ghi quyết định tiêu hủy"),
    "destruction.execute": _l("Tiêu hủy hồ sơ"),
    "destruction.paper": _l("Tải văn bản tiêu hủy"),
    "destruction.propose": _l("Lập danh mục tiêu hủy"),
    "destruction.withdraw": _l("Rút danh mục tiêu hủy"),
    "directory.exported": _l("Xuất danh bạ"),
    "directory.columns_matched": _l("Ghép cột khi nhập danh bạ"),
    "directory.import_undone": _l("Hoàn tác lần nhập danh bạ"),
    "directory.imported": _l("Nhập danh bạ"),
    "invitation.resent": _l("Gửi lại thư mời"),
    "invitation.sent_otherwise": _l("Ghi thư mời đã gửi cách khác"),
    "invitation_paper.exported": _l("Tải giấy mời"),
    "invitation_paper.saved": _l("Lưu giấy mời"),
    "meeting.approved": _l("Duyệt cuộc họp"),
    "meeting.archived": _l("Đưa vào lưu trữ"),
    "meeting.cancelled": _l("Hủy cuộc họp"),
    "meeting.checked": _l("Bắt đầu kiểm tra đường truyền"),
    "meeting.created": _l("Tạo cuộc họp"),
    "meeting.declared_ready": _l("Ghi nhận sẵn sàng"),
    "meeting.edited": _l("Sửa cuộc họp"),
    "meeting.invited": _l("Gửi lời mời"),
    "meeting.postponed": _l("Hoãn cuộc họp"),
    "meeting.returned": _l("Trả lại cuộc họp"),
    "meeting.submitted": _l("Trình duyệt"),
    "minutes.addendum": _l("Thêm phụ lục biên bản"),
    "minutes.docx": _l("Tải biên bản (DOCX)"),
    "minutes.pdf": _l("Tải biên bản (PDF)"),
    "minutes.signed": _l("Biên bản đã ký"),
    "notice.docx": _l("Tải thông báo kết luận (DOCX)"),
    "notice.pdf": _l("Tải thông báo kết luận (PDF)"),
    "notice.save": _l("Lưu thông báo kết luận"),
    "paper.added": _l("Thêm tài liệu"),
    "paper.removed": _l("Gỡ tài liệu"),
    "paper_template.dropped": _l("Bỏ mẫu văn bản"),
    "paper_template.set": _l("Đặt mẫu văn bản"),
    "papers.handed_over": _l("Tải gói chuyển văn bản"),
    "person.appointed": _l("Ghi chức vụ"),
    "person.created": _l("Thêm người"),
    "person.dismissed": _l("Kết thúc chức vụ"),
    "person.updated": _l("Sửa thông tin người"),
    "personal_data.answer": _l("Trả lời yêu cầu dữ liệu cá nhân"),
    "personal_data.correct": _l("Sửa dữ liệu cá nhân theo yêu cầu"),
    "personal_data.export": _l("Tải báo cáo dữ liệu cá nhân"),
    "personal_data.request": _l("Ghi yêu cầu dữ liệu cá nhân"),
    "personal_data.view": _l("Xem dữ liệu cá nhân"),
    "planning.changed": _l("Sửa quy tắc, ngày nghỉ"),
    "recording.captions": _l("Tải lên phụ đề"),
    "recording.compose_again": _l("Ghép lại bản ghi"),
    "recording.download": _l("Tải bản ghi"),
    "recording.download_sound": _l("Tải tiếng bản ghi"),
    "recording.download_source": _l("Tải tệp gốc bản ghi"),
    "recording.manifest": _l("Tải bản kê bản ghi"),
    "recording.play": _l("Xem bản ghi"),
    "reply.given": _l("Trả lời giấy mời"),
    "line.checked": _l("Ghi kết quả kiểm tra đường truyền"),
    "line.export": _l("Tải bảng kiểm tra đường truyền"),
    "line.reminded": _l("Nhắc kiểm tra đường truyền"),
    "reply.reminded": _l("Nhắc trả lời giấy mời"),
    "retention.class": _l("Xếp thời hạn lưu hồ sơ"),
    "retention.hold": _l("Tạm giữ hồ sơ"),
    "retention.lift": _l("Bỏ tạm giữ hồ sơ"),
    "retention.term": _l("Sửa thời hạn lưu"),
    "savings.rates_set": _l("Sửa định mức tiết kiệm"),
    "signed_paper.add": _l("Tải lên bản đã ký"),
    "signed_paper.download": _l("Tải bản đã ký"),
    "site.created": _l("Thêm điểm cầu"),
    "site.updated": _l("Sửa điểm cầu"),
    "statistics.exported": _l("Xuất báo cáo thống kê"),
    "substitution.granted": _l("Đồng ý dự thay"),
    "substitution.refused": _l("Không đồng ý dự thay"),
    "task.add": _l("Giao nhiệm vụ"),
    "task.remove": _l("Xóa nhiệm vụ"),
    "task.report": _l("Cập nhật nhiệm vụ"),
    "template.dropped": _l("Bỏ mẫu cuộc họp"),
    "template.kept": _l("Lưu mẫu cuộc họp"),
    "unit.changed": _l("Thay đổi cơ cấu đơn vị"),
    "unit.corrected": _l("Sửa thông tin đơn vị"),
    "unit.created": _l("Thêm đơn vị"),
    "warnings.kept": _l("Giữ nguyên dù có cảnh báo"),
    "week.published": _l("Công bố lịch tuần"),
}
OBJECT_WORDS: Final[Mapping[str, LazyString]] = {
    "account": _l("Tài khoản"),
    "accounts": _l("Tài khoản"),
    "api_key": _l("Khóa API"),
    "audit": _l("Nhật ký hệ thống"),
    "destruction": _l("Danh mục tiêu hủy"),
    "meeting": _l("Cuộc họp"),
    "paper_template": _l("Mẫu văn bản"),
    "people": _l("Người"),
    "person": _l("Người"),
    "planning": _l("Quy tắc"),
    "recording": _l("Bản ghi"),
    "retention": _l("Thời hạn lưu"),
    "site": _l("Điểm cầu"),
    "statistics": _l("Thống kê"),
    "task": _l("Nhiệm vụ"),
    "template": _l("Mẫu cuộc họp"),
    "unit": _l("Đơn vị"),
    "units": _l("Đơn vị"),
    "week": _l("Lịch tuần"),
}
_TABS: Final[Mapping[str, str]] = {
    "meeting": "/cuoc-hop/{}/tong-quan",
    "person": "/quan-tri/nguoi/{}",
    "unit": "/quan-tri/don-vi/{}",
    "week": "/lich-tuan/{}",
}


def action_word(action: str) -> str:
    """What was done; an action without a word shows its own name."""
    return str(ACTION_WORDS.get(action, action))


def object_word(entry: AuditEntry) -> str:
    """What it was done to: “Cuộc họp 12”."""
    kind: str = str(OBJECT_WORDS.get(entry.object_type, entry.object_type))
    return f"{kind} {entry.object_id}".strip()


def address_of(entry: AuditEntry) -> str:
    """Page of the object; empty where it has none."""
    pattern = _TABS.get(entry.object_type, "")
    return pattern.format(entry.object_id) if entry.object_id[:1].isdecimal() else ""


def actions_said(text: str) -> frozenset[str]:
    """Actions in whose words ``text`` occurs, without regard to marks and case."""
    wanted = fold(text)
    return frozenset(name for name, word in ACTION_WORDS.items() if wanted in fold(str(word)))
