"""A file that was edited without its key: what ``decrypt`` says of it, and how ``reseal`` mends it."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.repository import SECRET, Repository
from tests.conftest import AgeKey

Tool = Callable[[str], str]

FILE = "envs/prod/secrets.yaml"


@pytest.fixture
def repository(tmp_path: Path, tool: Tool, age_key: AgeKey, other_key: AgeKey) -> Repository:
    """Return a repository with a committed Secret that the real sops sealed under a full MAC."""
    keys = {
        "prod": (age_key.identity, age_key.recipient),
        "other": (other_key.identity, other_key.recipient),
    }
    repository = Repository(tmp_path / "work", tmp_path, tool("sops"), keys)
    repository.add(FILE, SECRET.format(name="db", password="hunter2"))
    repository.commit()
    return repository


@pytest.fixture
def edited(repository: Repository) -> Repository:
    """Return the same, after ``sed`` went over the name of the object."""
    repository.replace(FILE, "name: db", "name: cache")
    return repository


class TestDecrypt:
    def test_it_names_the_field_that_was_edited_and_the_way_out(self, edited: Repository) -> None:
        commit = edited.plain.git("rev-parse", "HEAD")

        ended = edited.sealpy("decrypt", FILE)

        assert (ended.code, ended.out) == (51, "")
        assert ended.err == (
            f"sealpy: {FILE}: the MAC does not match the values: metadata.name was edited without the key\n"
            f'sealpy: hint: if that is right, "sealpy reseal {FILE}" signs the file as it is now; '
            f'if not, "git checkout {commit[:10]} -- {FILE}" brings a good version back\n'
        )

    def test_it_names_several(self, edited: Repository) -> None:
        edited.replace(FILE, "namespace: shop", "namespace: store")

        assert (
            "values: metadata.name, metadata.namespace were edited without the key\n"
            in edited.sealpy("decrypt", FILE).err
        )

    def test_an_edit_that_was_committed_is_found_too(self, edited: Repository) -> None:
        edited.commit("by hand")
        edited.replace("envs/prod/secrets.yaml", "type: Opaque", "type: opaque")
        edited.commit("again")

        assert "metadata.name, type were edited" in edited.sealpy("decrypt", FILE).err

    def test_it_works_from_another_folder(self, edited: Repository) -> None:
        ended = edited.sealpy("decrypt", str(edited.folder / FILE))

        assert "metadata.name was edited without the key" in ended.err

    def test_a_sealed_value_that_was_put_back_is_told_from_an_edit(self, repository: Repository) -> None:
        old = next(line for line in repository.plain.read(FILE).splitlines() if "PASSWORD: " in line)
        repository.set(FILE, '["stringData"]["PASSWORD"]', "n3w")
        repository.commit("rotate the password")
        new = next(line for line in repository.plain.read(FILE).splitlines() if "PASSWORD: " in line)
        repository.replace(FILE, new, old)

        ended = repository.sealpy("decrypt", FILE)

        assert ended.code == 51
        assert "the MAC does not match the values: not as it was sealed: stringData.PASSWORD\n" in ended.err
        assert f'hint: "sealpy reseal {FILE}" shows all of it' in ended.err

    def test_without_history_it_says_what_it_knows(self, edited: Repository) -> None:
        shutil.rmtree(edited.folder / ".git")

        ended = edited.sealpy("decrypt", FILE)

        assert ended.code == 51
        assert "the MAC does not match the values\n" in ended.err

    def test_by_the_name_of_sops_git_is_not_asked(self, edited: Repository) -> None:
        from tests.cli.process import Program

        ended = Program(edited.folder, edited.home, edited.key_environment("prod"))("decrypt", FILE, name="sops")

        assert ended.code == 51
        assert "metadata.name" not in ended.err


class TestReseal:
    def test_it_shows_the_edit_signs_and_keeps_every_sealed_byte(self, edited: Repository) -> None:
        before = edited.plain.read(FILE)

        ended = edited.sealpy("reseal", "--yes", FILE)

        assert (ended.code, ended.out) == (0, "")
        assert ended.err == (
            f"sealpy: {FILE}: edited without its key:\n"
            'sealpy:   ~ metadata.name  "db" → "cache"\n'
            f"sealpy: {FILE}: signed\n"
        )
        after = edited.plain.read(FILE)
        changed = [(old, new) for old, new in zip(before.splitlines(), after.splitlines(), strict=True) if old != new]
        assert {old.strip().partition(":")[0] for old, _ in changed} | {"lastmodified"} == {"lastmodified", "mac"}
        assert "name: cache" in edited.sops("decrypt", FILE)
        assert "hunter2" in edited.sealpy("decrypt", FILE).out

    def test_it_asks_and_takes_no_for_an_answer(self, edited: Repository) -> None:
        from tests.cli.process import Program

        before = edited.plain.read(FILE)
        program = Program(edited.folder, edited.home, edited.key_environment("prod"))

        no = program("reseal", FILE, stdin="n\n")
        nobody = program("reseal", FILE, stdin="")

        assert (no.code, nobody.code) == (1, 1)
        assert f"sealpy: sign {FILE} as it is now? (y/n): " in no.err
        assert f"sealpy: {FILE}: left unchanged\n" in no.err
        assert (
            f"sealpy: {FILE}: nobody answered\nsealpy: hint: to answer beforehand: sealpy reseal --yes {FILE}\n"
            in nobody.err
        )
        assert edited.plain.read(FILE) == before
        assert program("reseal", FILE, stdin="y\n").code == 0
        assert edited.plain.read(FILE) != before

    def test_fields_that_came_and_went_are_shown(self, repository: Repository) -> None:
        repository.replace(FILE, "namespace: shop", "generation: 3")

        ended = repository.sealpy("reseal", "--yes", FILE)

        assert 'sealpy:   - metadata.namespace  "shop"\n' in ended.err
        assert "sealpy:   + metadata.generation  3\n" in ended.err
        assert repository.sealpy("decrypt", FILE).code == 0

    def test_a_value_that_was_added_in_clear_is_sealed_and_not_shown(self, repository: Repository) -> None:
        repository.replace(FILE, "stringData:\n", "stringData:\n    TOKEN: swordfish\n")
        refused = repository.sealpy("decrypt", FILE)
        assert refused.code == 25

        ended = repository.sealpy("reseal", "--yes", FILE)

        assert ended.code == 0, ended.err
        assert "sealpy:   * stringData.TOKEN  stands in clear, and will be sealed\n" in ended.err
        assert "swordfish" not in ended.err + repository.plain.read(FILE)
        assert "TOKEN: swordfish" in repository.sops("decrypt", FILE)

    def test_it_needs_the_key(self, edited: Repository, age_key: AgeKey) -> None:
        before = edited.plain.read(FILE)

        ended = edited.sealpy("reseal", "--yes", FILE, keys=("other",))

        assert ended.code == 128
        assert f"no key here opens it: it is sealed for {age_key.recipient}" in ended.err
        assert edited.plain.read(FILE) == before

    def test_a_good_file_is_left_alone(self, repository: Repository) -> None:
        before = repository.plain.read(FILE)

        ended = repository.sealpy("reseal", FILE)

        assert ended == (0, "", f"sealpy: {FILE}: its MAC fits, so there is nothing to sign\n")
        assert repository.plain.read(FILE) == before

    def test_a_sealed_value_that_does_not_open_is_no_edit_of_clear_text(self, edited: Repository) -> None:
        text = edited.plain.read(FILE)
        start = text.index("USER: ENC[AES256_GCM,data:") + len("USER: ENC[AES256_GCM,data:")
        edited.plain.write(FILE, text[:start] + ("A" if text[start] != "A" else "B") + text[start + 1 :])

        ended = edited.sealpy("reseal", "--yes", "--accept-unknown", FILE)

        assert ended.code == 25
        assert "the value of stringData.USER does not open" in ended.err

    def test_an_old_value_put_back_beside_the_edit_is_refused(self, repository: Repository) -> None:
        old = next(line for line in repository.plain.read(FILE).splitlines() if "PASSWORD: " in line)
        repository.set(FILE, '["stringData"]["PASSWORD"]', "n3w")
        repository.commit("rotate the password")
        new = next(line for line in repository.plain.read(FILE).splitlines() if "PASSWORD: " in line)
        repository.replace(FILE, new, old)
        repository.replace(FILE, "name: db", "name: cache")
        before = repository.plain.read(FILE)
        commit = repository.plain.git("rev-parse", "HEAD")

        ended = repository.sealpy("reseal", "--yes", FILE)

        assert ended.code == 1
        assert ended.err == (
            f"sealpy: {FILE}: somebody changed sealed values too: stringData.PASSWORD; that is no edit of clear text\n"
            f'sealpy: hint: restore it with "git checkout {commit[:10]} -- {FILE}"; '
            "if all of it is right, add --accept-unknown\n"
        )
        assert repository.plain.read(FILE) == before
        insisted = repository.sealpy("reseal", "--yes", "--accept-unknown", FILE)
        assert "sealpy:   ! stringData.PASSWORD  is not the sealed value that was committed\n" in insisted.err
        assert "PASSWORD: hunter2" in repository.sops("decrypt", FILE)

    def test_a_sealed_value_that_was_cut_out_is_refused(self, edited: Repository) -> None:
        line = next(line for line in edited.plain.read(FILE).splitlines() if "USER: " in line)
        edited.replace(FILE, f"{line}\n", "")

        ended = edited.sealpy("reseal", "--yes", FILE)

        assert ended.code == 1
        assert "somebody changed sealed values too: stringData.USER; " in ended.err

    def test_another_rule_in_the_file_is_refused(self, edited: Repository) -> None:
        edited.replace(FILE, "^(data|stringData)$", "^(data|stringData|type)$")

        ended = edited.sealpy("reseal", "--yes", FILE)

        assert ended.code == 1
        assert "somebody changed its rule of what is sealed; that is no edit of clear text" in ended.err

    def test_where_no_version_is_known_it_takes_a_word_more(self, edited: Repository) -> None:
        shutil.rmtree(edited.folder / ".git")
        before = edited.plain.read(FILE)

        refused = edited.sealpy("reseal", "--yes", FILE)

        assert refused.code == 1
        assert refused.err == (
            f"sealpy: {FILE}: no committed version has this MAC, so nothing tells what was edited\n"
            f'sealpy: hint: look at it with "sealpy decrypt --ignore-mac {FILE}"; '
            "if all of it is right, add --accept-unknown\n"
        )
        assert edited.plain.read(FILE) == before

    def test_a_file_from_nowhere_gets_a_data_key_that_nobody_knows(self, edited: Repository, age_key: AgeKey) -> None:
        shutil.rmtree(edited.folder / ".git")
        before = edited.plain.read(FILE)

        ended = edited.sealpy("reseal", "--yes", "--accept-unknown", FILE)

        assert ended.code == 0, ended.err
        assert f"all of it will be signed, for\nsealpy:     {age_key.recipient}\n" in ended.err
        assert not {line for line in before.splitlines() if "ENC[" in line} & set(edited.plain.read(FILE).splitlines())
        assert "name: cache" in edited.sops("decrypt", FILE)

    def test_the_same_values_in_another_order_can_be_signed(self, repository: Repository) -> None:
        text = repository.plain.read(FILE)
        lines = text.splitlines(keepends=True)
        place = next(index for index, line in enumerate(lines) if "PASSWORD: " in line)
        lines[place], lines[place + 1] = lines[place + 1], lines[place]
        repository.plain.write(FILE, "".join(lines))
        assert repository.sealpy("decrypt", FILE).code == 51

        ended = repository.sealpy("reseal", "--yes", FILE)

        assert "sealpy:   ! the same values stand in another order\n" in ended.err
        assert repository.sealpy("decrypt", FILE).code == 0

    def test_a_name_from_outside_does_not_steer_the_terminal(self, repository: Repository) -> None:
        repository.replace(FILE, "namespace: shop", 'namespace: "\\e[2Jshop"')

        ended = repository.sealpy("reseal", "--yes", FILE)

        assert "metadata.namespace" in ended.err
        assert "\x1b" not in ended.err

    def test_a_file_in_clear_or_missing_is_said(self, repository: Repository) -> None:
        repository.plain.write("clear.yaml", "a: b\n")

        assert "the file is not encrypted" in repository.sealpy("reseal", "clear.yaml").err
        assert repository.sealpy("reseal", "missing.yaml").code == 100


def test_check_and_decrypt_name_the_same_field(edited: Repository) -> None:
    checked = edited.sealpy("check")

    assert "metadata.name" in checked.out
    assert f"sealpy reseal {FILE}" in checked.out
    assert edited.sealpy("reseal", "--yes", FILE).code == 0
    assert "metadata.name" not in edited.sealpy("check").out
    assert os.path.exists(edited.folder / FILE)
