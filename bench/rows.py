"""What is measured, and what is asked of it: each row runs both sides in turn, and compares pair by pair."""

import os
import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeVar

import processes
import samples
from processes import MIB, environment

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.path.join(os.path.dirname(sys.executable), "sealpy")


T = TypeVar("T")


class World(NamedTuple):
    """The peers' programs, a key, a folder to work in, and how often to repeat."""

    tools: str
    key: samples.Key
    folder: str
    repetitions: int

    def tool(self, name: str) -> str:
        """Return a peer's path; a missing one fails the run."""
        path = shutil.which(name, path=self.tools)
        if path is None:
            raise processes.Failed(f"the peer {name} is missing")
        return path

    def environment(self) -> dict[str, str]:
        """Return the environment in which both sides find the key."""
        return environment(SOPS_AGE_KEY_FILE=self.key.file, HOME=self.folder)


class Measured(NamedTuple):
    """One line of the table: the samples of a ratio, and the bound that its median must keep."""

    name: str
    ask: str
    ratios: Sequence[float]
    """Sorted."""
    kept: bool
    note: str

    @property
    def median(self) -> float:
        """The middle sample; the lower one of two."""
        return self.ratios[(len(self.ratios) - 1) // 2]


def at_least(name: str, bound: float, ratios: Sequence[float], note: str) -> Measured:
    """Judge how many times faster we are."""
    line = Measured(name, f"≥ {bound:g} × faster", sorted(ratios), kept=True, note=note)
    return line._replace(kept=line.median >= bound)


def at_most(name: str, bound: float, unit: str, ratios: Sequence[float], note: str) -> Measured:
    """Judge how many times more we need."""
    line = Measured(name, f"≤ {bound:g} × {unit}", sorted(ratios), kept=True, note=note)
    return line._replace(kept=line.median <= bound)


def pairs(world: World, ours: Callable[[], T], theirs: Callable[[], T]) -> list[tuple[T, T]]:
    """Run both in turn, now one first and now the other, so that a busy moment of the machine meets both."""
    taken = []
    for repetition in range(world.repetitions):
        if repetition % 2:
            us = ours()
            them = theirs()
        else:
            them = theirs()
            us = ours()
        taken.append((us, them))
    return taken


def library_decrypt(world: World) -> list[Measured]:
    """Decrypt Secrets of ten values in-process, against sops' own Go package, on one core."""
    files = _secrets(world, "library-decrypt", 200)
    gosops = [world.tool("gosops"), "decrypt", "3", *files]
    ours = [sys.executable, os.path.join(HERE, "library.py"), "decrypt", "3", *files]
    taken = _timed(world, ours, gosops)
    note = f"{_best(us for us, _ in taken):.3f} ms a file, sops' package {_best(them for _, them in taken):.3f} ms"
    return [at_least("library: decrypt a Secret of 10 values", 2.5, [them / us for us, them in taken], note)]


def library_encrypt(world: World) -> list[Measured]:
    """Encrypt a Secret of ten values in-process, against sops' own Go packages, on one core."""
    text = samples.secret(0, random.Random(2))
    file = samples.write(os.path.join(world.folder, "clear.yaml"), text.encode())
    arguments = ["encrypt", "200", world.key.recipient, samples.REGEX, file]
    ours = [sys.executable, os.path.join(HERE, "library.py"), *arguments]
    taken = _timed(world, ours, [world.tool("gosops"), *arguments])
    note = f"{_best(us for us, _ in taken):.3f} ms a file, sops' packages {_best(them for _, them in taken):.3f} ms"
    return [at_least("library: encrypt the same", 1.5, [them / us for us, them in taken], note)]


def many_files(world: World) -> list[Measured]:
    """Decrypt 1,000 files by one call, against a loop of sops."""
    count = 1000
    files = _secrets(world, "many", count)
    # Plaintext belongs into memory, for both: on a disk, both also measure the disk.
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else world.folder
    output = tempfile.mkdtemp(prefix="sealpy-bench-", dir=memory)
    script = 'for file in "$@"; do "$SOPS" decrypt "$file" >"$OUTPUT/${file##*/}" || exit; done'
    loop = ["sh", "-c", script, "sh", *files]
    with_loop = world.environment() | {"SOPS": world.tool("sops"), "OUTPUT": output}

    def ours() -> float:
        shutil.rmtree(output)
        cost = processes.cost([PROGRAM, "decrypt", "--output-dir", output, *files], env=world.environment())
        assert sum(len(names) for _, _, names in os.walk(output)) == count
        return cost.seconds

    try:
        taken = pairs(world, ours, lambda: processes.cost(loop, env=with_loop).seconds)
    finally:
        shutil.rmtree(output, ignore_errors=True)
    note = f"{min(us for us, _ in taken):.2f} s, the loop {min(them for _, them in taken):.1f} s"
    return [at_least("CLI: 1,000 files in one call", 30, [them / us for us, them in taken], note)]


def one_file(world: World) -> list[Measured]:
    """Decrypt one file by one process, against sops."""
    (file,) = _secrets(world, "one", 1)

    def best(program: str) -> processes.Cost:
        runs = [processes.cost([program, "decrypt", file], env=world.environment()) for _ in range(15)]
        return processes.Cost(min(run.seconds for run in runs), max(run.memory for run in runs))

    taken = pairs(world, lambda: best(PROGRAM), lambda: best(world.tool("sops")))
    time_note = (
        f"{_best(us.seconds * 1e9 for us, _ in taken):.0f} ms, sops {_best(t.seconds * 1e9 for _, t in taken):.0f}"
    )
    memory = max(us.memory for us, _ in taken) / MIB, max(them.memory for _, them in taken) / MIB
    return [
        at_most(
            "CLI: one file, time", 3.5, "its time", [us.seconds / them.seconds for us, them in taken], f"{time_note} ms"
        ),
        at_most(
            "CLI: one file, memory",
            1,
            "its memory",
            [us.memory / them.memory for us, them in taken],
            f"{memory[0]:.0f} MiB, sops {memory[1]:.0f} MiB",
        ),
    ]


def large_file(world: World) -> list[Measured]:
    """A YAML file of 100,000 values, against one of 100: time a value must hardly grow."""
    draw = random.Random(4)
    gosops = world.tool("gosops")
    clear = {count: samples.flat(count, draw) for count in (100, 100_000)}
    sealed = {
        count: samples.write(os.path.join(world.folder, f"{count}.enc.yaml"), data)
        for count, data in zip(clear, samples.seal(gosops, world.key.recipient, clear.values(), "^key-"), strict=True)
    }
    plain = {
        count: samples.write(os.path.join(world.folder, f"{count}.yaml"), text.encode())
        for count, text in clear.items()
    }
    program = [sys.executable, os.path.join(HERE, "library.py")]

    def a_value(verb: str, count: int) -> Callable[[], float]:
        rounds = str(max(2, 20_000 // count))
        files = {
            "decrypt": ["decrypt", rounds, sealed[count]],
            "encrypt": ["encrypt", rounds, world.key.recipient, "^key-", plain[count]],
        }
        return lambda: processes.nanoseconds([*program, *files[verb]], env=world.environment()) / count

    lines = []
    for verb in ("decrypt", "encrypt"):
        taken = pairs(world, a_value(verb, 100_000), a_value(verb, 100))
        best = min(large for large, _ in taken) / 1000, min(small for _, small in taken) / 1000
        note = f"{best[0]:.1f} µs a value, of 100 values {best[1]:.1f} µs"
        lines.append(
            at_most(f"YAML of 100,000 values: {verb}", 1.5, "a value's time", [big / few for big, few in taken], note)
        )
    return lines


def diff(world: World) -> list[Measured]:
    """Review 2,000 changed files, against git with sops as its textconv."""
    count = 2000
    repository = os.path.join(world.folder, "repository")
    env = world.environment() | {"GIT_CONFIG_GLOBAL": os.path.join(world.folder, "gitconfig")}
    samples.write(env["GIT_CONFIG_GLOBAL"], b"[user]\n  name = Bench\n  email = bench@example.com\n")
    git = ["git", "-C", repository]
    for command in (
        ["git", "init", "--quiet", "--initial-branch=main", repository],
        [*git, "config", "diff.sops.textconv", f"{world.tool('sops')} decrypt"],
    ):
        processes.cost(command, env=env)
    for revision in (1, 2):
        draw = random.Random(10 + revision)
        texts = (samples.secret(number, draw) for number in range(count))
        for number, data in enumerate(samples.seal(world.tool("gosops"), world.key.recipient, texts)):
            samples.write(os.path.join(repository, f"{number}.yaml"), data)
        samples.write(os.path.join(repository, ".gitattributes"), b"*.yaml diff=sops\n")
        processes.cost([*git, "add", "."], env=env)
        processes.cost([*git, "commit", "--quiet", "-m", f"Revision {revision}"], env=env)
    ours = [PROGRAM, "diff", "--reveal", "HEAD^", "HEAD"]

    def theirs() -> processes.Cost:
        return processes.cost([*git, "diff", "--textconv", "HEAD^", "HEAD"], env=env)

    taken = pairs(world, lambda: processes.cost(ours, env=env, cwd=repository), theirs)
    started = processes.children(ours, env=env, cwd=repository, log=os.path.join(world.folder, "strace"))
    memory = max(us.memory for us, _ in taken) / MIB
    times = f"{min(us.seconds for us, _ in taken):.2f} s, git {min(them.seconds for _, them in taken):.0f} s"
    return [
        at_least("diff of 2,000 changed files", 20, [them.seconds / us.seconds for us, them in taken], times),
        Measured("… its memory", "≤ 300 MiB", [memory], memory <= 300, f"{memory:.0f} MiB"),
        Measured("… its child processes", "≤ 3", [started], started <= 3, str(started)),
    ]


def check(world: World) -> list[Measured]:
    """Check a repository of 5,000 encrypted files without a key, and five staged ones before a commit."""
    repository = os.path.join(world.folder, "repository")
    env = environment(HOME=world.folder, GIT_CONFIG_GLOBAL=os.path.join(world.folder, "gitconfig"))
    samples.write(env["GIT_CONFIG_GLOBAL"], b"[user]\n  name = Bench\n  email = bench@example.com\n")
    git = ["git", "-C", repository]
    processes.cost(["git", "init", "--quiet", "--initial-branch=main", repository], env=env)
    rules = "".join(
        f"  - path_regex: ^{name}/\n    encrypted_regex: {samples.REGEX}\n    age: {world.key.recipient}\n"
        for name in ("dev", "qa", "prod")
    )
    samples.write(os.path.join(repository, ".sops.yaml"), f"creation_rules:\n{rules}".encode())
    draw = random.Random(5)
    texts = (samples.secret(number, draw) for number in range(5005))
    for number, data in enumerate(samples.seal(world.tool("gosops"), world.key.recipient, texts)):
        folder = os.path.join(repository, ("dev", "qa", "prod")[number % 3], f"service{number // 10}")
        os.makedirs(folder, exist_ok=True)
        samples.write(os.path.join(folder, f"{number}.yaml"), data)
        if number == 4999:
            processes.cost([*git, "add", "."], env=env)
            processes.cost([*git, "commit", "--quiet", "-m", "First"], env=env)
    processes.cost([*git, "add", "."], env=env)

    def seconds(*words: str) -> list[float]:
        runs = [processes.cost([PROGRAM, *words], env=env, cwd=repository) for _ in range(world.repetitions)]
        return sorted(run.seconds for run in runs)

    whole, hook = seconds("check"), seconds("hook", "pre-commit")
    middle = (len(whole) - 1) // 2
    return [
        Measured("check of 5,000 files, no key", "≤ 2.5 s", whole, whole[middle] <= 2.5, f"{whole[0]:.2f} s at best"),
        Measured("hook on 5 staged files", "≤ 0.3 s", hook, hook[middle] <= 0.3, f"{hook[0] * 1000:.0f} ms at best"),
    ]


def grant(world: World) -> list[Measured]:
    """Let somebody into an environment of 1,000 files, against a loop of sops; its rule names them already."""
    count = 1000
    newcomer = samples.make_key(world.tool("age-keygen"), _folder(world, "newcomer")).recipient
    draw = random.Random(6)
    texts = (samples.secret(number, draw) for number in range(count))
    sealed = list(samples.seal(world.tool("gosops"), world.key.recipient, texts))
    top = _folder(world, "granted")
    names = [os.path.join(_folder(world, "granted", "prod"), f"{number}.yaml") for number in range(count)]
    loop = ["sh", "-c", 'for file in "$@"; do "$SOPS" updatekeys -y "$file" || exit; done', "sh", *names]
    with_loop = world.environment() | {"SOPS": world.tool("sops")}

    def begin(recipients: str) -> None:
        for name, data in zip(names, sealed, strict=True):
            samples.write(name, data)
        rule = f"creation_rules:\n  - path_regex: ^prod/\n    age: {recipients}\n"
        samples.write(os.path.join(top, ".sops.yaml"), rule.encode())
        samples.write(os.path.join(top, ".sealpy.yaml"), b"version: 1\n")
        os.sync()  # sealpy waits for the disk, and should not wait for what was written here

    def check() -> None:
        for name in names:
            with open(name, encoding="utf-8") as file:
                assert newcomer in file.read(), name

    def ours() -> float:
        begin(world.key.recipient)
        command = [PROGRAM, "grant", "prod", newcomer, "--name", "newcomer"]
        cost = processes.cost(command, env=world.environment(), cwd=top)
        check()
        return cost.seconds

    def theirs() -> float:
        begin(f"{world.key.recipient},{newcomer}")
        cost = processes.cost(loop, env=with_loop, cwd=top)
        check()
        return cost.seconds

    taken = pairs(world, ours, theirs)
    note = f"{min(us for us, _ in taken):.2f} s, the loop {min(them for _, them in taken):.1f} s"
    return [at_least("grant over 1,000 files", 10, [them / us for us, them in taken], note)]


ROWS: dict[str, Callable[[World], list[Measured]]] = {
    "library-decrypt": library_decrypt,
    "library-encrypt": library_encrypt,
    "many-files": many_files,
    "one-file": one_file,
    "large-file": large_file,
    "diff": diff,
    "check": check,
    "grant": grant,
}


def _folder(world: World, *names: str) -> str:
    path = os.path.join(world.folder, *names)
    os.makedirs(path, exist_ok=True)
    return path


def _secrets(world: World, name: str, count: int) -> list[str]:
    folder = os.path.join(world.folder, name)
    os.makedirs(folder)
    draw = random.Random(1)
    texts = (samples.secret(number, draw) for number in range(count))
    sealed = samples.seal(world.tool("gosops"), world.key.recipient, texts)
    return [samples.write(os.path.join(folder, f"{number}.yaml"), data) for number, data in enumerate(sealed)]


def _timed(world: World, ours: Sequence[str], theirs: Sequence[str]) -> list[tuple[float, float]]:
    env = world.environment()
    return pairs(world, lambda: processes.nanoseconds(ours, env=env), lambda: processes.nanoseconds(theirs, env=env))


def _best(nanoseconds: Iterable[float]) -> float:
    """Return the best of them, in milliseconds."""
    return min(nanoseconds) / 1e6
