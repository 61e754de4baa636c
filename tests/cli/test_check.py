"""``sealpy check`` on real repositories, with files that the real sops sealed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.repository import SECRET, Repository
from tests.conftest import AgeKey

REGEX = "^(data|stringData)$"
PATH = "k8s/prod/secrets.yaml"


@pytest.fixture
def repository(
    tmp_path: Path, home: Path, tool: Callable[[str], str], age_key: AgeKey, other_key: AgeKey
) -> Repository:
    keys = {"prod": (age_key.identity, age_key.recipient), "dev": (other_key.identity, other_key.recipient)}
    made = Repository(tmp_path / "repository", home, tool("sops"), keys)
    made.plain.write(
        ".sops.yaml",
        "creation_rules:\n"
        + "".join(
            f"  - path_regex: ^k8s/{name}/.*secrets.*\\.(yaml|json)$\n"
            f"    encrypted_regex: {REGEX}\n"
            f"    age: {made.recipient(name)}\n"
            for name in keys
        ),
    )
    made.plain.write(
        ".sealpy.yaml",
        f"recipients:\n  cluster: {made.recipient('prod')}\n  alice: {made.recipient('dev')}\n",
    )
    made.add(PATH, SECRET.format(name="db", password="hunter2-canary"), rule=REGEX)
    made.commit()
    return made


def short(recipient: str) -> str:
    return f"{recipient[:6]}…{recipient[-2:]}"


def read(repository: Repository, *words: str, keys: tuple[str, ...] = ()) -> dict[str, Any]:
    ended = repository.sealpy("check", "--json", *words, keys=keys)
    assert ended.err == ""
    document: dict[str, Any] = json.loads(ended.out)
    assert document["schema"] == "sealpy.check/1"
    return document


def test_a_repository_in_order_is_in_order_without_a_key(repository: Repository) -> None:
    ended = repository.sealpy("check", keys=())
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == (
        "nothing is wrong: 1 file looked at, 1 encrypted, 1 not verified, for no key here is meant for them\n"
    )


def test_with_a_key_the_mac_is_verified(repository: Repository) -> None:
    ended = repository.sealpy("check", keys=("prod",))
    assert (ended.code, ended.out) == (0, "nothing is wrong: 1 file looked at, 1 encrypted, 1 verified with a key\n")


def test_nothing_is_written(repository: Repository) -> None:
    before = repository.contents()
    repository.sealpy("check")
    repository.sealpy("check", "--staged")
    assert repository.contents() == before


def test_a_file_in_clear_is_found_before_git_knows_it_and_the_fix_works(repository: Repository) -> None:
    path = "k8s/dev/more-secrets.yaml"
    repository.plain.write(path, SECRET.format(name="more", password="in-clear-canary"))

    ended = repository.sealpy("check", keys=())

    assert ended.code == 1
    assert ended.out == (
        f"error    {path}:8: it is in clear, but a creation rule wants it encrypted  (SP102)\n"
        f"         to mend it: sealpy encrypt -i {path}\n"
        "1 error: 2 files looked at, 1 encrypted, 1 not verified, for no key here is meant for them\n"
    )
    assert repository.sealpy("encrypt", "-i", path, keys=()).code == 0
    assert repository.sealpy("check", keys=()).code == 0


def test_a_secret_that_no_rule_covers_is_found(repository: Repository) -> None:
    repository.plain.write("elsewhere/db.yaml", SECRET.format(name="db", password="x"))
    ended = repository.sealpy("check", keys=())
    assert ended.code == 1
    assert "it is a Kubernetes Secret in clear, and no creation rule covers it  (SP101)" in ended.out


def test_what_git_ignores_is_looked_at_only_by_name(repository: Repository) -> None:
    repository.plain.write(".gitignore", "*.dec.yaml\n")
    repository.plain.write("elsewhere/db.dec.yaml", SECRET.format(name="db", password="x"))
    assert repository.sealpy("check", keys=()).code == 0
    assert repository.sealpy("check", "elsewhere", keys=()).code == 0
    assert repository.sealpy("check", "elsewhere/db.dec.yaml", keys=()).code == 1


def test_paths_are_those_of_the_current_folder(repository: Repository, home: Path) -> None:
    from tests.cli.process import Program

    repository.plain.write("k8s/dev/secrets.yaml", SECRET.format(name="b", password="x"))
    ended = Program(repository.folder / "k8s", home, {})("check")
    assert ended.out.startswith("error    dev/secrets.yaml:8: ")
    assert "to mend it: sealpy encrypt -i dev/secrets.yaml\n" in ended.out
    assert Program(repository.folder / "k8s", home, {})("check", "prod").code == 0


def test_a_reader_whom_the_rule_does_not_name_is_called_by_name(repository: Repository) -> None:
    repository.sops("rotate", "-i", "--add-age", repository.recipient("dev"), PATH)

    ended = repository.sealpy("check", keys=())

    alice = f"alice ({short(repository.recipient('dev'))})"
    assert ended.code == 1
    assert ended.out.startswith(
        f"error    {PATH}: {alice} can read it, but the rule does not say so  (SP301)\n"
        f"         to mend it: sealpy sync {PATH}\n"
    )
    assert repository.sealpy("sync", "--yes", PATH).code == 0
    assert repository.sealpy("check", keys=()).code == 0


def test_a_copied_file_has_its_old_readers(repository: Repository) -> None:
    repository.plain.write("k8s/dev/secrets.yaml", repository.plain.read(PATH))
    cluster, alice = short(repository.recipient("prod")), short(repository.recipient("dev"))
    assert [(one["id"], one["message"]) for one in read(repository)["findings"]] == [
        ("SP301", f"cluster ({cluster}) can read it, but the rule does not say so"),
        ("SP302", f"alice ({alice}) cannot read it, but the rule says so"),
    ]


class TestEditedByHand:
    def test_an_edited_clear_field_is_named_without_a_key_before_the_commit(self, repository: Repository) -> None:
        repository.replace(PATH, "namespace: shop", "namespace: other")

        ended = repository.sealpy("check", keys=())

        assert ended.code == 51
        assert (
            f"error    {PATH}:5: metadata.namespace was edited without a key: "
            "the MAC covers it and fits no more, so nothing will decrypt this  (SP403)\n"
        ) in ended.out

    def test_and_with_one_after_it(self, repository: Repository) -> None:
        repository.replace(PATH, "namespace: shop", "namespace: other")
        repository.commit()
        repository.replace(PATH, "name: db", "name: dc")
        repository.commit()

        assert repository.sealpy("check", keys=()).code == 0
        ended = repository.sealpy("check", keys=("prod",))

        assert ended.code == 51
        assert "metadata.name was edited without a key" in ended.out

    def test_putting_it_back_is_no_second_edit(self, repository: Repository) -> None:
        repository.replace(PATH, "namespace: shop", "namespace: other")
        repository.commit()
        repository.replace(PATH, "namespace: other", "namespace: shop")
        assert repository.sealpy("check", keys=()).code == 0
        assert repository.sealpy("check", keys=("prod",)).code == 0

    def test_a_value_added_in_clear_is_found(self, repository: Repository) -> None:
        repository.replace(PATH, "stringData:\n", "stringData:\n    NEW: in-clear-canary\n")
        (finding,) = read(repository)["findings"]
        assert finding["id"] == "SP103"
        assert finding["key"] == "stringData.NEW"
        assert finding["message"] == (
            "the value of stringData.NEW stands in clear, but the file's rule wants it encrypted: "
            "take it out; sealpy add seals it"
        )
        assert finding["fix"] == f"sealpy add {PATH} NEW"

    def test_and_the_fixes_work_without_the_key_and_with_it(self, repository: Repository) -> None:
        sealed = repository.plain.read(PATH)
        repository.replace(PATH, "stringData:\n", "stringData:\n    NEW: in-clear-canary\n")
        with_key = repository.sealpy("check", keys=("prod",))
        assert f"to mend it: sealpy reseal {PATH}\n" in with_key.out
        added = repository.plain("add", PATH, "NEW", "--value-stdin", stdin="in-clear-canary")
        assert added.code == 0
        repository.plain.write(PATH, sealed)
        assert repository.sealpy("check", keys=()).code == 0
        assert "in-clear-canary" in repository.sealpy("decrypt", PATH).out

    def test_a_sealed_value_that_was_written_over_in_clear_comes_back_from_git(self, repository: Repository) -> None:
        sealed = repository.plain.read(PATH)
        line = next(line for line in sealed.splitlines() if "PASSWORD: " in line)
        repository.replace(PATH, line, "    PASSWORD: in-clear-canary")
        (finding,) = read(repository)["findings"]
        assert (finding["id"], finding["fix"]) == ("SP103", f"git checkout HEAD -- {PATH}")

    @pytest.mark.parametrize("keys", [(), ("prod",)])
    @pytest.mark.parametrize("change", ["removed", "renamed", "swapped"])
    def test_a_sealed_value_that_is_gone_comes_back_from_git_and_is_not_signed_away(
        self, repository: Repository, change: str, keys: tuple[str, ...]
    ) -> None:
        sealed = repository.plain.read(PATH)
        lines = sealed.splitlines(keepends=True)
        first, second = (next(n for n, line in enumerate(lines) if f"{name}: ENC" in line) for name in ("WORD", "USER"))
        if change == "removed":
            lines[first] = ""
        elif change == "renamed":
            lines[first] = lines[first].replace("PASSWORD", "PASSPHRASE")
        else:
            one, other = (lines[n].partition(": ") for n in (first, second))
            lines[first], lines[second] = f"{one[0]}: {other[2]}", f"{other[0]}: {one[2]}"
        repository.plain.write(PATH, "".join(lines))
        findings = read(repository, keys=keys)["findings"]
        assert {one["fix"] for one in findings} == {f"git checkout HEAD -- {PATH}"}
        repository.plain.git("checkout", "HEAD", "--", PATH)
        assert repository.plain.read(PATH) == sealed
        assert repository.sealpy("check", keys=keys).code == 0

    def test_once_it_is_committed_the_history_is_shown(self, repository: Repository) -> None:
        lines = repository.plain.read(PATH).splitlines(keepends=True)
        repository.plain.write(PATH, "".join(line for line in lines if "USER: " not in line))
        repository.commit()
        (finding,) = read(repository, keys=("prod",))["findings"]
        assert (finding["id"], finding["fix"]) == ("SP403", f"git log --patch -- {PATH}")

    def test_a_merge_of_two_lines_leaves_what_is_found(self, repository: Repository) -> None:
        text = repository.plain.read(PATH)
        repository.plain.write(PATH, f"<<<<<<< HEAD\n{text}=======\n{text}>>>>>>> other\n")
        (finding,) = read(repository)["findings"]
        assert (finding["id"], finding["line"]) == ("SP404", 1)

    def test_an_edit_made_with_the_key_is_right(self, repository: Repository) -> None:
        repository.set(PATH, '["stringData"]["PASSWORD"]', "other")
        repository.set(PATH, '["metadata"]["namespace"]', "other")
        assert repository.sealpy("check", keys=()).code == 0
        assert repository.sealpy("check", keys=("prod",)).code == 0


class TestStaged:
    def test_the_index_counts_and_not_the_worktree(self, repository: Repository) -> None:
        path = "k8s/dev/secrets.yaml"
        repository.plain.write(path, SECRET.format(name="b", password="x"))
        repository.plain.git("add", path)
        repository.plain.write(path, "a: b\n")
        assert [one["line"] for one in read(repository, "--staged")["findings"]] == [8]
        repository.plain.git("rm", "-q", "-f", "--cached", path)
        assert read(repository, "--staged")["findings"] == []

    def test_the_rules_are_those_that_are_staged(self, repository: Repository) -> None:
        path = "app/values.yaml"
        rules = repository.plain.read(".sops.yaml")
        repository.plain.write(path, "a: b\n")
        repository.plain.write(".sops.yaml", f"{rules}  - path_regex: ^app/\n    age: {repository.recipient('dev')}\n")
        repository.plain.git("add", "-A")
        repository.plain.write(".sops.yaml", rules)
        assert [one["id"] for one in read(repository, "--staged")["findings"]] == ["SP102"]

    def test_a_field_edited_and_staged_is_named(self, repository: Repository) -> None:
        repository.replace(PATH, "namespace: shop", "namespace: other")
        repository.plain.git("add", "-A")
        assert [(one["id"], one["key"]) for one in read(repository, "--staged")["findings"]] == [
            ("SP403", "metadata.namespace")
        ]

    def test_many_staged_files_with_history_to_look_up(self, repository: Repository) -> None:
        """The history is asked for while git is still giving out the files."""
        text = repository.plain.read(PATH)
        for number in range(100):
            repository.plain.write(f"k8s/prod/secrets-{number}.yaml", text)
        repository.commit()
        for number in range(100):
            repository.replace(f"k8s/prod/secrets-{number}.yaml", "namespace: shop", f"namespace: n{number}")
        repository.plain.git("add", "-A")
        document = read(repository, "--staged")
        assert [one["id"] for one in document["findings"]] == ["SP403"] * 100
        assert document["summary"]["files"] == 100

    def test_the_hook_refuses_damage_and_warns_of_readers(self, repository: Repository) -> None:
        repository.sops("rotate", "-i", "--add-age", repository.recipient("dev"), PATH)
        repository.plain.git("add", "-A")
        ended = repository.sealpy("hook", "pre-commit", keys=())
        assert ended.code == 0
        assert ended.err.startswith(f"sealpy: warning: {PATH}: alice (")

        repository.replace(PATH, "namespace: shop", "namespace: other")
        repository.plain.git("add", "-A")
        ended = repository.sealpy("hook", "pre-commit", keys=())
        assert ended.code == 0, "the values are new since HEAD, so without a key nobody can tell"
        repository.plain.git("commit", "-q", "-m", "x")
        repository.replace(PATH, "namespace: other", "namespace: third")
        repository.plain.git("add", "-A")
        ended = repository.sealpy("hook", "pre-commit", keys=())
        assert ended.code == 1
        assert f"sealpy: {PATH}:5: not committed: metadata.namespace was edited without a key" in ended.err


class TestWithoutARule:
    def test_a_deleted_configuration_leaves_sealed_files_that_nobody_can_check(self, repository: Repository) -> None:
        (repository.folder / ".sops.yaml").unlink()
        repository.plain.write("k8s/prod/more.yaml", SECRET.format(name="more", password="in-clear-canary"))
        ended = repository.sealpy("check", keys=())
        assert ended.code == 1
        assert f"error    {PATH}: it is encrypted, but there is no .sops.yaml above it: " in ended.out
        assert "error    k8s/prod/more.yaml:8: it is a Kubernetes Secret in clear  (SP101)\n" in ended.out

    def test_a_rule_that_stops_covering_a_file_and_an_empty_one(self, repository: Repository) -> None:
        rules = repository.plain.read(".sops.yaml")
        for text in (rules.replace("^k8s/prod/", "^k8s/prd/"), "creation_rules: []\n", "{}\n", ""):
            assert text != rules
            repository.plain.write(".sops.yaml", text)
            ended = repository.sealpy("check", keys=())
            assert ended.code == 1
            assert f"error    {PATH}: it is encrypted, but no rule covers it: " in ended.out

    def test_a_project_may_let_such_files_be(self, repository: Repository) -> None:
        (repository.folder / ".sops.yaml").unlink()
        names = repository.plain.read(".sealpy.yaml")
        repository.plain.write(".sealpy.yaml", names + "severities:\n  SP506: warning\n")
        ended = repository.sealpy("check", keys=())
        assert ended.code == 0
        assert ended.out.startswith(f"warning  {PATH}: ")

    def test_a_mistake_in_the_configuration_is_said_once_and_not_for_each_file(self, repository: Repository) -> None:
        repository.plain.write(".sops.yaml", "creation_rules: [\n")
        assert [one["id"] for one in read(repository)["findings"]] == ["SP507"]

    def test_the_hook_stops_a_sealed_file_without_a_rule(self, repository: Repository) -> None:
        repository.plain.write("elsewhere/db.yaml", repository.plain.read(PATH))
        repository.plain.git("add", "-A")
        ended = repository.sealpy("hook", "pre-commit", keys=())
        assert ended.code == 1
        assert "sealpy: elsewhere/db.yaml: not committed: it is encrypted, but no rule covers it: " in ended.err

    def test_the_hook_stops_a_commit_that_takes_the_configuration_away(self, repository: Repository) -> None:
        repository.plain.git("rm", "-q", ".sops.yaml")
        ended = repository.sealpy("hook", "pre-commit", keys=())
        assert ended.code == 1
        assert ended.err.startswith(f"sealpy: {PATH}: not committed: it is encrypted, but there is no .sops.yaml above")

    def test_and_one_that_narrows_a_rule_but_not_what_was_wrong_before(self, repository: Repository) -> None:
        repository.replace(PATH, "stringData:\n", "stringData:\n    NEW: in-clear-canary\n")
        repository.commit()
        rules = repository.plain.read(".sops.yaml")
        repository.plain.write(".sops.yaml", f"# x\n{rules}")
        repository.plain.git("add", "-A")
        assert repository.sealpy("hook", "pre-commit", keys=()).code == 0
        repository.plain.write(".sops.yaml", rules.replace("^k8s/prod/", "^k8s/prd/"))
        repository.plain.git("add", "-A")
        assert [(one["id"], one["path"]) for one in read(repository, "--staged")["findings"]] == [("SP506", PATH)]

    def test_where_nothing_is_to_be_checked_that_is_said(self, tmp_path: Path, home: Path) -> None:
        from tests.cli.process import Program

        plain = Program(tmp_path / "plain", home, {})
        plain.write("README.md", "Hello\n")
        ended = plain("check")
        assert (ended.code, ended.out) == (0, "nothing to check: 0 files looked at\n")


class TestWhatTheHookProposes:
    def test_a_new_key_in_clear_is_added_without_the_key_and_staged(self, repository: Repository) -> None:
        repository.replace(PATH, "stringData:\n", "stringData:\n    NEW: in-clear-canary\n")
        repository.plain.git("add", "-A")
        ended = repository.sealpy("hook", "pre-commit", keys=())
        assert ended.code == 1
        assert ended.err.endswith(
            "take it out; sealpy add seals it\n"
            f"sealpy: hint: sealpy add {PATH} NEW && git add {PATH} k8s/prod/secrets.d\n"
        )

    def test_an_edited_clear_field_is_signed_and_staged(self, repository: Repository) -> None:
        repository.replace(PATH, "namespace: shop", "namespace: other")
        repository.plain.git("add", "-A")
        ended = repository.sealpy("hook", "pre-commit", keys=())
        assert ended.err.endswith(f"sealpy: hint: sealpy reseal {PATH} && git add {PATH}\n")


class TestConfiguration:
    def test_a_mistake_in_a_rule_is_found_with_its_line(self, repository: Repository) -> None:
        rules = repository.plain.read(".sops.yaml")
        repository.plain.write(".sops.yaml", rules + "  - path_regex: ^x\n    encryped_regex: a\n")
        ended = repository.sealpy("check", keys=())
        assert ended.code == 1
        assert (
            "error    .sops.yaml:9: unknown key 'encryped_regex'; did you mean encrypted_regex?  (SP507)\n" in ended.out
        )

    def test_a_configuration_that_is_no_yaml_is_found(self, repository: Repository) -> None:
        repository.plain.write(".sops.yaml", "creation_rules: [\n")
        assert "error    .sops.yaml:2: not well-formed YAML  (SP507)\n" in repository.sealpy("check", keys=()).out

    def test_a_slip_in_the_names_is_found(self, repository: Repository) -> None:
        repository.plain.write(".sealpy.yaml", "recipents: {}\n")
        assert (
            "error    .sealpy.yaml:1: unknown key 'recipents'; did you mean recipients?  (SP507)\n"
            in repository.sealpy("check", keys=()).out
        )

    def test_a_recipient_without_a_name_is_a_warning_where_others_have_one(self, repository: Repository) -> None:
        repository.plain.write(".sealpy.yaml", f"recipients:\n  cluster: {repository.recipient('prod')}\n")
        ended = repository.sealpy("check", keys=())
        assert ended.code == 0
        assert (
            f"warning  .sops.yaml:5: {repository.recipient('dev')} has no name in .sealpy.yaml  (SP312)\n" in ended.out
        )
        assert repository.sealpy("check", "--fail-on", "warning", keys=()).code == 1

    def test_and_a_note_where_none_has(self, repository: Repository) -> None:
        (repository.folder / ".sealpy.yaml").unlink()
        ended = repository.sealpy("check", keys=())
        assert ended.code == 0
        assert "note     .sops.yaml: none of the 2 recipients has a name" in ended.out

    def test_a_recipient_with_a_slip_is_found(self, repository: Repository) -> None:
        rules = repository.plain.read(".sops.yaml")
        dev = repository.recipient("dev")
        repository.plain.write(".sops.yaml", rules.replace(dev, dev[:-1] + ("q" if dev[-1] != "q" else "p")))
        assert "SP309" in [one["id"] for one in read(repository)["findings"]]

    def test_a_project_says_how_bad_a_finding_is(self, repository: Repository) -> None:
        repository.plain.write("elsewhere/db.yaml", SECRET.format(name="db", password="x"))
        names = repository.plain.read(".sealpy.yaml")
        repository.plain.write(".sealpy.yaml", names + "severities:\n  SP101: warning\n")
        ended = repository.sealpy("check", keys=())
        assert ended.code == 0
        assert ended.out.startswith("warning  elsewhere/db.yaml")


def test_outside_of_a_repository_a_folder_is_checked(repository: Repository, tmp_path: Path, home: Path) -> None:
    from tests.cli.process import Program

    plain = Program(tmp_path / "plain", home, {})
    plain.write("a.yaml", SECRET.format(name="db", password="x"))
    ended = plain("check")
    assert ended.code == 1
    assert "a.yaml:8: it is a Kubernetes Secret in clear  (SP101)" in ended.out
    assert plain("check", "--staged").err == "sealpy: nothing is staged here: this is no git repository\n"


def test_a_file_that_cannot_be_read_does_not_stop_the_others(repository: Repository) -> None:
    (repository.folder / "k8s/prod/a-secrets.yaml").symlink_to("/etc/passwd")
    repository.plain.write("k8s/dev/secrets.yaml", b"\xff\xfe\x00 no text")
    findings = read(repository)["findings"]
    assert [(one["id"], one["path"]) for one in findings] == [("SP407", "k8s/dev/secrets.yaml")]


def test_a_path_that_is_not_there_is_an_error(repository: Repository) -> None:
    ended = repository.sealpy("check", "nowhere")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == "sealpy: nowhere: no such file or folder\n"


def test_paths_and_staged_exclude_each_other(repository: Repository) -> None:
    assert repository.sealpy("check", "--staged", PATH).code == 2


def test_a_key_that_should_open_a_file_and_does_not_is_told_apart(repository: Repository) -> None:
    text = repository.plain.read(PATH)
    body = text.partition("-----BEGIN AGE ENCRYPTED FILE-----\n")[2].strip().splitlines()[0].strip()
    repository.plain.write(PATH, text.replace(body, body[:-8] + "AAAAAAAA"))
    ended = repository.sealpy("check", keys=("prod",))
    assert ended.code == 128
    assert "a key at hand should open it, and does not" in ended.out
    assert repository.sealpy("check", keys=()).code == 0


def test_nothing_that_is_printed_holds_a_value_or_acts_on_a_terminal(repository: Repository) -> None:
    repository.plain.write("k8s/dev/a\x1b[2J-secrets.yaml", SECRET.format(name="x", password="in-clear-canary"))
    repository.replace(PATH, "stringData:\n", "stringData:\n    NEW\u202e: in-clear-canary\n")
    for words in ((), ("--json",)):
        ended = repository.sealpy("check", *words)
        assert ended.code == 1
        assert "canary" not in ended.out + ended.err
        assert "\x1b" not in ended.out + ended.err
        assert "\u202e" not in ended.out + ended.err


def test_the_summary_counts_every_file(repository: Repository) -> None:
    for number in range(30):
        repository.plain.write(f"k8s/prod/secrets-{number}.yaml", repository.plain.read(PATH))
    document = read(repository)
    assert document["summary"] == {
        "files": 31,
        "encrypted": 31,
        "verified": 0,
        "without_key": 31,
        "errors": 0,
        "warnings": 0,
        "notes": 0,
    }


class TestParts:
    PART = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: {name}\n  namespace: shop\nstringData:\n  {key}: x\n"

    def part(self, repository: Repository, file: str, key: str, name: str = "db") -> str:
        path = f"k8s/prod/secrets.d/{file}.yaml"
        repository.add(path, self.PART.format(key=key, name=name), rule=REGEX)
        return path

    def test_a_part_with_a_new_key_is_right(self, repository: Repository) -> None:
        self.part(repository, "TOKEN", "TOKEN")
        assert read(repository)["findings"] == []

    def test_two_parts_with_one_key_are_an_error_that_names_both(self, repository: Repository) -> None:
        first, second = self.part(repository, "A", "TOKEN"), self.part(repository, "B", "TOKEN")
        (finding,) = read(repository)["findings"]
        assert (finding["id"], finding["path"], finding["line"]) == ("SP408", second, 7)
        assert finding["message"] == f"{first} and this part both hold TOKEN: remove one of the two"
        repository.plain.git("add", "-A")
        assert [one["id"] for one in read(repository, "--staged")["findings"]] == ["SP408"]

    def test_a_part_of_another_object_is_an_error(self, repository: Repository) -> None:
        self.part(repository, "TOKEN", "TOKEN", name="other")
        (finding,) = read(repository)["findings"]
        assert finding["message"] == (
            "k8s/prod/secrets.yaml cannot be used while this stands among its parts: "
            "is a part of Secret shop/other, and its base has no such object"
        )

    @pytest.mark.parametrize(
        ("old", "new", "problem"),
        [
            ("  TOKEN: x", "  <<: {PASSWORD: x}", "a part has no merge keys (<<)"),
            ("stringData:", "data: {TOKEN: eA==}\nstringData:", "a part holds TOKEN twice"),
            (
                "kind: Secret",
                "kind: Secret\ntype: Opaque",
                "a part holds values and the name of their object, not type",
            ),
            ("TOKEN: x", "TOKEN: 1", "the value of TOKEN is no text"),
        ],
    )
    def test_what_decrypting_refuses_among_the_parts_is_an_error(
        self, repository: Repository, old: str, new: str, problem: str
    ) -> None:
        path = "k8s/prod/secrets.d/TOKEN.yaml"
        repository.add(path, self.PART.format(key="TOKEN", name="db").replace(old, new), rule=REGEX)

        (finding,) = read(repository)["findings"]

        assert (finding["id"], finding["severity"], finding["path"]) == ("SP408", "error", path)
        assert finding["message"] == f"{PATH} cannot be used while this stands among its parts: {problem}"
        ended = repository.sealpy("decrypt", PATH, keys=("prod",))
        assert (ended.code != 0, ended.out) == (True, "")
        assert f"sealpy: {path}: {problem}\n" in ended.err

    def test_a_part_without_an_object_is_an_error(self, repository: Repository) -> None:
        repository.add("k8s/prod/secrets.d/m.yaml", "m: {x: evil}\n", rule="^x$")
        found = [one for one in read(repository)["findings"] if one["id"] == "SP408"]
        assert [one["path"] for one in found] == ["k8s/prod/secrets.d/m.yaml"]

    @pytest.mark.parametrize("linked", ["k8s/prod/secrets.d", "k8s/prod/secrets.d/TOKEN.yaml"])
    @pytest.mark.parametrize("committed", [False, True])
    def test_a_link_in_the_place_of_parts_is_an_error(
        self, repository: Repository, linked: str, *, committed: bool
    ) -> None:
        self.part(repository, "TOKEN", "TOKEN")
        place, away = repository.plain.folder / linked, repository.plain.folder / "elsewhere"
        place.rename(away)
        place.symlink_to(away)
        if committed:
            repository.commit()

        found = [one for one in read(repository)["findings"] if one["id"] == "SP408"]
        if not committed:
            repository.plain.git("add", "-A")
            assert [one["id"] for one in read(repository, "--staged")["findings"] if one["id"] == "SP408"] == ["SP408"]

        assert [(one["severity"], one["path"]) for one in found] == [("error", "k8s/prod/secrets.d/TOKEN.yaml")]
        assert f"{linked} is a symbolic link, which is not followed" in found[0]["message"]
        ended = repository.sealpy("decrypt", PATH, keys=("prod",))
        assert (ended.code != 0, ended.out) == (True, "")
        assert f"{linked} is a symbolic link" in ended.err

    def test_a_part_whose_file_is_gone_is_an_error(self, repository: Repository) -> None:
        path = self.part(repository, "TOKEN", "TOKEN")
        (repository.plain.folder / PATH).unlink()

        (finding,) = read(repository)["findings"]

        assert (finding["id"], finding["path"]) == ("SP408", path)
        assert finding["message"].startswith(f"it is a part of {PATH}, which is gone")
        repository.commit()
        repository.plain.git("reset", "-q", "--soft", "HEAD~1")
        assert [one["id"] for one in read(repository, "--staged")["findings"]] == ["SP408"]

    @pytest.mark.parametrize("change", ["rm", "mv"])
    def test_a_commit_that_leaves_parts_behind_is_an_error(self, repository: Repository, change: str) -> None:
        path = self.part(repository, "TOKEN", "TOKEN")
        repository.commit()
        repository.plain.git(change, PATH, *(["k8s/prod/other-secrets.yaml"] if change == "mv" else []))

        found = [(one["id"], one["path"]) for one in read(repository, "--staged")["findings"]]

        assert found == [("SP408", path)]

    def test_what_stands_beside_a_file_in_clear_without_secrets_is_no_part(self, repository: Repository) -> None:
        repository.plain.write("k8s/prod/app.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: app}\n")
        repository.add("k8s/prod/app.d/x-secrets.yaml", self.PART.format(key="TOKEN", name="db"), rule=REGEX)
        assert read(repository)["findings"] == []

    def test_a_folder_of_whole_objects_without_a_file_is_like_any_other(self, repository: Repository) -> None:
        repository.add("k8s/prod/secrets-conf.d/db.yaml", self.PART.format(key="TOKEN", name="db"), rule=REGEX)
        assert read(repository)["findings"] == []

    def test_what_a_merge_key_of_the_file_brings_is_replaced_too(self, repository: Repository) -> None:
        text = self.PART.format(key="<<", name="db").replace("<<: x", "<<: {TOKEN: y}")
        repository.add(PATH, text, rule=REGEX)
        self.part(repository, "TOKEN", "TOKEN")
        (finding,) = read(repository)["findings"]
        assert (finding["id"], finding["key"]) == ("SP315", "TOKEN")

    def test_a_part_that_replaces_a_value_is_noted(self, repository: Repository) -> None:
        self.part(repository, "PASSWORD", "PASSWORD")
        (finding,) = read(repository)["findings"]
        assert (finding["id"], finding["severity"]) == ("SP315", "note")


def test_a_conflict_is_named_with_its_line_by_whoever_reads_the_file(repository: Repository) -> None:
    line = next(line for line in repository.plain.read(PATH).splitlines() if "PASSWORD: " in line)
    repository.replace(PATH, line, f"<<<<<<< HEAD\n{line}\n=======\n{line}\n>>>>>>> other")
    for words in (("decrypt", PATH), ("set", PATH, '["a"]', '"b"'), ("add", PATH, "NEW", "--value-stdin")):
        ended = repository.sealpy(*words)
        assert ended.code != 0
        assert ended.err.startswith(
            f"sealpy: {PATH}:8: a merge left conflict markers\nsealpy: hint: take one side whole"
        )
    assert read(repository)["findings"][0]["line"] == 8
