"""Compare sealpy with its real peers on this machine: both sides in one run, taking turns.

    bench/run.py [--repetitions N] [--write] [ROW…]

Prints, for each row, the ratio's median with its smallest and largest sample, what is asked of it, and the absolute
figures behind it. Exits 1 when a peer is missing or a median misses what is asked.
``--write`` puts the table into docs/benchmarks.md.
"""

import argparse
import compileall
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence

import processes
import rows
import samples

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PAGE = os.path.join(ROOT, "docs", "benchmarks.md")
BEGIN, END = "<!-- measured: begin -->\n", "<!-- measured: end -->\n"


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare sealpy with its real peers on this machine.")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(rows.ROWS)}; all without")
    parser.add_argument("--repetitions", type=int, default=7, help="pairs of runs a row (default 7)")
    parser.add_argument("--write", action="store_true", help="put the table into docs/benchmarks.md")
    arguments = parser.parse_args()
    chosen = arguments.rows or list(rows.ROWS)
    if unknown := [name for name in chosen if name not in rows.ROWS]:
        parser.error(f"no row {', '.join(unknown)}; there are {', '.join(rows.ROWS)}")

    # Both sides as installed: sops is compiled, so is our bytecode.
    for package in ("sealpy", "cli"):
        compileall.compile_dir(os.path.join(ROOT, package), quiet=1)
    measured: list[rows.Measured] = []
    try:
        built = subprocess.run(
            [sys.executable, os.path.join(ROOT, "tests", "tools", "build")],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        tools = built.stdout.splitlines()[-1]
        with tempfile.TemporaryDirectory() as folder:
            key = samples.make_key(os.path.join(tools, "age-keygen"), folder)
            for name in chosen:
                here = os.path.join(folder, name)
                os.mkdir(here)
                for line in rows.ROWS[name](rows.World(tools, key, here, arguments.repetitions)):
                    measured.append(line)
                    print(_terse(line), flush=True)
    except (processes.Failed, subprocess.CalledProcessError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    if arguments.write:
        _write(measured)
    missed = [line.name for line in measured if not line.kept]
    print(f"{len(measured) - len(missed)} of {len(measured)} kept" + "".join(f"\nmissed: {name}" for name in missed))
    return 1 if missed else 0


def _spread(line: rows.Measured) -> str:
    if len(line.ratios) == 1:
        return ""
    return f"{line.median:.2f} ({line.ratios[0]:.2f} to {line.ratios[-1]:.2f})"


def _terse(line: rows.Measured) -> str:
    verdict = "ok    " if line.kept else "MISSED"
    return f"{verdict} {line.name:<42} {_spread(line):<24} asked {line.ask:<24} {line.note}"


def _write(measured: Sequence[rows.Measured]) -> None:
    """Replace what stands between the marks of the page."""
    with open(PAGE, encoding="utf-8") as page:
        before, rest = page.read().split(BEGIN)
    after = rest.split(END)[1]
    table = ["| measure | ratio: median (min to max) | asked | figures |", "|---|---|---|---|"]
    table += [f"| {line.name} | {_spread(line)} | {line.ask} | {line.note} |" for line in measured]
    machine = f"{_processor()}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    with open(PAGE, "w", encoding="utf-8") as page:
        page.write(before + BEGIN + "\n".join(table) + f"\n\nMachine: {machine}.\n" + END + after)


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.machine()


if __name__ == "__main__":
    sys.exit(main())
