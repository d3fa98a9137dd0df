"""Which of a number of items a transaction is about: as the command line's `--distribution` says."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

_MASK = (1 << 64) - 1
# Terms of the sum that are added one by one; the rest is its integral.
_EXACT = 1_000_000


def mix(number: int) -> int:
    """Return a number of 64 bits that all depend on all of those of `number`: SplitMix64's finalizer."""
    mixed = (number + 0x9E3779B97F4A7C15) & _MASK
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
    return mixed ^ (mixed >> 31)


def drawing(text: str, items: int) -> Callable[[Random, int], int]:
    """Return what draws one of the items that there are now, given a generator and their number.

    `text` is `uniform`, `zipf:THETA`, `latest:THETA` or `hot:ITEMS:SHARE`; `items` is how many there are at
    first.
    """
    name, *numbers = text.split(":")
    if name == "uniform":
        return lambda random, items: random.randrange(items)
    if name == "hot":
        hot, share = int(numbers[0]), float(numbers[1])

        def draw_hot(random: Random, items: int) -> int:
            if hot >= items:
                return random.randrange(items)
            return random.randrange(hot) if random.random() < share else random.randrange(hot, items)

        return draw_hot
    rank = _ranks(items, float(numbers[0]))
    if name == "zipf":
        return lambda random, items: mix(rank(random)) % items
    if name == "latest":
        return lambda random, items: max(items - 1 - rank(random), 0)
    raise ValueError(f"expected a distribution, found {text!r}")


def _ranks(items: int, theta: float) -> Callable[[Random], int]:
    """Return what draws ranks from 0 as often as Zipf's law has it, as Gray et al. (1994) do."""
    zeta = _zeta(items, theta)
    zeta_of_two = 1 + 0.5**theta
    alpha = 1 / (1 - theta)
    eta = 0.0 if items <= 2 else (1 - (2 / items) ** (1 - theta)) / (1 - zeta_of_two / zeta)

    def draw(random: Random) -> int:
        u = random.random()
        uz = u * zeta
        if uz < 1 or items == 1:
            return 0
        if uz < zeta_of_two or items == 2:
            return 1
        return int(min(items * (eta * (u - 1) + 1) ** alpha, items - 1))

    return draw


def _zeta(items: int, theta: float) -> float:
    exact = min(items, _EXACT)
    total: float = sum(k**-theta for k in range(1, exact + 1))
    if items > _EXACT:
        total += ((items + 0.5) ** (1 - theta) - (exact + 0.5) ** (1 - theta)) / (1 - theta)
    return total
