"""A short, repeatable run of what ``make fuzz`` does at length: no bytes surprise a parser."""

import tracemalloc

import pytest

from tests.fuzz.__main__ import kept_inputs
from tests.fuzz.mutation import mutations
from tests.fuzz.targets import ALLOWED, TARGETS

INPUTS = 400
PEAK_BYTES = 64 << 20
"""For one input, above what was there before; a bomb of 1 MiB inflates to 2 MiB at most."""


@pytest.mark.parametrize("name", TARGETS)
def test_no_bytes_surprise_a_parser(name: str) -> None:
    target = TARGETS[name]
    corpus = [*target.seeds, *kept_inputs(name)]
    tracemalloc.start()
    try:
        for data in mutations(corpus, INPUTS, seed=len(name)):
            before, _ = tracemalloc.get_traced_memory()
            tracemalloc.reset_peak()
            try:
                target.run(data)
            except ALLOWED:
                pass
            except Exception as error:
                pytest.fail(f"{error!r} for {data.hex()}")
            _, peak = tracemalloc.get_traced_memory()
            assert peak - before < PEAK_BYTES, data.hex()
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", TARGETS)
def test_the_seeds_of_a_target_are_inputs_it_takes(name: str) -> None:
    target = TARGETS[name]
    refused = 0
    for seed in target.seeds:
        try:
            target.run(seed)
        except ALLOWED:
            refused += 1
    assert refused < len(target.seeds), "only refusals: the target would learn nothing"
