"""The office's planning rules: its calendar of days off, and the thresholds of QĐ 45/2018."""

from datetime import date
from typing import Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response
from wtforms import RadioField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length

from conference.access.policy import Verb, may
from conference.errors import InvalidError
from conference.scheduling import planning, thresholds
from conference.scheduling.local_time import local_day
from conference.scheduling.models import DayKind
from conference.scheduling.working_days import FIRST_YEAR, LAST_YEAR
from web.forms import PageForm
from web.meeting_form import DayField
from web.services import client_address, now, require, services

blueprint = Blueprint("planning_rules", __name__)

KINDS: Final = [
    SelectChoice(DayKind.HOLIDAY.value, _l("Ngày nghỉ lễ")),
    SelectChoice(DayKind.IN_LIEU.value, _l("Nghỉ bù")),
    SelectChoice(DayKind.WORKING_SWAP.value, _l("Làm bù, hoán đổi")),
]
GROUPS: Final = (
    ("Thời hạn", ("invitation_days", "papers_days", "notice_days")),
    (
        "Độ dài tối đa, tính bằng nửa ngày",
        (
            "half_day_minutes", "briefing_half_days", "work_half_days", "advisory_half_days",
            "coordination_half_days", "professional_half_days", "review_half_days",
            "thematic_half_days", "training_half_days",
        ),
    ),
    ("Giờ làm việc, sức chứa", ("opens_hour", "closes_hour", "media_capacity")),
    ("Duyệt, ngày nghỉ", ("requires_approval", "culture_day")),
    (
        "Kiểm tra đường truyền",
        (
            "check_hours", "check_remind_minutes", "check_down_kbps", "check_down_least_kbps",
            "check_up_kbps", "check_up_least_kbps", "check_loss_percent",
            "check_loss_most_percent", "check_rtt_ms", "check_rtt_most_ms", "check_jitter_ms",
            "check_at_once", "check_at_once_live",
        ),
    ),
)  # fmt: skip
LABELS: Final = {
    "invitation_days": ("Gửi giấy mời trước (ngày làm việc)", "R1"),
    "papers_days": ("Gửi tài liệu trước (ngày làm việc)", "R2, Điều 10"),
    "notice_days": ("Thông báo kết luận trong (ngày làm việc)", "R11"),
    "half_day_minutes": ("Nửa ngày là (phút)", "R4"),
    "briefing_half_days": ("Giao ban", "R4"),
    "work_half_days": ("Giải quyết công việc", "R4"),
    "advisory_half_days": ("Tham mưu, tư vấn", "R4"),
    "coordination_half_days": ("Điều phối", "R4"),
    "professional_half_days": ("Chuyên môn", "R4"),
    "review_half_days": ("Sơ kết, tổng kết", "R4"),
    "thematic_half_days": ("Chuyên đề", "R4"),
    "training_half_days": ("Tập huấn, triển khai", "R4"),
    "opens_hour": ("Giờ mở cửa", ""),
    "closes_hour": ("Giờ đóng cửa", ""),
    "media_capacity": ("Số điểm cầu họp cùng lúc", ""),
    "requires_approval": ("Phải duyệt trước khi mời (1 = có, 0 = không)", ""),
    "culture_day": ("Nghỉ Ngày Văn hóa Việt Nam 24/11 (1 = có, 0 = không)", ""),
    "check_hours": ("Mở kiểm tra trước giờ họp (giờ)", ""),
    "check_remind_minutes": ("Nhắc lần cuối trước giờ họp (phút)", ""),
    "check_down_kbps": ("Tốc độ nhận đạt từ (kb/s)", ""),
    "check_down_least_kbps": ("Tốc độ nhận lỗi khi dưới (kb/s)", ""),
    "check_up_kbps": ("Tốc độ gửi đạt từ (kb/s)", ""),
    "check_up_least_kbps": ("Tốc độ gửi lỗi khi dưới (kb/s)", ""),
    "check_loss_percent": ("Mất gói đạt khi dưới (%)", ""),
    "check_loss_most_percent": ("Mất gói lỗi từ (%)", ""),
    "check_rtt_ms": ("Độ trễ khứ hồi đạt khi dưới (ms)", ""),
    "check_rtt_most_ms": ("Độ trễ khứ hồi lỗi từ (ms)", ""),
    "check_jitter_ms": ("Độ rung đạt khi dưới (ms)", ""),
    "check_at_once": ("Số điểm cầu đo cùng lúc", ""),
    "check_at_once_live": ("Số điểm cầu đo cùng lúc khi đang có cuộc họp", ""),
}

Answer = str | Response | tuple[str, int]


class SpecialDayForm(PageForm):
    """One day that differs from its place in the week."""

    day = DayField(_l("Ngày"))
    kind = RadioField(_l("Loại ngày"), choices=KINDS, validate_choice=False)
    name = StringField(_l("Tên ngày"), [Length(max=planning.MAX_NAME)])


@blueprint.route("/quan-tri/ngay-nghi", methods=["GET", "POST"])
def days() -> Answer:
    """The year's days off and swapped days; add, change, remove."""
    actor = require(Verb.PLANNING_MANAGE if request.method == "POST" else Verb.MEETING_LIST)
    year = min(max(request.args.get("nam", local_day(now()).year, int), FIRST_YEAR), LAST_YEAR)
    start = {"kind": DayKind.HOLIDAY.value}
    form = SpecialDayForm(data=None if request.method == "POST" else start)
    if request.method == "POST":
        faults: dict[str, str] = {}
        day: date | None = form.day.data
        if form.validate() and day is None:
            faults["day"] = _("Nhập ngày.")
        elif not form.errors and day is not None:
            try:
                with services().database.transaction() as session:
                    planning.keep_day(
                        session, day, _kind(form.kind.data), form.name.data or "",
                        actor=actor, at=now(), address=client_address(),
                    )  # fmt: skip
            except InvalidError as error:
                faults = error.fields
            else:
                flash(_("Đã lưu %(name)s.", name=form.name.data), "ok")
                return redirect(url_for("planning_rules.days", nam=day.year))
        for name, sentence in faults.items():
            form[name].errors = [sentence]
    with services().database.reading() as session:
        found, is_own = planning.days_of(session, year)
    page = render_template(
        "meetings/days.html", form=form, year=year, days=found, is_own=is_own,
        kind_words={DayKind(one.value): str(one.label) for one in KINDS},
        can_manage=may(actor, Verb.PLANNING_MANAGE), first=FIRST_YEAR, last=LAST_YEAR,
    )  # fmt: skip
    return (page, 422) if form.errors else page


def _kind(text: str | None) -> DayKind:
    return next((kind for kind in DayKind if kind.value == text), DayKind.HOLIDAY)


@blueprint.post("/quan-tri/ngay-nghi/<day>/bo")
def drop_day(day: str) -> Response:
    """Make a day ordinary again."""
    actor = require(Verb.PLANNING_MANAGE)
    try:
        found = date.fromisoformat(day)
    except ValueError:
        return redirect(url_for("planning_rules.days"))
    with services().database.transaction() as session:
        planning.drop_day(session, found, actor=actor, at=now(), address=client_address())
    flash(_("Đã bỏ."), "ok")
    return redirect(url_for("planning_rules.days", nam=found.year))


@blueprint.route("/quan-tri/quy-tac", methods=["GET", "POST"])
def rules() -> Answer:
    """The numbers behind the warnings."""
    actor = require(Verb.PLANNING_MANAGE)
    with services().database.reading() as session:
        current = planning.thresholds_of(session)
    typed = {name: str(getattr(current, name)) for name in thresholds.LIMITS}
    faults: dict[str, str] = {}
    if request.method == "POST":
        typed = {name: request.form.get(name, "").strip() for name in thresholds.LIMITS}
        values = {name: _number(text) for name, text in typed.items()}
        try:
            with services().database.transaction() as session:
                planning.set_thresholds(
                    session, values, actor=actor, at=now(), address=client_address()
                )
        except InvalidError as error:
            faults = error.fields
        else:
            flash(_("Đã lưu quy tắc."), "ok")
            return redirect(url_for("planning_rules.rules"))
    page = render_template(
        "meetings/rules.html", groups=GROUPS, labels=LABELS, typed=typed, faults=faults,
        standard=thresholds.Thresholds(),
    )  # fmt: skip
    return (page, 422) if faults else page


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 6 else None
