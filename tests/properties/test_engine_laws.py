"""What holds for every document: nothing moves but what was meant to."""

import os
from datetime import UTC, datetime
from random import Random

import pyrage
import pytest
from hypothesis import HealthCheck, assume, given, seed, settings
from hypothesis import strategies as st

from sealpy import data, operations, registry
from sealpy.document import Document, splice
from sealpy.errors import DocumentError, IntegrityError, SealpyError
from sealpy.identities import Identities
from sealpy.keyring import Keyring
from sealpy.secret import Secret
from sealpy.selection import DEFAULT, Selection
from tests.seed import SEED
from tests.strategies.yaml_text import yaml_documents

IDENTITY = pyrage.x25519.Identity.generate()
RECIPIENT = str(IDENTITY.to_public())
KEYRING = Keyring(registry.backends(Identities({"SOPS_AGE_KEY": str(IDENTITY)}, home=os.devnull)))
YAML = registry.format_named("yaml")
THEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
NOW = datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC)
LAWS = settings(max_examples=120, deadline=None, database=None, suppress_health_check=list(HealthCheck))


def sealed(text: str) -> bytes:
    plan = operations.Plan([[("age", RECIPIENT)]], DEFAULT)
    try:
        return operations.encrypt(text.encode(), YAML, plan, KEYRING, now=THEN, allow_clear=True)
    except SealpyError:
        assume(False)
        raise


def outside(document: Document) -> str:
    """The text without its leaves and metadata."""
    spans = [(leaf.start, leaf.end) for leaf in document.leaves]
    spans += [(block.start, block.end) for block in document.blocks]
    text = document.text
    for start, end in sorted(spans, reverse=True):
        text = text[:start] + text[end:]
    return text


def changed_lines(before: bytes, after: bytes) -> list[str]:
    old, new = before.decode().split("\n"), after.decode().split("\n")
    assert len(old) == len(new)
    return [there.strip() for here, there in zip(old, new, strict=True) if here != there]


@seed(SEED)
@LAWS
@given(text=yaml_documents())
def test_scanning_and_splicing_nothing_is_the_identity(text: str) -> None:
    try:
        document = YAML.scan(text)
    except DocumentError:
        assume(False)
    assert splice(document.text, []) == text
    for leaf in document.leaves:
        assert 0 <= leaf.start <= leaf.end <= len(text)


@seed(SEED)
@LAWS
@given(text=yaml_documents(tidy=True))
def test_sealing_changes_nothing_outside_the_leaves(text: str) -> None:
    clear = YAML.scan(text)
    opened = YAML.scan(sealed(text).decode())

    assert outside(opened).rstrip("\r\n") == outside(clear).rstrip("\r\n")


@seed(SEED)
@LAWS
@given(text=yaml_documents())
def test_an_edit_that_changes_nothing_changes_only_time_and_mac(text: str) -> None:
    before = sealed(text)
    opened = operations.open_document(before, YAML, KEYRING)

    after = operations.edit(opened, YAML, operations.clear_text(opened, YAML), now=NOW)

    changed = changed_lines(before, after)
    assert changed
    assert all(line.startswith(("lastmodified:", "mac:", "{")) for line in changed)


@seed(SEED)
@LAWS
@given(text=yaml_documents(), pick=st.integers(0, 2**32))
def test_setting_one_value_changes_that_value_alone(text: str, pick: int) -> None:
    before = sealed(text)
    opened = operations.open_document(before, YAML, KEYRING)
    scalars = [leaf for leaf in opened.leaves if leaf.document == 0 and leaf.kind == "str" and "\n" not in leaf.content]
    assume(scalars)
    leaf = Random(pick).choice(scalars)

    after = operations.set_value(opened, YAML, leaf.path, "a new value", now=NOW)

    again = operations.open_document(after, YAML, KEYRING)
    expected = [
        "a new value" if item.start == leaf.start and item.kind != "comment" else item.content for item in opened.leaves
    ]
    assert [item.content for item in again.leaves] == expected
    kept = {old.content for old in opened.document.leaves if old.start != leaf.start}
    assert kept <= {new.content for new in again.document.leaves} | {leaf.content}


@seed(SEED)
@LAWS
@given(text=yaml_documents())
def test_rotating_seals_every_value_anew_and_keeps_them_all(text: str) -> None:
    before = sealed(text)
    opened = operations.open_document(before, YAML, KEYRING)

    after = operations.open_document(operations.rotate(opened, YAML, KEYRING, now=NOW), YAML, KEYRING)

    assert [(leaf.path, leaf.kind, leaf.content) for leaf in after.leaves] == [
        (leaf.path, leaf.kind, leaf.content) for leaf in opened.leaves
    ]
    assert outside(after.document) == outside(opened.document)
    for old, new, was_sealed in zip(opened.document.leaves, after.document.leaves, opened.sealed, strict=True):
        assert (old.content != new.content) == was_sealed
    assert after.data_key != opened.data_key


@seed(SEED)
@LAWS
@given(text=yaml_documents())
def test_other_recipients_change_only_the_metadata(text: str) -> None:
    opened = operations.open_document(sealed(text), YAML, KEYRING)
    other = str(pyrage.x25519.Identity.generate().to_public())

    after = operations.update_keys(opened, YAML, KEYRING, [[("age", RECIPIENT), ("age", other)]])

    document = YAML.scan(after.decode())
    assert outside(document) == outside(opened.document)
    assert [leaf.content for leaf in document.leaves] == [leaf.content for leaf in opened.document.leaves]
    again = operations.open_document(after, YAML, KEYRING)
    assert [key.label for key in again.metadata.master_keys()] == [RECIPIENT, other]
    assert again.metadata.last_modified == opened.metadata.last_modified


@seed(SEED)
@LAWS
@given(text=yaml_documents(), where=st.integers(0, 2**32), flip=st.integers(1, 127))
def test_a_damaged_file_is_refused_or_means_what_it_meant(text: str, where: int, flip: int) -> None:
    before = sealed(text)
    opened = operations.open_document(before, YAML, KEYRING)
    values = [leaf for leaf in opened.document.leaves if leaf.content.startswith("ENC[") and leaf.kind != "comment"]
    assume(values)
    leaf = Random(where).choice(values)
    characters = before.decode()
    at = characters.index("data:", leaf.start) + 5 + where % 8
    damaged = characters[:at] + chr(33 + (ord(characters[at]) + flip) % 90) + characters[at + 1 :]
    assume(damaged != characters)

    fault: SealpyError | None = None
    try:
        again = operations.open_document(damaged.encode(), YAML, KEYRING)
    except (IntegrityError, DocumentError) as error:
        fault = error
    if fault is not None:
        assert fault.__cause__ is fault.__context__ is None
    else:
        assert data.documents(again.leaves, again.document.documents) == data.documents(
            opened.leaves, opened.document.documents
        )


def test_an_edited_clear_value_is_refused() -> None:
    plan = operations.Plan([[("age", RECIPIENT)]], Selection("encrypted_regex", "^secret$"))
    text = operations.encrypt(b"public: one\nsecret: two\n", YAML, plan, KEYRING, now=THEN)

    with pytest.raises(IntegrityError):
        operations.open_document(text.replace(b"public: one", b"public: ono"), YAML, KEYRING)


def test_the_second_of_two_edits_knows_the_first() -> None:
    first = operations.open_document(sealed("a: one\nb: two\n"), YAML, KEYRING)
    changed = operations.edit(first, YAML, Secret(b"a: one\nb: three\n"), now=NOW)
    second = operations.open_document(changed, YAML, KEYRING)

    final = operations.edit(second, YAML, Secret(b"a: four\nb: three\n"), now=NOW)

    assert operations.decrypt(final, YAML, KEYRING).expose() == b"a: four\nb: three\n"
