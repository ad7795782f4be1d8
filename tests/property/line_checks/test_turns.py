"""Turns at the media node, against three lists kept by hand."""

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from conference.line_checks.turns import ABSENT_S, MAX_RETRY_S, TURN_S, Go, Turns, Wait

keys = st.integers(1, 12)


class Histories(RuleBasedStateMachine):
    """Sites ask, finish, or go away; time passes; the limit changes with live meetings."""

    def __init__(self) -> None:
        super().__init__()
        self.turns = Turns()
        self.now_s = 1000.0
        self.limit = 3
        self.running: dict[int, float] = {}
        self.queue: list[tuple[int, float]] = []

    def _forget(self) -> None:
        self.running = {k: until for k, until in self.running.items() if until > self.now_s}
        self.queue = [(k, asked) for k, asked in self.queue if asked > self.now_s - ABSENT_S]

    @rule(key=keys)
    def ask(self, key: int) -> None:
        self._forget()
        answer = self.turns.ask(key, self.now_s, self.limit)
        if key in self.running:
            self.running[key] = self.now_s + TURN_S
            assert answer == Go(self.now_s + TURN_S)
            return
        place = next((n for n, (one, _) in enumerate(self.queue) if one == key), None)
        if place is None:
            place = len(self.queue)
            self.queue.append((key, self.now_s))
        self.queue[place] = (key, self.now_s)
        if place < self.limit - len(self.running):
            del self.queue[place]
            self.running[key] = self.now_s + TURN_S
            assert answer == Go(self.now_s + TURN_S)
        else:
            assert isinstance(answer, Wait)
            assert answer.ahead == place
            assert 0 < answer.retry_s <= MAX_RETRY_S < ABSENT_S

    @rule(key=keys)
    def finish(self, key: int) -> None:
        self.turns.finish(key)
        self.running.pop(key, None)

    @rule(seconds=st.sampled_from([0.5, 5.0, ABSENT_S, TURN_S]))
    def wait(self, seconds: float) -> None:
        self.now_s += seconds

    @rule(limit=st.integers(1, 4))
    def change_limit(self, limit: int) -> None:
        self.limit = limit

    @invariant()
    def those_who_run_are_known(self) -> None:
        self._forget()
        assert self.turns.running(self.now_s) == len(self.running)
        for key in range(1, 13):
            assert self.turns.holds(key, self.now_s) == (key in self.running)


TestHistories = Histories.TestCase


@given(st.integers(1, 8), st.lists(keys, min_size=1, max_size=40, unique=True))
def test_everybody_gets_a_turn_and_never_more_than_allowed_at_once(
    at_once: int, sites: list[int]
) -> None:
    turns, now_s, served = Turns(), 0.0, []
    waiting = list(sites)
    while waiting:
        now_s += 1.0
        for site in list(waiting):
            if isinstance(turns.ask(site, now_s, at_once), Go):
                served.append(site)
                waiting.remove(site)
        assert turns.running(now_s) <= at_once
        for site in served:
            turns.finish(site)
    assert served == sites, "in the order in which they came"
