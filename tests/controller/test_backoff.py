"""When to try again."""

from sealpy_controller import backoff
from sealpy_controller.faults import Fault

FAULT = Fault("IntegrityFailed", "the MAC is wrong")


def test_waits_double_up_to_a_limit_and_scatter() -> None:
    waits = [[backoff.delay(failures, 900) for _ in range(50)] for failures in (1, 2, 3, 4, 8, 9, 100_000)]

    for seconds, seen in zip((5, 10, 20, 40, 640, 900, 900), waits, strict=True):
        assert all(0.8 * seconds <= wait <= 1.2 * seconds for wait in seen)
        assert len(set(seen)) > 10


def test_a_file_that_failed_waits_until_its_time_or_until_it_changes() -> None:
    now = [1000.0]
    retries = backoff.Retries(lambda: now[0], 120)

    retries.failed("a.yaml", "blob1", FAULT)

    assert retries.waiting("a.yaml", "blob1") == FAULT
    assert retries.waiting("a.yaml", "blob2") is None
    assert retries.waiting("b.yaml", "blob1") is None
    assert 4 <= (retries.next() or 0) <= 6
    now[0] += 6.1
    assert retries.waiting("a.yaml", "blob1") is None
    assert retries.next() == 0

    retries.failed("a.yaml", "blob1", FAULT)

    assert 8 <= (retries.next() or 0) <= 12
    retries.failed("a.yaml", "blob2", FAULT)
    assert 4 <= (retries.next() or 0) <= 6
    retries.succeeded("a.yaml")
    assert retries.next() is None


def test_a_file_that_is_gone_is_waited_for_no_more() -> None:
    retries = backoff.Retries(lambda: 0.0, 120)
    retries.failed("a.yaml", "blob1", FAULT)

    retries.keep({"b.yaml"})

    assert retries.next() is None
