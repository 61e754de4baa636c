"""Secrets don't leak: not in errors, logs, output, command lines or files that nobody asked for."""

import json
import logging
import os
import random
import warnings
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import quote

import pytest

import sealpy
from sealpy import data, library, operations, registry
from sealpy.document import Document
from sealpy.errors import ParseError, SealpyError
from sealpy.formats import json_scan
from sealpy.keyring import Keyring
from sealpy.secret import Secret
from sealpy.selection import DEFAULT
from tests.conftest import AgeKey
from tests.security.canary import Leak, Search, chain, draw, heard, tree
from tests.security.samples import TEMPLATES, Sample, malformed, samples, spoilt
from tests.seed import SEED

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

Step = Callable[[], object]


class Audit:
    """Runs steps that may fail, and looks at what they leave behind."""

    def __init__(self, canaries: dict[str, str | bytes], folders: list[Path]) -> None:
        self.search = Search(canaries)
        self.folders = folders
        self.failures = 0
        self.names: set[str] = set()

    def run(self, what: str, *steps: Step) -> None:
        before = tree(self.folders)
        with heard() as said:
            for number, step in enumerate(steps):
                self._run(f"{what}, step {number}", step)
        self.search.refuse(f"{what}, log", "\n".join(said))
        after = tree(self.folders)
        if after != before:
            raise Leak(f"{what}: files were written: {sorted(after.keys() ^ before.keys())}")

    def _run(self, what: str, step: Step) -> None:
        try:
            step()
        except SealpyError as error:
            self.failures += 1
            self.names.add(type(error).__name__)
            self.search.refuse_error(error)
            foreign = [type(one).__name__ for one in chain(error) if not isinstance(one, SealpyError)]
            if foreign or error.__cause__ is not None:
                raise Leak(f"{what}: {type(error).__name__} carries {foreign or 'a cause'}") from None
        except Exception as error:  # noqa: BLE001 - a foreign one is a fault whatever it is
            raise Leak(f"{what}: a foreign {type(error).__name__}") from None


def plan(key: AgeKey, fmt: str) -> operations.Plan:
    return operations.Plan([[("age", key.recipient)]], None if fmt == "binary" else DEFAULT)


def seal(sample: Sample, key: AgeKey, keyring: Keyring) -> bytes:
    fmt = registry.format_named(sample.format)
    return operations.encrypt(sample.clear, fmt, plan(key, sample.format), keyring, now=NOW)


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Make folders for the home, temporary files and the work, and go there."""
    made = [tmp_path / name for name in ("home", "tmp", "work")]
    for folder in made:
        folder.mkdir()
    monkeypatch.setenv("HOME", str(made[0]))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(made[0] / ".config"))
    monkeypatch.setenv("TMPDIR", str(made[1]))
    monkeypatch.chdir(made[2])
    return made


def uses(content: bytes, fmt_name: str, keyring: Keyring, keys: library.Keys) -> Iterator[Step]:
    """Give everything that can be done with a sealed file."""
    fmt = registry.format_named(fmt_name)
    path = ("section", "plain") if fmt_name == "ini" else ("plain",)

    def change(work: Callable[[operations.Opened], object]) -> Step:
        return lambda: work(operations.open_document(content, fmt, keyring))

    yield lambda: operations.scan_sealed(content, fmt)
    yield lambda: operations.open_unverified(content, fmt, keyring)
    yield lambda: operations.decrypt(content, fmt, keyring)
    yield lambda: sealpy.decrypt(content, format=fmt_name, keys=keys)
    yield lambda: sealpy.inspect(content, format=fmt_name)
    yield change(lambda opened: operations.set_value(opened, fmt, path, "new", now=NOW))
    yield change(lambda opened: operations.set_value(opened, fmt, (*path, 7, "x"), {"a": [1]}, now=NOW))
    yield change(lambda opened: operations.unset_value(opened, fmt, path, now=NOW))
    yield change(lambda opened: operations.unset_value(opened, fmt, ("no", "such"), now=NOW))
    yield change(lambda opened: operations.rotate(opened, fmt, keyring, now=NOW))
    yield change(
        lambda opened: operations.rotate(
            opened,
            fmt,
            keyring,
            now=NOW,
            groups=operations.changed_groups(opened.metadata, add=[("age", "age1nonsense")]),
        )
    )
    yield change(
        lambda opened: operations.changed_groups(opened.metadata, remove=operations.key_names(opened.metadata)[0])
    )
    yield change(
        lambda opened: operations.rotate(
            opened, fmt, keyring, now=NOW, groups=operations.key_names(opened.metadata) * 3
        )
    )
    yield change(lambda opened: operations.update_keys(opened, fmt, keyring, [[("pgp", "0" * 40)]]))
    yield change(lambda opened: data.documents(opened.leaves, opened.document.documents))


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_spoilt_sealed_file_leaks_nothing(
    name: str, own_key: AgeKey, keyring: Keyring, folders: list[Path], capfd: pytest.CaptureFixture[str]
) -> None:
    sample = samples()[name]
    sealed = seal(sample, own_key, keyring)
    data_key = operations.open_document(sealed, registry.format_named(sample.format), keyring).data_key.expose()
    audit = Audit({**sample.canaries, "identity": own_key.identity, "data key": data_key}, folders)
    keys = library.Keys(keyring)
    audit.search.refuse("the sealed file", sealed)

    for fault, content in spoilt(sealed, random.Random(SEED)):
        audit.run(fault, *uses(content, sample.format, keyring, keys))
    for other in registry.format_names:
        if other != sample.format:
            audit.run(f"read as {other}", *uses(sealed, other, keyring, keys))
    nobody = library.Keys.of()
    stranger = library.Keys.of("AGE-SECRET-KEY-1QQQ", own_key.identity[:-1])
    audit.run("without a key", *uses(sealed, sample.format, nobody.keyring, nobody))
    audit.run("with a mistyped key", *uses(sealed, sample.format, stranger.keyring, stranger))

    assert audit.failures > 500
    assert {"ParseError", "MacMismatch", "InvalidEncryptedValue", "DataKeyUnavailable"} <= audit.names
    assert capfd.readouterr() == ("", "")


def audit_clear(name: str, key: AgeKey, keyring: Keyring, folders: list[Path]) -> Audit:
    """Seal a sample, spoilt in many ways, and edit a sealed file into it."""
    sample = samples()[name]
    fmt = registry.format_named(sample.format)
    canary = draw()
    opened = operations.open_document(seal(sample, key, keyring), fmt, keyring)
    audit = Audit({**sample.canaries, "the faulty line": canary, "identity": key.identity}, folders)
    as_written = {sample.clear, *malformed(sample.format, canary)}

    def writes(content: bytes) -> Iterator[Step]:
        for other in registry.format_names if content in as_written else (sample.format,):
            there = registry.format_named(other)
            yield partial(operations.encrypt, content, there, plan(key, other), keyring, now=NOW)
        yield lambda: sealpy.encrypt(content, recipients=[key.recipient], format=sample.format)
        yield lambda: sealpy.encrypt(text_of(content), recipients=["age1x"], format=sample.format)
        yield lambda: operations.edit(opened, fmt, Secret(content), now=NOW)
        yield lambda: operations.open_document(content, fmt, keyring)
        yield lambda: sealpy.inspect(content, format=sample.format)

    for content in sorted(as_written):
        audit.run(repr(content.replace(canary.encode(), b"{c}")), *writes(content))
    for fault, content in spoilt(sample.clear, random.Random(SEED)):
        audit.run(fault, *writes(content))
    return audit


def text_of(content: bytes) -> str:
    """Return bytes as a careless caller's text, which may hold halves of surrogate pairs."""
    try:
        return content.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return content.decode("utf-8", "surrogateescape")


@pytest.mark.parametrize("name", TEMPLATES)
def test_spoilt_clear_text_leaks_nothing(
    name: str, own_key: AgeKey, keyring: Keyring, folders: list[Path], capfd: pytest.CaptureFixture[str]
) -> None:
    audit = audit_clear(name, own_key, keyring, folders)

    assert audit.failures > 100
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", TEMPLATES)
def test_nothing_of_a_clear_file_survives_in_the_sealed_one(name: str, own_key: AgeKey, keyring: Keyring) -> None:
    sample = samples()[name]
    search = Search({**sample.canaries, "identity": own_key.identity})

    search.refuse("sealed", seal(sample, own_key, keyring))
    search.refuse(
        "sealed by the library", sealpy.encrypt(sample.clear, recipients=[own_key.recipient], format=sample.format)
    )

    assert len(search.found(sample.clear)) > len(sample.canaries)


# -- the test of the test ---------------------------------------------------------------------------------------------


def in_the_message(text: str) -> None:
    raise ParseError(f"a fault near {text[:200]!r}")


def in_the_hint_in_base64(text: str) -> None:
    raise ParseError("a fault", hint=b64encode(text.encode("utf-8", "replace")).decode())


def in_hexadecimal(text: str) -> None:
    raise ParseError(f"a fault in {text.encode('utf-8', 'replace').hex()}")


def in_an_attribute(text: str) -> None:
    error = ParseError("a fault")
    error.path = text
    raise error


def in_a_note(text: str) -> None:
    error = ParseError("a fault")
    error.add_note(text)
    raise error


def in_the_context(text: str) -> None:
    try:
        json.loads(text + "x")
    except ValueError:
        raise ParseError("a fault")  # noqa: B904


def in_a_hidden_context(text: str) -> None:
    try:
        json.loads(text + "x")
    except ValueError:
        raise ParseError("a fault") from None


def in_a_foreign_error(text: str) -> None:
    raise KeyError(text)


def in_the_log(text: str) -> None:
    logging.getLogger("sealpy").debug("scanning %s", text)
    raise ParseError("a fault")


def in_a_warning(text: str) -> None:
    warnings.warn(text, stacklevel=1)


def in_a_file(text: str) -> None:
    Path("left behind").write_text(text, "utf-8", "replace")


def in_a_file_that_is_gone(text: str) -> None:
    path = Path(os.environ["TMPDIR"], "gone")
    path.write_text(text, "utf-8", "replace")
    path.unlink()


PLANTS = (
    in_the_message, in_the_hint_in_base64, in_hexadecimal, in_an_attribute, in_a_note, in_the_context, in_a_hidden_context,
    in_a_foreign_error, in_the_log, in_a_warning, in_a_file, in_a_file_that_is_gone,
)  # fmt: skip


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.__name__)
def test_a_planted_leak_is_found(
    plant: Callable[[str], None],
    own_key: AgeKey,
    keyring: Keyring,
    folders: list[Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scan = json_scan.scan

    def leaky(text: str, name: str) -> Document:
        try:
            return scan(text, name)
        except SealpyError:
            pass
        plant(text)
        raise ParseError("a fault")

    # json.py has the name for itself.
    monkeypatch.setattr("sealpy.formats.json.scan", leaky)

    with pytest.raises(Leak):
        audit_clear("json", own_key, keyring, folders)


@pytest.mark.parametrize("secret", ["Canary0123456789abcdefXYZ", b"\x00\xff\x10data key of 32 bytes..\x80\x90"])
def test_a_secret_is_found_in_every_form(secret: str | bytes) -> None:
    search = Search({"secret": secret})
    content = secret.encode() if isinstance(secret, str) else secret

    for around in range(3):
        assert search.found(b64encode(b"a" * around + content + b"b"))
        assert search.found(urlsafe_b64encode(b"a" * around + content + b"b"))
    assert search.found(content.hex())
    assert search.found(content.hex().upper())
    assert search.found(repr(content))
    assert search.found(quote(content))
    assert search.found(json.dumps(content.decode("latin-1")))
    assert search.found(content[: len(content) // 2 + 1])
    assert not search.found(b"Canary" + bytes(100))
