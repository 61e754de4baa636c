"""Many files in one run."""

import pytest

from tests.cli.process import Program
from tests.conftest import AgeKey


@pytest.fixture
def tree(sealpy: Program) -> Program:
    """Return sealpy with a folder of three sealed files and other things."""
    sealpy.write("k8s/dev/a.yaml", "a: secret\n")
    sealpy.write("k8s/dev/b.json", '{"b": "secret"}\n')
    sealpy.write("k8s/prod/c.env", "C=secret\n")
    assert sealpy("encrypt", "-i", "k8s/dev/a.yaml", "k8s/dev/b.json", "k8s/prod/c.env").code == 0
    sealpy.write("k8s/readme.txt", "about sops\n")
    sealpy.write("k8s/plain.yaml", "sops are socks: 1\n")
    sealpy.write("k8s/.git/x.yaml", sealpy.read("k8s/dev/a.yaml"))
    return sealpy


def test_many_files_need_a_place_for_the_results(tree: Program) -> None:
    ended = tree("decrypt", "k8s/dev/a.yaml", "k8s/dev/b.json")

    assert (ended.code, ended.out) == (8, "")
    assert "--output-dir" in ended.err


def test_a_folder_is_decrypted_into_another(tree: Program) -> None:
    ended = tree("decrypt", "-r", "k8s", "--output-dir", "out/clear")

    assert (ended.code, ended.out) == (0, "")
    assert ended.err == "sealpy: 3 decrypted, 2 left alone\n"
    assert tree.read("out/clear/dev/a.yaml") == "a: secret\n"
    assert tree.read("out/clear/dev/b.json") == '{"b": "secret"}\n'
    assert tree.read("out/clear/prod/c.env") == "C=secret\n"
    assert (tree.folder / "out/clear/dev/a.yaml").stat().st_mode & 0o777 == 0o600
    assert (tree.folder / "out").stat().st_mode & 0o077 == 0
    assert sorted(path.name for path in (tree.folder / "out").rglob("*") if path.is_file()) == [
        "a.yaml",
        "b.json",
        "c.env",
    ]


def test_files_and_patterns_are_taken_together(tree: Program) -> None:
    ended = tree("decrypt", "k8s/dev/*", "k8s/prod/c.env", "--output-dir", "out")

    assert ended.err == "sealpy: 3 decrypted\n"
    assert tree.read("out/k8s/dev/a.yaml") == "a: secret\n"
    assert tree.read("out/k8s/prod/c.env") == "C=secret\n"


def test_one_that_fails_does_not_stop_the_others_and_gives_the_code(tree: Program) -> None:
    tree.write("k8s/dev/a.yaml", tree.read("k8s/dev/a.yaml").replace('lastmodified: "2', 'lastmodified: "1'))

    ended = tree("decrypt", "-r", "k8s", "--output-dir", "out")

    assert ended.code == 51
    assert ended.err.startswith("sealpy: k8s/dev/a.yaml: ")
    assert ended.err.endswith("sealpy: 2 decrypted, 2 left alone, 1 failed\n")
    assert tree.read("out/prod/c.env") == "C=secret\n"
    assert not (tree.folder / "out/dev/a.yaml").exists()


def test_different_failures_end_with_one(tree: Program) -> None:
    tree.write("k8s/dev/a.yaml", tree.read("k8s/dev/a.yaml").replace('lastmodified: "2', 'lastmodified: "1'))
    tree.write("k8s/dev/b.json", tree.read("k8s/dev/b.json").replace('"b": "ENC[', '"b": "NC['))

    assert tree("decrypt", "-r", "k8s", "--output-dir", "out").code == 1


def test_a_named_file_that_is_not_encrypted_is_a_failure(tree: Program) -> None:
    ended = tree("decrypt", "k8s/plain.yaml", "k8s/dev/a.yaml", "--output-dir", "out")

    assert ended.code == 1
    assert ended.err.endswith("sealpy: 1 decrypted, 1 failed\n")


def test_two_files_for_one_place_are_refused_before_anything_is_written(tree: Program) -> None:
    ended = tree("decrypt", "-r", "k8s/dev", "k8s/dev/../dev", "--output-dir", "out")

    assert ended.code == 8
    assert not (tree.folder / "out").exists()


def test_files_of_one_name_are_two_files_where_each_stays_in_its_place(tree: Program) -> None:
    dev = tree.write("one/a.yaml", tree.read("k8s/dev/a.yaml"))
    prod = tree.write("two/a.yaml", tree.read("k8s/dev/a.yaml"))

    assert tree("rotate", "-i", dev, prod)[::2] == (0, "sealpy: 2 rotated\n")
    assert tree("decrypt", "-i", "../work/one/a.yaml", "../work/two/a.yaml")[::2] == (0, "sealpy: 2 decrypted\n")
    assert (tree.read("one/a.yaml"), tree.read("two/a.yaml")) == ("a: secret\n", "a: secret\n")
    assert tree("encrypt", "-i", "-r", "one", "two")[::2] == (0, "sealpy: 2 encrypted\n")


def test_files_of_one_name_are_not_put_into_one_place(tree: Program) -> None:
    dev = tree.write("one/a.yaml", tree.read("k8s/dev/a.yaml"))
    prod = tree.write("two/a.yaml", tree.read("k8s/dev/a.yaml"))

    ended = tree("decrypt", dev, prod, "--output-dir", "out")

    assert ended.code == 8
    assert ended.err.startswith(f"sealpy: {dev} and {prod} would be written to one place\n")
    assert not (tree.folder / "out").exists()


def test_one_file_by_two_names_is_refused(tree: Program) -> None:
    ended = tree("decrypt", "-i", "k8s/dev/a.yaml", "./k8s/dev/a.yaml")

    assert ended.code == 8
    assert "ENC[" in tree.read("k8s/dev/a.yaml")


def test_a_folder_is_encrypted_by_its_rules(sealpy: Program, age_key: AgeKey) -> None:
    sealpy.write(
        ".sops.yaml",
        f"creation_rules:\n  - path_regex: secrets\\.yaml$\n    encrypted_regex: ^data$\n    age: {age_key.recipient}\n",
    )
    sealpy.write("gitops/dev/secrets.yaml", "kind: Secret\ndata:\n  a: c2VjcmV0\n")
    sealpy.write("gitops/prod/secrets.yaml", "kind: Secret\ndata:\n  a: c2VjcmV0\n")
    sealpy.write("gitops/prod/release.yaml", "kind: Deployment\nspec: {}\n")
    sealpy.write("gitops/other/secrets.yaml", "kind: Deployment\nspec: {}\n")

    ended = sealpy("encrypt", "-i", "-r", "gitops")

    assert (ended.code, ended.err) == (0, "sealpy: 2 encrypted, 2 left alone\n")
    assert "ENC[" in sealpy.read("gitops/dev/secrets.yaml")
    assert sealpy.read("gitops/other/secrets.yaml") == "kind: Deployment\nspec: {}\n"
    assert sealpy("encrypt", "-i", "-r", "gitops").err == "sealpy: 0 encrypted, 4 left alone\n"


def test_a_folder_is_rotated_in_place(tree: Program) -> None:
    before = tree.read("k8s/dev/a.yaml")

    ended = tree("rotate", "-i", "-r", "k8s")

    assert (ended.code, ended.err) == (0, "sealpy: 3 rotated, 2 left alone\n")
    assert tree.read("k8s/dev/a.yaml") != before
    assert tree("decrypt", "k8s/dev/a.yaml").out == "a: secret\n"


def test_by_the_name_of_sops_only_the_first_file_is_used(tree: Program) -> None:
    ended = tree("decrypt", "k8s/dev/a.yaml", "k8s/dev/b.json", name="sops")

    assert (ended.code, ended.out) == (0, "a: secret\n")
    assert "only the first" in ended.err


def test_links_are_not_followed_out_of_a_folder(tree: Program) -> None:
    tree.write("elsewhere/d.yaml", tree.read("k8s/dev/a.yaml"))
    (tree.folder / "k8s/link.yaml").symlink_to("../elsewhere/d.yaml")
    (tree.folder / "k8s/linked").symlink_to("../elsewhere")

    assert tree("decrypt", "-r", "k8s", "--output-dir", "out").err == "sealpy: 3 decrypted, 2 left alone\n"
