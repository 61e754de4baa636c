"""Where the configuration file is found, and reading it."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from sealpy import config_file
from sealpy.config_file import Found
from sealpy.errors import RuleError, SourceError
from tests.conftest import AgeKey


def test_the_nearest_folder_wins(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / ".sops.yaml").touch()

    assert config_file.find(str(tmp_path / "a/b")) == Found(str(tmp_path / ".sops.yaml"), "")
    (tmp_path / "a/.sops.yaml").touch()
    assert config_file.find(str(tmp_path / "a/b")) == Found(str(tmp_path / "a/.sops.yaml"), "")


def test_the_current_folder_is_where_the_search_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".sops.yaml").touch()
    monkeypatch.chdir(tmp_path)

    assert config_file.find(".") == Found(str(tmp_path / ".sops.yaml"), "")


def test_a_hundred_folders_are_searched_as_sops_does(
    tool: Callable[[str], str], age_key: AgeKey, tmp_path: Path
) -> None:
    (tmp_path / ".sops.yaml").write_text(f"creation_rules:\n- age: {age_key.recipient}\n")
    (tmp_path / "file.yaml").write_text("a: b")
    for depth, expected in ((99, True), (100, False)):
        folder = tmp_path.joinpath(*["d"] * depth)
        folder.mkdir(parents=True, exist_ok=True)
        command = [tool("sops"), "encrypt", str(tmp_path / "file.yaml")]
        run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert (run.returncode == 0) is expected

        assert (config_file.find(str(folder)).path is not None) is expected


def test_a_file_of_the_other_name_is_only_remarked_on(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    other = tmp_path / "a/.sops.yml"
    other.touch()

    nothing = config_file.find(str(tmp_path / "a"), lambda path: path == str(other))
    (tmp_path / ".sops.yaml").touch()
    above = config_file.find(str(tmp_path / "a"))

    assert nothing == Found(None, f"{other} is not read: the configuration file must be called .sops.yaml")
    assert above == Found(str(tmp_path / ".sops.yaml"), f"{other} is not read, only .sops.yaml is")


def test_beside_the_right_name_the_other_one_is_no_matter(tmp_path: Path) -> None:
    (tmp_path / ".sops.yml").touch()
    (tmp_path / ".sops.yaml").touch()

    assert config_file.find(str(tmp_path)).note == ""


def test_paths_count_from_the_folder_of_the_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "repo/k8s").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "repo/k8s")

    assert config_file.path_in("../.sops.yaml", "a.yaml") == "k8s/a.yaml"
    assert config_file.path_in(str(tmp_path / "repo/.sops.yaml"), "./../b.yaml") == "b.yaml"
    assert config_file.path_in(".sops.yaml", "../b.yaml") == str(tmp_path / "repo/b.yaml")
    assert config_file.path_in("../../repo2/.sops.yaml", "a.yaml") == str(tmp_path / "repo/k8s/a.yaml")


def test_a_configuration_is_read(tmp_path: Path) -> None:
    path = tmp_path / ".sops.yaml"
    path.write_text("creation_rules:\n- age: é\n", encoding="utf-8-sig")

    found = config_file.load(str(path))

    assert found.path == str(path)
    assert found.match("x") is not None


def test_a_configuration_that_is_not_there_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SourceError):
        config_file.load(str(tmp_path / ".sops.yaml"))


def test_a_folder_is_no_configuration(tmp_path: Path) -> None:
    with pytest.raises(SourceError):
        config_file.load(str(tmp_path))


def test_a_configuration_over_a_mebibyte_is_refused(tmp_path: Path) -> None:
    path = tmp_path / ".sops.yaml"
    path.write_bytes(b"#" * (1 << 20))
    assert config_file.load(str(path)).creation_rules is None

    path.write_bytes(b"#" * ((1 << 20) + 1))
    with pytest.raises(SourceError):
        config_file.load(str(path))


def test_a_configuration_that_is_not_utf8_is_refused_with_the_line(tmp_path: Path) -> None:
    path = tmp_path / ".sops.yaml"
    path.write_bytes(b"a: b\nc: \xff secret\n")

    with pytest.raises(RuleError) as caught:
        config_file.load(str(path))

    assert caught.value.message == f"{path}:2: not UTF-8"
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
