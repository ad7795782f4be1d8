"""The figures of a period: the year sentence, tiles, charts, reports, and how they are reckoned."""

from datetime import date
from typing import Any, Final

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response
from wtforms import IntegerField
from wtforms.validators import InputRequired

from conference.access import audit
from conference.access.policy import Verb, may
from conference.documents import pdf, word
from conference.errors import InvalidError
from conference.scheduling.local_time import local_day
from conference.scheduling.models import Scope
from conference.statistics import listing, periods, report, savings, workbook
from conference.statistics.figures import Figures
from conference.statistics.listing import Wanted
from conference.statistics.periods import Period, PeriodError
from conference.statistics.savings import Rates
from conference.statistics.service import Overview, overview
from conference.statistics.wording import LEVEL_WORDS, METHOD, NO_KIND
from web import charts
from web.forms import PageForm
from web.services import actor, client_address, issuer, now, require, services

blueprint = Blueprint("statistics", __name__, url_prefix="/thong-ke")

_TYPES: Final = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}
_LONGEST_BY_MONTH: Final = 36
MOST_ROWS: Final = 12


class RatesForm(PageForm):
    """What the estimate of savings is reckoned with."""

    district_km = IntegerField(_l("Quãng đường một lượt từ cấp huyện (km)"), [InputRequired()])
    commune_km = IntegerField(_l("Quãng đường một lượt từ cấp xã (km)"), [InputRequired()])
    dong_per_km = IntegerField(_l("Chi phí mỗi người, mỗi km (đồng)"), [InputRequired()])
    daily_allowance_dong = IntegerField(_l("Phụ cấp mỗi người, mỗi ngày (đồng)"), [InputRequired()])
    km_per_hour = IntegerField(_l("Tốc độ đi lại trung bình (km/giờ)"), [InputRequired()])


@blueprint.get("")
def index() -> str | tuple[str, int]:
    """The figures of a period; the whole of this year when none is asked for."""
    who = require(Verb.STATISTICS_VIEW)
    period, fault = _asked_period()
    at = now()
    with services().database.reading() as session:
        found = overview(session, period, at)
    is_wall = request.args.get("man-hinh") == "1"
    page = render_template(
        "statistics/wall.html" if is_wall else "statistics/index.html",
        found=found,
        period_name=periods.name(found.period),
        earlier_name=periods.name(found.earlier),
        presets=presets(local_day(at)),
        fault=fault,
        typed=_typed(period),
        chart=month_chart(found.figures),
        by_period=_stacks(found.figures),
        hosts=_bars(found.figures.by_host),
        kinds=_bars(found.figures.by_kind),
        has_kinds=any(name for name, _count in found.figures.by_kind),
        level_words=LEVEL_WORDS,
        no_kind=NO_KIND,
        may_manage=may(who, Verb.STATISTICS_MANAGE),
        most_rows=MOST_ROWS,
    )
    return (page, 422) if fault else page


@blueprint.get("/cuoc-hop")
def meetings() -> str | tuple[str, int]:
    """The meetings behind a figure."""
    require(Verb.STATISTICS_VIEW)
    period, fault = _asked_period()
    wanted = _wanted(request.args.get("loc", ""))
    with services().database.reading() as session:
        page = listing.find(session, period, wanted, request.args.get("page", 1, int))
    args = {"tu": period.first.isoformat(), "den": period.last.isoformat()}
    shown = render_template(
        "statistics/meetings.html",
        page=page,
        wanted=wanted.value,
        args=args,
        pager_args={**args, "loc": wanted.value} if wanted.value else args,
        period_name=periods.name(period),
        filters=filter_words(),
        fault=fault,
    )
    return (shown, 422) if fault else shown


def _wanted(text: str) -> Wanted:
    return Wanted(text) if text in filter_words() else Wanted.ALL


def filter_words() -> dict[str, str]:
    """The filters of the list of meetings, in the office's words."""
    return {
        "": _("Tất cả"),
        "trung-uong": _("Trung ương với tỉnh"),
        "noi-tinh": _("Nội tỉnh"),
        "giay-moi-muon": _("Giấy mời muộn"),
        "tai-lieu-muon": _("Tài liệu muộn"),
        "thong-bao-muon": _("Thông báo kết luận muộn"),
        "gian-doan": _("Có gián đoạn"),
        "thieu-dai-bieu": _("Thiếu số đại biểu"),
    }


@blueprint.get("/bao-cao.<any(docx,xlsx,pdf):kind>")
def report_file(kind: str) -> Response:
    """The report of a period as a file."""
    who = require(Verb.STATISTICS_VIEW)
    period, fault = _asked_period()
    if fault:
        raise InvalidError({"period": fault})
    at = now()
    with services().database.transaction() as session:
        found = overview(session, period, at)
        audit.record(
            session, at=at, actor=who, action="statistics.exported", object_type="statistics",
            object_id=kind, address=client_address(),
            detail={"from": period.first.isoformat(), "to": period.last.isoformat()},
        )  # fmt: skip
    answer = make_response(_file(kind, found))
    answer.mimetype = _TYPES[kind]
    name = f"thong-ke-{period.first:%Y%m%d}-{period.last:%Y%m%d}.{kind}"
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    return answer


def _file(kind: str, found: Overview) -> bytes:
    if kind == "xlsx":
        return workbook.document(found)
    paper = report.compose(issuer(), found)
    if kind == "docx":
        return word.document(paper, found.at)
    return pdf.document(paper, found.at)


@blueprint.route("/cach-tinh", methods=["GET", "POST"])
def method() -> str | Response | tuple[str, int]:
    """How figures are reckoned; the rates of the estimate for those who may set them."""
    who = require(Verb.STATISTICS_VIEW)
    if request.method == "POST":
        who = require(Verb.STATISTICS_MANAGE)
    with services().database.reading() as session:
        rates = savings.rates_in_force(session)
    form = RatesForm(obj=rates)
    status = 200
    if form.is_submitted():
        if form.validate():
            wanted = Rates(**{name: form[name].data for name in savings.LIMITS})
            try:
                with services().database.transaction() as session:
                    savings.set_rates(
                        session, wanted, actor=who, at=now(), address=client_address()
                    )
            except InvalidError as error:
                for name, sentence in error.fields.items():
                    form[name].errors = [sentence]
            else:
                flash(_("Đã lưu cách tính."), "ok")
                return redirect(url_for("statistics.method"), 303)
        status = 422
    page = render_template(
        "statistics/method.html",
        form=form,
        rates=rates,
        sentences=METHOD,
        may_manage=may(actor(), Verb.STATISTICS_MANAGE),
        may_keys=may(actor(), Verb.API_KEY_MANAGE),
    )
    return page, status


# --- parts ---------------------------------------------------------------------------------------


def _asked_period() -> tuple[Period, str]:
    """The period of the address and what is wrong with it; this year when none is given."""
    typed = (request.args.get("tu", ""), request.args.get("den", ""))
    this_year = periods.year(local_day(now()).year)
    if not any(typed):
        return this_year, ""
    try:
        return periods.checked(*(periods.parse_day(text) for text in typed)), ""
    except PeriodError as error:
        return this_year, str(error)


def _typed(period: Period) -> dict[str, str]:
    """The days as they stand in the fields: what cannot be read stays as it was typed."""
    shown = {"tu": period.first, "den": period.last}
    for key in shown:
        if text := request.args.get(key, ""):
            day = periods.parse_day(text)
            if day is None:
                return {key: request.args.get(key, "") for key in shown}
            shown[key] = day
    return {key: f"{day:%d/%m/%Y}" for key, day in shown.items()}


def presets(today: date) -> list[dict[str, Any]]:
    """The usual periods around ``today``."""
    quarter_number = (today.month - 1) // 3 + 1
    wanted = (
        (_("Tháng này"), periods.month(today.year, today.month)),
        (_("Quý này"), periods.quarter(today.year, quarter_number)),
        (_("Năm nay"), periods.year(today.year)),
        (_("Năm trước"), periods.year(today.year - 1)),
    )
    return [
        {"label": label, "tu": one.first.isoformat(), "den": one.last.isoformat(), "period": one}
        for label, one in wanted
    ]


def _stacks(figures: Figures) -> list[tuple[str, dict[str, int]]]:
    """Meetings by month and scope; by year when there are too many months."""
    by_year = len(figures.by_month) > _LONGEST_BY_MONTH
    has_years = len({year for year, _month in figures.by_month}) > 1
    found: dict[str, dict[str, int]] = {}
    for (year, month), counted in figures.by_month.items():
        label = str(year) if by_year else f"{month}/{year % 100:02d}" if has_years else f"T{month}"
        stack = found.setdefault(label, {"central": 0, "intra": 0})
        for scope in Scope:
            stack[scope.value] += counted[scope]
    return list(found.items())


def month_chart(figures: Figures) -> charts.Columns:
    """The columns of the page."""
    words = (("intra", _("nội tỉnh")), ("central", _("Trung ương với tỉnh")))
    return charts.columns(_stacks(figures), words)


def _bars(ranked: Any) -> list[dict[str, Any]]:
    largest = max((count for _name, count in ranked), default=0)
    return [
        {"name": name or NO_KIND, "count": count, "share": charts.share_of(count, largest)}
        for name, count in ranked
    ]
