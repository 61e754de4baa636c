"""``encrypt --staged`` and the hook before a commit, told apart: what is staged, and what lies in the worktree."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.process import Program
from tests.cli.test_init import KUSTOMIZATION, SECRET, Repository

Tool = Callable[[str], str]

FILE = "envs/prod/secrets.yaml"
OTHER = "envs/dev/secrets.yaml"


@pytest.fixture
def repository(home: Path, tmp_path: Path) -> Repository:
    """Return a repository that ``sealpy init`` set up, with its first commit."""
    (tmp_path / "work").mkdir()
    repository = Repository(tmp_path / "work", home)
    for environment in ("dev", "prod"):
        repository.write(f"envs/{environment}/kustomization.yaml", KUSTOMIZATION)
    assert repository.sealpy("init").code == 0
    assert repository.commit().code == 0
    return repository


def staged(repository: Repository, name: str = FILE) -> str:
    return repository.git("show", f":{name}").out


def worktree(repository: Repository, name: str = FILE) -> str:
    return (repository.folder / name).read_text()


def head(repository: Repository, name: str = FILE) -> str:
    return repository.git("show", f"HEAD:{name}", check=False).out


def opened(repository: Repository, tool: Tool, home: Path, text: str) -> str:
    """Open a text with the real sops."""
    key_file = home / "config/sops/age/keys.txt"
    ended = subprocess.run(
        [tool("sops"), "decrypt", "--input-type", "yaml", "--output-type", "yaml", "/dev/stdin"],
        input=text,
        capture_output=True,
        text=True,
        env={"SOPS_AGE_KEY_FILE": str(key_file), "HOME": str(home), "PATH": "/usr/bin:/bin"},
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


PRUNED = (
    "sealpy: hint: what was staged in clear stays in .git/objects until git prunes it; a push does not take it along\n"
)


class TestEncryptStaged:
    def test_it_seals_index_and_worktree_and_the_commit_goes_through(
        self, repository: Repository, tool: Tool, home: Path
    ) -> None:
        assert repository.commit(FILE, SECRET).code == 1

        ended = repository.sealpy("encrypt", "--staged")

        assert ended == (0, "", f"sealpy: encrypted {FILE}, which was staged in clear\n{PRUNED}")
        assert "hunter2" not in staged(repository)
        assert staged(repository) == worktree(repository)
        assert repository.git("status", "--porcelain").out == f"A  {FILE}\n"
        assert repository.git("commit", "-q", "-m", "x").code == 0
        assert "password: hunter2" in opened(repository, tool, home, head(repository))

    def test_a_file_edited_after_staging_keeps_its_edit_and_what_was_staged_is_sealed(
        self, repository: Repository, tool: Tool, home: Path
    ) -> None:
        repository.write(FILE, SECRET)
        repository.git("add", FILE)
        later = SECRET.replace("hunter2", "not yet")
        repository.write(FILE, later)

        ended = repository.sealpy("encrypt", "--staged")

        assert ended == (
            0,
            "",
            (
                f"sealpy: encrypted {FILE} as it was staged\n"
                f"sealpy: warning: {FILE} in the worktree is another version, and stays as it is, in clear\n"
                f"{PRUNED}"
            ),
        )
        assert worktree(repository) == later
        assert "password: hunter2" in opened(repository, tool, home, staged(repository))

    def test_a_file_that_is_not_staged_is_left_alone(self, repository: Repository) -> None:
        repository.write(FILE, SECRET)

        ended = repository.sealpy("encrypt", "--staged")

        assert ended == (0, "", "sealpy: nothing is staged in clear that should be encrypted\n")
        assert worktree(repository) == SECRET

    def test_a_staged_file_that_is_gone_from_the_worktree_is_sealed_where_it_is(self, repository: Repository) -> None:
        repository.write(FILE, SECRET)
        repository.git("add", FILE)
        (repository.folder / FILE).unlink()

        assert repository.sealpy("encrypt", "--staged").code == 0

        assert "hunter2" not in staged(repository)
        assert not (repository.folder / FILE).exists()

    def test_what_did_not_change_since_the_last_commit_keeps_its_bytes(self, repository: Repository) -> None:
        repository.write(FILE, SECRET.replace("stringData:\n", "stringData:\n  user: app\n"))
        repository.git("add", FILE)
        repository.sealpy("encrypt", "--staged")
        repository.git("commit", "-q", "-m", "x")
        user = next(line for line in worktree(repository).splitlines() if "user: " in line)
        assert repository.sealpy("decrypt", "-i", FILE).code == 0
        repository.write(FILE, worktree(repository).replace("hunter2", "n3w"))
        repository.git("add", FILE)

        assert repository.sealpy("encrypt", "--staged").code == 0

        assert user in staged(repository).splitlines()
        assert "n3w" not in staged(repository)

    def test_the_rule_is_that_of_the_nearest_configuration_as_it_is_staged(self, repository: Repository) -> None:
        recipient = repository.sealpy("key", "new", "--output", "other.txt").out.split()[-1]
        (repository.folder / "other.txt").unlink()
        rules = f"creation_rules:\n  - path_regex: ^conf/\n    encrypted_regex: ^b$\n    age: {recipient}\n"
        repository.write("app/.sops.yaml", rules)
        repository.write("app/conf/a.json", '{"a": "left", "b": "hunter2"}\n')
        repository.git("add", "-A")
        repository.write("app/.sops.yaml", "creation_rules: []\n")

        ended = repository.sealpy("encrypt", "--staged", cwd="envs")

        assert ended.code == 0, ended.err
        text = staged(repository, "app/conf/a.json")
        assert '"a": "left"' in text
        assert "hunter2" not in text
        assert recipient in text

    def test_the_mode_of_a_file_stays(self, repository: Repository) -> None:
        repository.write(FILE, SECRET)
        (repository.folder / FILE).chmod(0o755)
        repository.git("add", FILE)

        assert repository.sealpy("encrypt", "--staged").code == 0

        assert repository.git("ls-files", "--stage", FILE).out.startswith("100755 ")

    def test_one_that_cannot_be_sealed_does_not_stop_the_others(self, repository: Repository) -> None:
        text = (repository.folder / ".sops.yaml").read_text()
        broken = "age1jgqqwzlaf09cwk907mmzstq0hq7y8yrcxd8tqrjkj76t4txc99vq6dndxx"
        first = text.index("      - age1")
        repository.write(".sops.yaml", text[:first] + f"      - {broken}\n" + text[text.index("\n", first) + 1 :])
        for name in (OTHER, FILE):
            repository.write(name, SECRET)
        repository.git("add", "-A")

        ended = repository.sealpy("encrypt", "--staged")

        assert ended.code != 0
        assert "sealpy: 1 encrypted, 1 failed\n" in ended.err
        assert [("hunter2" in staged(repository, name)) for name in (OTHER, FILE)] == [True, False]

    def test_it_takes_no_file(self, repository: Repository) -> None:
        ended = repository.sealpy("encrypt", "--staged", FILE)

        assert ended.code == 8
        assert "--staged takes no file and no output: it looks for what is staged in clear" in ended.err

    def test_outside_of_git_it_says_so(self, run: Program) -> None:
        ended = run("encrypt", "--staged", env={"GIT_CEILING_DIRECTORIES": str(run.folder.parent)})

        assert ended.code != 0
        assert "not a git repository" in ended.err

    def test_by_the_name_of_sops_there_is_no_such_flag(self, run: Program) -> None:
        assert "unknown flag --staged" in run("encrypt", "--staged", name="sops").err


class TestHook:
    def test_it_refuses_with_the_one_command_that_mends_it(self, repository: Repository) -> None:
        ended = repository.commit(FILE, SECRET)

        assert ended.code == 1
        assert ended.err == (
            f"sealpy: {FILE}:6: not committed: it is in clear, but a creation rule wants it encrypted\n"
            "sealpy: hint: sealpy encrypt --staged\n"
        )
        assert worktree(repository) == SECRET
        assert head(repository) == ""

    @pytest.mark.parametrize("words", [["commit"], ["commit", "-a"]], ids=" ".join)
    def test_told_to_seal_it_seals_and_the_commit_goes_on(
        self, repository: Repository, tool: Tool, home: Path, words: list[str]
    ) -> None:
        repository.git("config", "sealpy.staged", "seal")
        repository.write(FILE, SECRET)
        repository.git("add", FILE)

        ended = repository.git(*words, "-q", "-m", "x", check=False)

        assert ended.code == 0, ended.err
        assert f"sealpy: encrypted {FILE}, which was staged in clear\n" in ended.err
        assert "password: hunter2" in opened(repository, tool, home, head(repository))
        assert repository.git("status", "--porcelain").out == ""

    def test_told_to_seal_it_commits_what_was_staged_and_leaves_a_later_edit(
        self, repository: Repository, tool: Tool, home: Path
    ) -> None:
        repository.git("config", "sealpy.staged", "seal")
        repository.write(FILE, SECRET)
        repository.git("add", FILE)
        later = SECRET.replace("hunter2", "not yet")
        repository.write(FILE, later)

        assert repository.git("commit", "-q", "-m", "x", check=False).code == 0

        assert "password: hunter2" in opened(repository, tool, home, head(repository))
        assert worktree(repository) == later
        assert repository.git("status", "--porcelain").out == f" M {FILE}\n"

    def test_a_commit_of_named_files_is_refused_even_so_and_says_what_to_do(self, repository: Repository) -> None:
        """Git commits from an index of its own then, and the one that stays would still have it in clear."""
        repository.git("config", "sealpy.staged", "seal")
        repository.write(FILE, SECRET)
        repository.git("add", "--intent-to-add", FILE)

        ended = repository.git("commit", "-q", "-m", "x", FILE, check=False)

        assert ended.code == 1
        assert f"sealpy: {FILE}:6: not committed: " in ended.err
        assert f"sealpy: hint: git add {FILE} && sealpy encrypt --staged\n" in ended.err
        repository.git("add", FILE)
        assert repository.sealpy("encrypt", "--staged").code == 0
        assert repository.git("commit", "-q", "-m", "x", FILE).code == 0
        assert "hunter2" not in head(repository)

    def test_told_to_seal_it_still_refuses_what_is_damaged(self, repository: Repository) -> None:
        repository.git("config", "sealpy.staged", "seal")
        assert repository.commit(FILE, SECRET).code == 0
        sealed = worktree(repository)

        ended = repository.commit(FILE, sealed.replace("password: ENC[AES256_GCM,data:", "password: plain #"))

        assert ended.code == 1
        assert f"sealpy: {FILE}" in ended.err

    def test_it_does_not_seal_over_keys_that_it_cannot_read(self, repository: Repository, home: Path) -> None:
        repository.git("config", "sealpy.staged", "seal")
        assert repository.commit(FILE, SECRET).code == 0
        (home / "config/sops/age/keys.txt").unlink()

        ended = repository.commit(FILE, SECRET.replace("password: hunter2", "token: n3w"))

        assert ended.code == 1
        assert "would drop password: the committed file has them, and no key here opens it" in ended.err
        assert f"{FILE}:6: not committed: " in ended.err

    def test_another_choice_is_a_mistake(self, repository: Repository) -> None:
        repository.git("config", "sealpy.staged", "encrypt")

        ended = repository.commit(FILE, SECRET)

        assert ended.code == 1
        assert ended.err == (
            "sealpy: sealpy.staged is neither seal nor refuse\nsealpy: hint: git config sealpy.staged refuse\n"
        )
