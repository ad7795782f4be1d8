"""Verdicts of line checks: the worst finding decides, and better is never worse."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from conference.errors import InvalidError
from conference.line_checks.measured import Device, Rates, Report, Route, Speaker, Way, read
from conference.line_checks.verdict import Code, Finding, Grade, judge
from conference.line_checks.wording import advise
from conference.scheduling.thresholds import Thresholds

WORST_FIRST = [Grade.RED, Grade.AMBER, Grade.GREEN]
figures = st.builds(
    Rates,
    up_kbps=st.integers(0, 5000),
    down_kbps=st.integers(0, 5000),
    up_loss_permille=st.integers(0, 1000),
    down_loss_permille=st.integers(0, 1000),
    rtt_ms=st.integers(0, 3000),
    jitter_ms=st.integers(0, 500),
    is_cpu_bound=st.booleans(),
)


@st.composite
def reports(draw: st.DrawFn) -> Report:
    """Reports that agree with themselves."""
    is_reached = draw(st.booleans())
    closed = [Way.BLOCKED, Way.ABSENT, Way.UNTRIED]
    ways = [draw(st.sampled_from([*closed, *([Way.OPEN] if is_reached else [])])) for _ in Route]
    usable = [route for route, way in zip(Route, ways, strict=True) if way is Way.OPEN]
    via = draw(st.sampled_from(usable)) if usable else None
    return Report(
        camera=draw(st.sampled_from([one for one in Device if one is not Device.SILENT])),
        microphone=draw(st.sampled_from(Device)),
        speaker=draw(st.sampled_from(Speaker)),
        is_node_reached=is_reached,
        udp=ways[0], tcp=ways[1], turn=ways[2],
        via=via,
        rates=draw(st.none() | figures) if via else None,
    )  # fmt: skip


@st.composite
def offices(draw: st.DrawFn) -> Thresholds:
    """Limits as an office may set them."""
    down, up = (
        sorted(draw(st.tuples(st.integers(100, 4000), st.integers(100, 4000)))),
        sorted(draw(st.tuples(st.integers(100, 4000), st.integers(100, 4000)))),
    )
    loss = sorted(draw(st.tuples(st.integers(1, 50), st.integers(1, 100))))
    rtt = sorted(draw(st.tuples(st.integers(10, 2000), st.integers(10, 2000))))
    return Thresholds(
        check_down_least_kbps=down[0], check_down_kbps=down[1], check_up_least_kbps=up[0],
        check_up_kbps=up[1], check_loss_percent=loss[0], check_loss_most_percent=loss[1],
        check_rtt_ms=rtt[0], check_rtt_most_ms=rtt[1],
    )  # fmt: skip


def naive_grade(report: Report, limits: Thresholds) -> Grade:
    """The same rules said once more, without order or findings."""
    rates = report.rates
    loss = max(rates.up_loss_permille, rates.down_loss_permille) if rates else 0
    if (
        report.via is None
        or rates is None
        or report.microphone is not Device.OK
        or report.speaker is Speaker.NOT_HEARD
        or rates.down_kbps < limits.check_down_least_kbps
        or rates.up_kbps < limits.check_up_least_kbps
        or loss >= 10 * limits.check_loss_most_percent
        or rates.rtt_ms >= limits.check_rtt_most_ms
    ):
        return Grade.RED
    is_fine = (
        report.camera is Device.OK
        and report.udp is not Way.BLOCKED
        and not rates.is_cpu_bound
        and rates.down_kbps >= limits.check_down_kbps
        and rates.up_kbps >= limits.check_up_kbps
        and loss < 10 * limits.check_loss_percent
        and rates.rtt_ms < limits.check_rtt_ms
        and rates.jitter_ms < limits.check_jitter_ms
    )
    return Grade.GREEN if is_fine else Grade.AMBER


@given(reports(), offices())
def test_the_grade_is_that_of_the_rules(report: Report, limits: Thresholds) -> None:
    verdict = judge(report, limits)
    assert verdict.grade is naive_grade(report, limits)
    grades = [one.grade for one in verdict.findings]
    assert grades == sorted(grades, key=WORST_FIRST.index)
    assert bool(grades) == (verdict.grade is not Grade.GREEN)


@given(reports().filter(lambda one: one.rates is not None), offices(), st.data())
def test_a_better_figure_never_gives_a_worse_grade(
    report: Report, limits: Thresholds, data: st.DataObject
) -> None:
    rates = report.rates
    assert rates is not None
    name = data.draw(st.sampled_from(["up_kbps", "down_kbps", "up_loss_permille",
                                      "down_loss_permille", "rtt_ms", "jitter_ms"]))  # fmt: skip
    before = getattr(rates, name)
    better = (
        before + data.draw(st.integers(0, 5000))
        if name.endswith("kbps")
        else (data.draw(st.integers(0, before)))
    )
    improved = replace(report, rates=replace(rates, **{name: better}))
    old, new = judge(report, limits).grade, judge(improved, limits).grade
    assert WORST_FIRST.index(new) >= WORST_FIRST.index(old)


@given(reports(), offices())
def test_every_finding_has_its_sentence_and_survives_storage(
    report: Report, limits: Thresholds
) -> None:
    for finding in judge(report, limits).findings:
        told = advise(finding)
        assert told.what.endswith(".")
        assert told.todo
        assert "%(" not in told.what + told.todo
        assert Finding.from_json(finding.to_json()) == finding


def test_every_code_can_be_told() -> None:
    for code in Code:
        assert advise(Finding(code, Grade.RED, 1234, "missing")).what


@given(reports())
def test_a_report_is_read_back_as_it_was_written(report: Report) -> None:
    assert read(report.to_json()) == report


values: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)


@given(reports(), st.sampled_from(["camera", "udp", "via", "rates", "is_node_reached"]), values)
def test_whatever_stands_in_a_field_is_a_report_or_refused(
    report: Report, name: str, value: object
) -> None:
    try:
        made = read(report.to_json() | {name: value})
    except InvalidError:
        return
    assert read(made.to_json()) == made
