"""The sentence a leader reads, and the words beside the figures. Pure."""

from typing import Final

from conference.directory.models import UnitLevel
from conference.statistics import periods
from conference.statistics.figures import Figures
from conference.statistics.periods import Period

LEVEL_WORDS: Final = {
    UnitLevel.PROVINCE: "Tỉnh",
    UnitLevel.PROVINCIAL_UNIT: "Sở, ban, ngành",
    UnitLevel.DISTRICT: "Cấp huyện",
    UnitLevel.COMMUNE: "Cấp xã",
}
NO_KIND: Final = "Chưa phân loại"
METHOD: Final = (
    "Mỗi cuộc họp tính một lần khi đã kết thúc, vào kỳ có ngày bắt đầu (giờ Việt Nam). Cuộc họp "
    "hoãn, hủy không tính; phần tiếp sóng xuống cấp dưới không tính thêm.",
    "Điểm cầu là phòng họp có kết nối; đại biểu là số người do điểm cầu hoặc thư ký báo. "
    "Điểm cầu chưa báo số người được nêu riêng, không tính là 0.",
    "Điểm cầu dự họp: theo điểm danh của thư ký; nơi chưa điểm danh thì theo nhật ký kết nối.",
    "Giờ họp: từ lúc mở đến lúc kết thúc phòng họp.",
    "Giấy mời, tài liệu đúng hạn: trước ngày họp ít nhất 3 ngày làm việc; thông báo kết luận đúng "
    "hạn: trong 5 ngày làm việc sau ngày họp (Quyết định 45/2018/QĐ-TTg). Cuộc họp do Trung ương "
    "ấn định không tính hạn.",
    "Sự cố: số lần kết nối của điểm cầu đứt ngoài ý muốn trong giờ họp.",
)


def thousands(value: int) -> str:
    """``5.672``."""
    return f"{value:,}".replace(",", ".")


def decimals(value: float, digits: int = 1) -> str:
    """``14.832,5``."""
    return f"{value:,.{digits}f}".translate(str.maketrans(",.", ".,"))


def sentence(period: Period, figures: Figures) -> str:
    """The year sentence, for any period.

    ``Năm 2020, hệ thống đã phục vụ 93 cuộc họp trực tuyến (56 cuộc họp Trung ương với tỉnh và
    37 cuộc họp nội tỉnh).``
    """
    when = periods.name(period)
    if not figures.meetings:
        return f"{when}, hệ thống chưa phục vụ cuộc họp trực tuyến nào."
    return (
        f"{when}, hệ thống đã phục vụ {thousands(figures.meetings)} cuộc họp trực tuyến "
        f"({thousands(figures.central)} cuộc họp Trung ương với tỉnh và "
        f"{thousands(figures.intra)} cuộc họp nội tỉnh)."
    )


def comparison(figures: Figures, before: Figures, earlier: Period) -> str:
    """How the number changed: ``So với cùng kỳ (năm 2019: 70 cuộc họp) tăng 32,9 %.``."""
    label = periods.name(earlier)
    label = label[:1].lower() + label[1:]
    if not before.meetings:
        return f"Cùng kỳ ({label}) chưa có số liệu."
    growth = (figures.meetings - before.meetings) / before.meetings
    opening = f"So với cùng kỳ ({label}: {thousands(before.meetings)} cuộc họp)"
    if not growth:
        return f"{opening} không đổi."
    return f"{opening} {'tăng' if growth > 0 else 'giảm'} {decimals(abs(growth) * 100)} %."
