"""Terms against a model that looks at every day, and every history of a file's destruction."""

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from conference.retention import terms
from conference.retention.models import Stage
from conference.retention.terms import Bar, FileFacts, Step, Term
from conference.scheduling.models import CALLED_OFF, HELD, Status

DAYS = st.dates(date(2000, 1, 1), date(2060, 12, 31))


@given(ended=DAYS, years=st.integers(1, 90))
def test_a_term_covers_exactly_the_years_after_the_one_in_which_the_work_ended(
    ended: date, years: int
) -> None:
    last = terms.kept_until(ended, years)
    assert last is not None
    whole = {ended.year + n for n in range(1, years + 1)}
    assert last.year == max(whole)
    assert (last + timedelta(days=1)).year not in {*whole, ended.year}


@given(
    status=st.sampled_from(Status), ended=DAYS, today=DAYS, holds=st.integers(0, 2),
    tasks=st.integers(0, 2),
    term=st.none() | st.builds(Term, st.just("x"), st.just("X"), st.none() | st.integers(1, 30)),
)  # fmt: skip
def test_a_file_is_free_only_when_every_single_reason_to_keep_it_is_gone(
    status: Status, ended: date, today: date, holds: int, tasks: int, term: Term | None
) -> None:
    found = terms.bars(FileFacts(status, ended, term, holds, tasks), today)
    is_free = (
        status in HELD | CALLED_OFF
        and term is not None
        and term.years is not None
        and today.year > ended.year + term.years
        and not holds
        and not tasks
    )
    assert (found == ()) is is_free
    assert len(set(found)) == len(found)


@given(ended=DAYS, years=st.integers(1, 30), today=DAYS, later=st.integers(0, 4000))
def test_time_alone_never_takes_a_freed_file_back(
    ended: date, years: int, today: date, later: int
) -> None:
    facts = FileFacts(Status.ENDED, ended, Term("x", "X", years), 0, 0)
    if not terms.bars(facts, today):
        assert not terms.bars(facts, today + timedelta(days=later))


@given(steps=st.lists(st.sampled_from(Step), max_size=8))
def test_nothing_is_destroyed_without_a_decision_before_it(steps: list[Step]) -> None:
    stage, was_decided = Stage.PROPOSED, False
    for step in steps:
        following = terms.after(stage, step)
        if following is None:
            continue
        assert stage not in {Stage.EXECUTED, Stage.WITHDRAWN}
        was_decided = was_decided or step is Step.DECIDE
        stage = following
        if stage is Stage.EXECUTED:
            assert was_decided


class FileHistory(RuleBasedStateMachine):
    """One file through years of holds, classes and lists, beside a model of plain sets."""

    def __init__(self) -> None:
        super().__init__()
        self.today = date(2026, 12, 10)
        self.ended = self.today
        self.years: int | None = None
        self.has_class = False
        self.holds: set[int] = set()
        self.stage: Stage | None = None
        self.is_gone = False

    def bars(self) -> tuple[Bar, ...]:
        term = Term("x", "X", self.years) if self.has_class else None
        return terms.bars(FileFacts(Status.ENDED, self.ended, term, len(self.holds), 0), self.today)

    @rule(days=st.integers(1, 900))
    def pass_days(self, days: int) -> None:
        self.today += timedelta(days=days)

    @rule(years=st.none() | st.integers(1, 12))
    def classify(self, years: int | None) -> None:
        self.has_class, self.years = True, years

    @rule(number=st.integers(0, 2))
    def hold(self, number: int) -> None:
        self.holds.add(number)

    @rule(number=st.integers(0, 2))
    def lift(self, number: int) -> None:
        self.holds.discard(number)

    @rule()
    def propose(self) -> None:
        if self.stage in {None, Stage.WITHDRAWN} and not self.is_gone and not self.bars():
            self.stage = Stage.PROPOSED

    @rule(step=st.sampled_from(Step))
    def take(self, step: Step) -> None:
        following = terms.after(self.stage, step) if self.stage else None
        if following is None or (step is Step.EXECUTE and self.bars()):
            return
        if following is Stage.EXECUTED:
            assert self.stage is Stage.DECIDED
            assert self.years is not None
            assert self.today.year > self.ended.year + self.years
            assert not self.holds
            self.is_gone = True
        self.stage = following

    @invariant()
    def what_is_gone_was_executed(self) -> None:
        assert self.is_gone is (self.stage is Stage.EXECUTED)


TestFileHistory = FileHistory.TestCase
TestFileHistory.settings = settings(max_examples=60, stateful_step_count=25)
