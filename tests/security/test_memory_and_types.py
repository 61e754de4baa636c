"""What holds secrets shows nothing, importing changes nothing, and keys may be shared by threads and processes."""

import contextlib
import copy
import json
import os
import pickle
import pprint
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import sealpy
from sealpy import data, kubernetes, library, operations, registry
from sealpy.changeset import redact
from sealpy.cipher import Cipher
from sealpy.comparison import Opener
from sealpy.errors import PathNotFound, SealpyError
from sealpy.identities import Identities
from sealpy.keyring import Keyring
from sealpy.redaction import RevealedValue
from sealpy.secret import DataKey, KeyPart, Secret
from sealpy_cli.render.text import TextRenderer
from sealpy_cli.repo import snapshots
from tests import places
from tests.conftest import AgeKey
from tests.security.canary import Search, draw
from tests.security.samples import TEMPLATES, Sample, samples
from tests.security.test_canary import seal

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


# -- types --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [Secret, KeyPart, lambda content: RevealedValue("str", Secret(content))])
def test_a_secret_shows_nothing(make: Callable[[bytes], Any]) -> None:
    canary = draw()
    search = Search({"secret": canary})
    there = make(canary.encode())

    for shown in (repr(there), str(there), f"{there}", f"{there!r:>90}", ascii([there]), pprint.pformat({1: there})):
        search.refuse("shown", shown)
    with pytest.raises(TypeError) as caught:
        json.dumps(there)
    search.refuse_error(caught.value)


@pytest.mark.parametrize("there", [Secret("text"), DataKey.generate(), KeyPart(bytes(33))])
def test_a_secret_cannot_be_copied_pickled_or_hashed(there: Secret[Any]) -> None:
    for refuses in (copy.copy, copy.deepcopy, pickle.dumps, hash, lambda one: copy.copy([one, one])[0].__reduce__()):
        with pytest.raises(TypeError) as caught:
            refuses(there)
        Search({"secret": "text"}).refuse_error(type(caught.value)(str(caught.value)))


def test_what_holds_keys_shows_nothing_and_is_not_pickled(own_key: AgeKey, keyring: Keyring) -> None:
    sample = samples()["a Secret"]
    opened = operations.open_document(seal(sample, own_key, keyring), registry.format_named("yaml"), keyring)
    keys = library.Keys(keyring)
    search = Search({"identity": own_key.identity, "data key": opened.data_key.expose(), **sample.canaries})
    holders = [
        keyring,
        keys,
        opened,
        opened.document,
        opened.data_key,
        Cipher(opened.data_key),
        opened.metadata,
        *opened.leaves,
    ]
    identities = Identities({"SOPS_AGE_KEY": own_key.identity}, home=os.devnull)
    holders += [identities, *identities.at_hand(), identities.text_of(own_key.recipient), *identities.attempts()]

    for holder in holders:
        search.refuse(type(holder).__name__, f"{holder!r} {holder} {pprint.pformat(holder)}")
    for holder in (
        keyring,
        keys,
        opened,
        opened.data_key,
        identities.text_of(own_key.recipient),
        *identities.at_hand(),
    ):
        for refuses in (pickle.dumps, copy.deepcopy):
            with pytest.raises((TypeError, AttributeError, pickle.PicklingError)):
                refuses(holder)


class Shown:
    """Looks at all objects of ours that any function holds when it returns."""

    def __init__(self, search: Search) -> None:
        self.search = search
        self.seen: set[str] = set()
        self.leaks: set[str] = set()

    def __call__(self, frame: FrameType, event: str, result: object) -> None:
        if event != "return":
            return
        for held in (result, *frame.f_locals.values()):
            for one in held[:20] if isinstance(held, list | tuple) else (held,):
                kind = type(one)
                if kind.__module__.startswith("sealpy") and not isinstance(one, SealpyError | type):
                    self.look(one, f"{kind.__module__}.{kind.__qualname__}")

    def look(self, one: object, name: str) -> None:
        self.seen.add(name)
        try:
            shown = repr(one)
        except AttributeError:
            return  # still being made
        if self.search.found(shown):
            self.leaks.add(name)


def work(sample: Sample, key: AgeKey, keyring: Keyring, folder: Path) -> None:
    """Do with a file what the library and the review do."""
    fmt = registry.format_named(sample.format)
    sealed = seal(sample, key, keyring)
    opened = operations.open_document(sealed, fmt, keyring)
    clear = operations.clear_text(opened, fmt)
    operations.edit(opened, fmt, Secret(clear.expose() + b"\n"), now=NOW)
    operations.rotate(opened, fmt, keyring, now=NOW)
    path = {"ini": ("section", "plain"), "binary": ("data",)}.get(sample.format, ("plain",))
    other = operations.set_value(opened, fmt, path, "new", now=NOW)
    with contextlib.suppress(PathNotFound):
        operations.unset_value(opened, fmt, path, now=NOW)
    data.documents(opened.leaves, opened.document.documents)
    for manifest in kubernetes.manifests(opened.leaves):
        kubernetes.effective(opened.leaves, manifest)
    places_ = [folder / f"{name}{sample.suffix}" for name in ("old", "new", "clear")]
    for place, content in zip(places_, (sealed, other, sample.clear), strict=True):
        place.write_bytes(content)
    opener = Opener(keyring.open, registry.format_for)
    for old, new in ((places_[0], places_[1]), (places_[0], places_[2])):
        hidden = redact(snapshots.of_files(str(old), str(new), opener))
        list(TextRenderer(colour=False, remarks=[]).render(hidden))


@pytest.mark.parametrize("name", TEMPLATES)
def test_no_object_of_ours_shows_a_value_in_its_representation(
    name: str, own_key: AgeKey, keyring: Keyring, tmp_path: Path
) -> None:
    # Debuggers, test runners and crash reporters print the representations of local variables.
    sample = samples()[name]
    shown = Shown(Search({**sample.canaries, "identity": own_key.identity}))

    sys.setprofile(shown)
    try:
        work(sample, own_key, keyring, tmp_path)
    finally:
        sys.setprofile(None)

    assert {
        "sealpy.document.Leaf",
        "sealpy.document.Edit",
        "sealpy.sealing.Opened",
        "sealpy.secret.Secret",
    } <= shown.seen
    assert shown.leaks == set()


def test_an_object_that_shows_a_value_is_found(
    own_key: AgeKey, keyring: Keyring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = samples()["json"]
    shown = Shown(Search(sample.canaries))
    monkeypatch.setattr("sealpy.document.Leaf.__repr__", tuple.__repr__)

    sys.setprofile(shown)
    try:
        work(sample, own_key, keyring, tmp_path)
    finally:
        sys.setprofile(None)

    assert shown.leaks >= {"sealpy.document.Leaf"}


# -- imports ------------------------------------------------------------------------------------------------------------

STATE = """
import atexit, gc, json, locale, os, resource, signal, sys, threading, warnings
def state():
    return [
        [str(signal.getsignal(number)) for number in signal.valid_signals()],
        sys.excepthook is sys.__excepthook__, sys.unraisablehook is sys.__unraisablehook__, threading.excepthook is threading.__excepthook__,
        sys.displayhook is sys.__displayhook__, sys.breakpointhook is sys.__breakpointhook__, sys.gettrace(), sys.getprofile(),
        [resource.getrlimit(getattr(resource, name)) for name in dir(resource) if name.startswith("RLIMIT")],
        os.umask(os.umask(0o77) and 0o77 or 0o22), os.getcwd(), dict(os.environ), sys.path, sys.getrecursionlimit(), gc.isenabled(),
        gc.get_threshold(), threading.active_count(), locale.setlocale(locale.LC_ALL), [str(one) for one in warnings.filters],
        sys.getswitchinterval(), len(sys.meta_path), sorted(os.listdir("/proc/self/fd")), atexit._ncallbacks(),
    ]
"""
FAR = {"click", "kubernetes", "keyring", "boto3", "dataclasses", "inspect", "subprocess", "tempfile", "logging", "asyncio",
       "argparse", "pathlib", "re2", "importlib.metadata", "requests", "urllib.request", "socket", "ssl", "sealpy_cli",
       "sealpy_controller"}  # fmt: skip


def python(script: str, *arguments: str | Path, **env: str) -> Any:
    """Run a script in a Python of its own, and return the JSON that it prints."""
    ended = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", script, *map(str, arguments)],
        cwd=places.ROOT,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    return json.loads(ended.stdout)


def test_importing_sealpy_imports_next_to_nothing() -> None:
    before, after = python(
        "import json, sys\nold = sorted(sys.modules)\nimport sealpy\nprint(json.dumps([old, sorted(sys.modules)]))"
    )

    added = {name for name in after if name not in before}
    assert {"sealpy"} <= added
    assert {name.partition(".")[0] for name in added} & {
        *FAR,
        "yaml",
        "cryptography",
        "pyrage",
        "_cffi_backend",
    } == set()


def test_loading_a_file_imports_no_more_than_it_needs(own_key: AgeKey, keyring: Keyring, tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(seal(samples()["a Secret"], own_key, keyring))
    script = (
        "import json, sys\nold = set(sys.modules)\nimport sealpy\n"
        "there = sealpy.load_secret(sys.argv[1])\nprint(json.dumps([sorted(set(sys.modules) - old), list(there)]))"
    )

    added, there = python(script, path, SOPS_AGE_KEY=own_key.identity)

    assert there == ["password", "url"]
    assert {"sealpy", "yaml", "pyrage"} <= set(added)
    assert set(added) & FAR == set()


def test_importing_and_loading_change_nothing_in_the_process(own_key: AgeKey, keyring: Keyring, tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(seal(samples()["a Secret"], own_key, keyring))
    script = (
        f"{STATE}\nimport cryptography.exceptions\nbefore = state()\nimport sealpy, sealpy.library\nbetween = state()\n"
        "sealpy.load(sys.argv[1])\nprint(json.dumps([before, between, state()], default=str))"
    )

    before, between, after = python(script, path, SOPS_AGE_KEY=own_key.identity)

    assert between == before
    assert after == before


# -- threads and forks ---------------------------------------------------------------------------------------------------


@pytest.fixture
def many(tmp_path: Path, own_key: AgeKey, keyring: Keyring) -> list[Path]:
    """Seal two hundred files, each with a value of its own."""
    paths = []
    for number in range(200):
        path = tmp_path / f"{number}.yaml"
        text = sealpy.encrypt(f"number: {number}\nsecret: s{number}\n", recipients=[own_key.recipient])
        path.write_text(text)
        paths.append(path)
    return paths


def test_threads_share_keys(many: list[Path], own_key: AgeKey, tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    command = tmp_path / "give"
    command.write_text(f'#!/bin/sh\necho "$SOPS_AGE_RECIPIENT" >> "{asked}"\nsleep 0.1\necho {own_key.identity}\n')
    command.chmod(0o700)
    keys = library.Keys.from_environment({"SOPS_AGE_KEY_CMD": str(command), "HOME": os.devnull})

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda path: sealpy.load(path, keys=keys), many))

    assert found == [{"number": number, "secret": f"s{number}"} for number in range(200)]
    # The program may want a touch of a hardware key: it runs once.
    assert asked.read_text().split() == [own_key.recipient]


FORKING = """
import json, os, sys, threading
import sealpy
keys = sealpy.Keys.from_environment()
paths = sys.argv[1:]
done = threading.Event()
def busy():
    while not done.is_set():
        for path in paths:
            sealpy.load(path, keys=keys)
        # Also what is not remembered yet: new keys take their locks.
        sealpy.load(paths[0], keys=sealpy.Keys.from_environment())
# What another thread imports in the moment of a fork stays locked in the child, whosoever module it is.
sealpy.load(paths[0], keys=keys)
threads = [threading.Thread(target=busy) for _ in range(2)]
for thread in threads:
    thread.start()
codes = []
for _ in range(20):
    child = os.fork()
    if not child:
        try:
            ok = all(sealpy.load(path, keys=keys)["number"] == int(os.path.basename(path)[:-5]) for path in paths)
            os._exit(0 if ok else 3)
        except BaseException:
            os._exit(4)
    codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
done.set()
for thread in threads:
    thread.join()
print(json.dumps(codes))
"""


def test_forked_processes_share_keys(many: list[Path], own_key: AgeKey) -> None:
    assert python(FORKING, *many[:20], SOPS_AGE_KEY=own_key.identity) == [0] * 20


def test_a_spawned_process_needs_keys_of_its_own(own_key: AgeKey) -> None:
    with pytest.raises((TypeError, AttributeError, pickle.PicklingError)):
        pickle.dumps(library.Keys.of(own_key.identity))
