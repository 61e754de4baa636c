"""Run a program and say what it cost."""

import json
import os
import re
import resource
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

MIB = 1024 * 1024


class Cost(NamedTuple):
    """What one run cost: wall time, and the largest resident set that it or a child of it ever had."""

    seconds: float
    memory: int


class Failed(Exception):
    """A program ended as it should not."""


def environment(**extra: str) -> dict[str, str]:
    """Return the environment for both sides: nothing but a path, and bytecode is neither forbidden nor missing."""
    return {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "GIT_CONFIG_NOSYSTEM": "1", **extra}


def cost(command: Sequence[str], *, env: Mapping[str, str], cwd: str | None = None) -> Cost:
    """Run a program to its end, its output thrown away.

    A child begins as a copy of its parent as far as the kernel's high-water mark is concerned, so memory is never
    reported lower than this process's own; ``floor`` tells that number.

    Raises:
        Failed: it exits with anything but 0.
    """
    started = time.perf_counter()
    child = subprocess.Popen(command, env=env, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert child.stderr
    complaint = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - started
    child.stderr.close()
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise Failed(f"{command[0]} exited with {child.returncode}: {complaint.decode('utf-8', 'replace')[-2000:]}")
    return Cost(seconds, _bytes(usage.ru_maxrss))


def floor() -> int:
    """Return this process's own high-water mark, in bytes."""
    return _bytes(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def nanoseconds(command: Sequence[str], *, env: Mapping[str, str]) -> float:
    """Run a timing program and return its best round, in ns an operation.

    It times its own rounds and prints ``{"operations": n, "ns": […]}``; the best round is the one that the rest
    of the machine disturbed least.
    """
    done = subprocess.run(command, env=env, capture_output=True, check=False)
    if done.returncode:
        raise Failed(f"{command[0]} exited with {done.returncode}: {done.stderr.decode('utf-8', 'replace')[-2000:]}")
    rounds = json.loads(done.stdout)["ns"]
    return float(min(rounds))


def children(command: Sequence[str], *, env: Mapping[str, str], cwd: str, log: str) -> int:
    """Return how many processes a program starts, itself and through others, counted by strace; threads are none."""
    trace = ["strace", "-f", "-qq", "-e", "trace=fork,vfork,clone,clone3", "-o", log]
    cost([*trace, *command], env=env, cwd=cwd)
    with open(log, encoding="utf-8", errors="replace") as lines:
        calls = list(lines)
    # A call that another process interrupts takes two lines: its flags are in the first, its result in the second.
    made = sum(bool(re.search(r" = \d+$", line.rstrip())) for line in calls)
    return made - sum("CLONE_THREAD" in line for line in calls)


def _bytes(maxrss: int) -> int:
    return maxrss if sys.platform == "darwin" else maxrss * 1024
