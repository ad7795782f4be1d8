"""media.transport.pace: a busy node looks at fixed times, a quiet one is woken."""

from media.transport.pace import INTERVAL_S, WINDOW_S, Pace, next_look_s


def test_a_quiet_node_is_woken_for_each_datagram() -> None:
    pace = Pace()
    assert not any(pace.note(1, number * 0.01) for number in range(200))
    assert not pace.is_fixed


def test_a_node_woken_too_often_looks_at_fixed_times_until_it_finds_little() -> None:
    pace, now_s = Pace(), 0.0
    while not pace.is_fixed:
        now_s += 0.001
        pace.note(1, now_s)
        assert now_s < 3 * WINDOW_S, "it went on being woken a thousand times a second"
    for _ in range(200):
        now_s += INTERVAL_S
        pace.note(5, now_s)
        assert pace.is_fixed, "five at each look are worth it"
    begun_s = now_s
    while pace.is_fixed:
        now_s += INTERVAL_S
        pace.note(1, now_s)
        assert now_s < begun_s + 3 * WINDOW_S, "it looked for nothing"


def test_the_choice_is_told_once_for_each_change() -> None:
    pace = Pace()
    changes = sum(pace.note(1, number * 0.001) for number in range(2000))
    assert changes % 2 == int(pace.is_fixed)


def test_looks_fall_on_multiples_of_the_interval() -> None:
    for now_s in (0.0, 0.0001, 1.2345, 99.999, 12345.678):
        look_s = next_look_s(now_s)
        assert now_s < look_s <= now_s + INTERVAL_S + 1e-9
        assert abs(look_s / INTERVAL_S - round(look_s / INTERVAL_S)) < 1e-6
