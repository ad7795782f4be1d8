"""What the verdict of a line check says to people: one sentence, and what to do.

Sentences are Vietnamese and looked up for other languages where they are shown. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from conference.line_checks.measured import Device, Rates, Report, Route, Speaker, Way
from conference.line_checks.verdict import Code, Finding, Grade
from conference.sentences import say

GRADE_WORDS: Final[Mapping[Grade, str]] = {
    Grade.RED: "Có lỗi",
    Grade.AMBER: "Đạt, cần lưu ý",
    Grade.GREEN: "Sẵn sàng",
}
NOT_YET: Final = "Chưa kiểm tra"
HEADINGS: Final[Mapping[Grade, str]] = {
    Grade.RED: "Chưa sẵn sàng cho cuộc họp",
    Grade.AMBER: "Họp được, có điểm cần khắc phục",
    Grade.GREEN: "Điểm cầu sẵn sàng cho cuộc họp",
}
DEVICE_WORDS: Final[Mapping[Device, str]] = {
    Device.OK: "Đạt",
    Device.SILENT: "Không có tiếng",
    Device.REFUSED: "Chưa cho phép",
    Device.SYSTEM: "Máy tính chặn",
    Device.MISSING: "Không có",
    Device.BUSY: "Đang bận",
    Device.INSECURE: "Cần https",
    Device.UNKNOWN: "Không bật được",
}
SPEAKER_WORDS: Final[Mapping[Speaker, str]] = {
    Speaker.HEARD: "Nghe rõ",
    Speaker.NOT_HEARD: "Không nghe được",
    Speaker.SKIPPED: "Chưa thử",
}
WAY_WORDS: Final[Mapping[Way, str]] = {
    Way.OPEN: "Đạt",
    Way.BLOCKED: "Bị chặn",
    Way.ABSENT: "Không cấu hình",
    Way.UNTRIED: "Chưa thử",
}
ROUTE_WORDS: Final[Mapping[Route, str]] = {
    Route.UDP: "UDP",
    Route.TCP: "TCP",
    Route.TURN: "TURN",
}


@dataclass(frozen=True, slots=True)
class Advice:
    """A finding in words."""

    grade: Grade
    what: str
    todo: str


def _microphone(device: str) -> tuple[str, str]:
    known = {
        "refused": ("Trình duyệt chưa cho phép dùng micro.",
                    "Bấm biểu tượng bên trái thanh địa chỉ, cho phép micro rồi kiểm tra lại."),
        "system": ("Máy tính đang chặn micro.",
                   "Mở Cài đặt, mục Quyền riêng tư, cho phép trình duyệt dùng micro."),
        "missing": ("Không tìm thấy micro.", "Cắm micro vào máy, chọn lại rồi kiểm tra."),
        "busy": ("Micro đang được phần mềm khác sử dụng.", "Đóng phần mềm kia rồi kiểm tra lại."),
        "insecure": ("Cần mở bằng https để dùng micro, camera.",
                     "Mở đường dẫn trong thư mời, không mở bằng địa chỉ IP."),
    }  # fmt: skip
    return known.get(device, ("Không bật được micro.", "Rút ra cắm lại rồi tải lại trang."))


def _camera(device: str) -> tuple[str, str]:
    known = {
        "refused": ("Trình duyệt chưa cho phép dùng camera.",
                    "Bấm biểu tượng bên trái thanh địa chỉ, cho phép camera rồi kiểm tra lại."),
        "system": ("Máy tính đang chặn camera.",
                   "Mở Cài đặt, mục Quyền riêng tư, cho phép trình duyệt dùng camera."),
        "missing": ("Không tìm thấy camera. Vẫn vào họp được, không có hình.",
                    "Cắm camera vào máy, chọn lại rồi kiểm tra."),
        "busy": ("Camera đang được phần mềm khác sử dụng.", "Đóng phần mềm kia rồi kiểm tra lại."),
    }  # fmt: skip
    return known.get(device, ("Không bật được camera.", "Rút ra cắm lại rồi tải lại trang."))


_PLAIN: Final[Mapping[Code, tuple[str, str]]] = {
    Code.NODE_UNREACHABLE: (
        "Không nối được máy chủ hình ảnh, âm thanh.",
        "Báo kỹ thuật: máy chủ chưa chạy, hoặc mạng chặn cổng kết nối của máy chủ.",
    ),
    Code.NO_WAY: (
        "Mạng chặn mọi đường truyền hình ảnh, âm thanh (UDP, TCP, TURN).",
        "Báo quản trị mạng mở cổng UDP và TCP tới máy chủ họp, hoặc dùng mạng khác.",
    ),
    Code.NO_PACKETS: (
        "Nối được máy chủ nhưng không đo được tốc độ.",
        "Kiểm tra lại; nếu vẫn vậy, báo kỹ thuật.",
    ),
    Code.UDP_BLOCKED: (
        "Mạng chặn UDP; hình ảnh, âm thanh đi đường dự phòng, kém ổn định hơn.",
        "Đề nghị quản trị mạng mở cổng UDP tới máy chủ họp.",
    ),
    Code.MICROPHONE_SILENT: (
        "Micro chưa có tiếng.",
        "Kiểm tra nút tắt tiếng trên micro, dây cắm, chọn đúng micro rồi nói vài câu.",
    ),
    Code.SPEAKER: (
        "Không nghe được loa.",
        "Tăng âm lượng, chọn đúng loa rồi nghe thử lại.",
    ),
    Code.CPU_BOUND: (
        "Máy tính chậm, không gửi hết được hình.",
        "Đóng các phần mềm khác hoặc dùng máy mạnh hơn.",
    ),
}


def advise(finding: Finding) -> Advice:
    """``finding`` as a sentence with what to do."""
    if finding.code is Code.MICROPHONE:
        what, todo = _microphone(finding.device)
    elif finding.code is Code.CAMERA:
        what, todo = _camera(finding.device)
    elif finding.code in _PLAIN:
        what, todo = _PLAIN[finding.code]
    else:
        what, todo = _figure(finding)
    return Advice(finding.grade, what, todo)


def _figure(finding: Finding) -> tuple[str, str]:
    nearer = "Cắm dây mạng thay Wi-Fi, tắt tải tệp và xem phim trên cùng đường truyền."
    match finding.code:
        case Code.DOWN_LOW:
            return say("Tốc độ nhận thấp: %(mbps)s Mb/s.", mbps=mbps(finding.figure)), nearer
        case Code.UP_LOW:
            return say("Tốc độ gửi thấp: %(mbps)s Mb/s.", mbps=mbps(finding.figure)), nearer
        case Code.LOSS_HIGH:
            return say("Mất gói nhiều: %(percent)s %%.", percent=percent(finding.figure)), nearer
        case Code.RTT_HIGH:
            todo = "Kiểm tra đường truyền ra tỉnh; tránh dùng 4G hoặc VPN."
            return say("Độ trễ cao: %(ms)s ms.", ms=finding.figure), todo
        case _:
            return say("Đường truyền chập chờn: độ rung %(ms)s ms.", ms=finding.figure), nearer


def mbps(kbps: int) -> str:
    """``4,2`` for 4200 kbit/s."""
    return f"{kbps / 1000:.1f}".replace(".", ",")


def percent(permille: int) -> str:
    """``0,6`` for 6 ‰, ``6`` for 60 ‰."""
    text = f"{permille / 10:.1f}".replace(".", ",")
    return text.removesuffix(",0")


def network_words(report: Report) -> str:
    """The line in one cell of the board: ``4,2 Mb/s 0 %``; what is wrong when nothing came."""
    if report.rates is None:
        return "Không nối được"
    return line_words(report.rates)


def line_words(rates: Rates) -> str:
    """``4,2 Mb/s 0 %``: down, and the worse loss."""
    loss = max(rates.up_loss_permille, rates.down_loss_permille)
    return f"{mbps(rates.down_kbps)} Mb/s {percent(loss)} %"
