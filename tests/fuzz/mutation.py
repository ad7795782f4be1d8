"""Inputs near to valid ones, always the same for one seed: for the short run in the test suite."""

from collections.abc import Iterator, Sequence
from random import Random

_EDGES = (0, 1, 2, 4, 0x7F, 0x80, 0xFE, 0xFF)
MAX_BYTES = 4096


def mutations(corpus: Sequence[bytes], count: int, seed: int) -> Iterator[bytes]:
    """Yield ``count`` inputs: every one of ``corpus``, then mutations of them and of each other."""
    random = Random(seed)
    pool = list(corpus)
    yield from pool[:count]
    for _ in range(count - len(pool)):
        data = bytearray(random.choice(pool))
        for _ in range(random.randint(1, 6)):
            _mutate(data, pool, random)
        mutated = bytes(data[:MAX_BYTES])
        if random.random() < 0.02:
            pool.append(mutated)
        yield mutated


def _mutate(data: bytearray, pool: Sequence[bytes], random: Random) -> None:
    at = random.randrange(len(data)) if data else 0
    match random.randrange(7):
        case 0 if data:
            data[at] = random.choice(_EDGES)
        case 1 if data:
            data[at] ^= 1 << random.randrange(8)
        case 2:
            del data[at:]
        case 3:
            del data[at : at + random.randint(1, 8)]
        case 4:
            data[at:at] = data[at : at + random.randint(1, 64)]
        case 5:
            data[at:at] = random.randbytes(random.randint(1, 8))
        case _:
            other = random.choice(pool)
            start = random.randrange(len(other) + 1)
            data[at : at + random.randint(0, 16)] = other[start : start + random.randint(1, 64)]
