"""Go's durations, with its own arithmetic."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackgen.docker.durations import nanoseconds


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("+5s", 5 * 10**9),
        ("-1m", -60 * 10**9),
        (".5s", 5 * 10**8),
        ("5.s", 5 * 10**9),
        ("1.5h2m", 5_520 * 10**9),
        ("1h1m1s1ms1us1µs1ns", 3_661_001_002_001),
        ("1.0000000009s", 10**9),
        ("1.99999999999999999999s", 2 * 10**9),
        ("2562047h47m16.854775807s", 2**63 - 1),
        ("-2562047h47m16.854775808s", -(2**63)),
    ],
)
def test_durations(text: str, value: int) -> None:
    """A duration is as many nanoseconds as Go makes of it."""
    assert nanoseconds(text) == value


@pytest.mark.parametrize(
    "text", ["", "5", ".", "s", "1x", "1 s", "1e3s", "-", "1s1", "１s", "2562047h47m16.854775808s"]
)
def test_no_durations(text: str) -> None:
    """What Go does not take is refused."""
    with pytest.raises(ValueError, match="duration"):
        nanoseconds(text)


@given(
    st.integers(0, 10**6), st.sampled_from([("ns", 1), ("us", 10**3), ("ms", 10**6), ("s", 10**9), ("m", 60 * 10**9)])
)
def test_whole_numbers(count: int, unit: tuple[str, int]) -> None:
    """A whole number of a unit is exact."""
    assert nanoseconds(f"{count}{unit[0]}") == count * unit[1]
