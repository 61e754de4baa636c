"""What ``import sealpy`` promises where docs/library.md has no example of it."""

from pathlib import Path

import pytest

import sealpy
from sealpy.errors import RuleError
from tests.conftest import AgeKey

SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: web}\nstringData: {PORT: 5432}\n"


def test_a_text_is_not_sealed_for_nobody() -> None:
    with pytest.raises(RuleError, match="no recipient"):
        sealpy.encrypt("a: secret\n", recipients=[])


def test_an_edit_that_changes_nothing_gives_the_same_text_back(age_key: AgeKey) -> None:
    keys = sealpy.Keys.of(age_key.identity)
    sealed = sealpy.encrypt("a: secret\n", recipients=[age_key.recipient])

    assert sealpy.edit(sealed, lambda clear: clear, keys=keys) == sealed


def test_an_edit_changes_the_value_and_nothing_else(age_key: AgeKey) -> None:
    keys = sealpy.Keys.of(age_key.identity)
    sealed = sealpy.encrypt("a: one\nb: two\n", recipients=[age_key.recipient])

    edited = sealpy.edit(sealed, lambda clear: clear.replace("two", "three"), keys=keys)

    assert sealpy.decrypt(edited, keys=keys) == "a: one\nb: three\n"
    assert edited.splitlines()[0] == sealed.splitlines()[0]


def test_a_secret_that_no_cluster_would_take_is_named_with_its_file(tmp_path: Path, age_key: AgeKey) -> None:
    path = tmp_path / "web.yaml"
    path.write_text(sealpy.encrypt(SECRET, recipients=[age_key.recipient]))

    with pytest.raises(sealpy.DocumentError, match=r"web\.yaml: stringData\.PORT of Secret web is a number"):
        sealpy.load_secret(path, keys=sealpy.Keys.of(age_key.identity))
