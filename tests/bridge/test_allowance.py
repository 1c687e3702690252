from __future__ import annotations

from bridge.allowance import Allowance


def test_an_allowance_is_used_up_and_refills_with_time() -> None:
    allowance = Allowance(2.0)
    a, b = ("a", 1), ("b", 1)
    assert [allowance.take(a, 0.0) for _ in range(3)] == [True, True, False]
    assert allowance.take(b, 0.0), "another sender has its own"
    assert allowance.take(a, 0.5)
    assert not allowance.take(a, 0.6)
    assert [allowance.take(a, 100.0) for _ in range(3)] == [True, True, False], "no more than a full one"


def test_an_allowance_remembers_no_more_senders_than_it_may() -> None:
    allowance = Allowance(1.0, senders=2)
    for port in range(10):
        allowance.take(("a", port), 0.0)
    assert not allowance.take(("a", 9), 0.0)
    assert allowance.take(("a", 0), 0.0), "heard longest ago, so forgotten and fresh again"
