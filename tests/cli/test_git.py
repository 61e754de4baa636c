"""What we ask of git, on real repositories."""

from pathlib import Path

import pytest

from sealpy.errors import SourceError
from sealpy_cli.repo.git import Git, GitError
from sealpy_cli.repo.snapshots import read_file, versions_of
from tests.cli.process import Program


@pytest.fixture
def repo(run: Program) -> Program:
    run.git("init", "-q", "-b", "main")
    run.write("a", "one\n")
    run.write("b", "two\n" * 20)
    run.git("add", "-A")
    run.git("commit", "-q", "-m", "first")
    return run


def status(repo: Program) -> list[tuple[bytes, bytes]]:
    with Git(str(repo.folder)) as git:
        return [(change.old_path, change.new_path) for change in git.status().changes]


def contents(repo: Program) -> dict[bytes, tuple[bytes | None, bytes | None]]:
    """Return old and new content of all that differs in the worktree."""
    with Git(str(repo.folder)) as git:
        changes = git.status().changes
        pairs = list(versions_of(git, changes, bytes(repo.folder)))
    return {(new or old).path: (old and old.data, new and new.data) for old, new in pairs}


class TestStatus:
    def test_a_clean_worktree_has_no_changes(self, repo):
        assert status(repo) == []

    def test_it_knows_the_branch(self, repo):
        with Git(str(repo.folder)) as git:
            assert git.status().branch == "main"
        repo.git("checkout", "-q", "--detach")
        with Git(str(repo.folder)) as git:
            assert git.status().branch == ""

    def test_staged_and_unstaged_edits_are_one_change_from_head(self, repo):
        repo.write("a", "staged\n")
        repo.git("add", "a")
        repo.write("a", "later\n")

        assert contents(repo) == {b"a": (b"one\n", b"later\n")}

    def test_a_file_that_was_added_and_is_gone_again_is_nothing(self, repo):
        repo.write("new", "x")
        repo.git("add", "new")
        (repo.folder / "new").unlink()

        assert status(repo) == []

    def test_a_file_taken_out_of_the_index_but_not_away_is_changed(self, repo):
        repo.git("rm", "-q", "--cached", "a")
        repo.write("a", "still here\n")

        assert contents(repo) == {b"a": (b"one\n", b"still here\n")}

    def test_a_file_meant_to_be_added_is_added(self, repo):
        repo.write("new", "x")
        repo.git("add", "-N", "new")

        assert contents(repo) == {b"new": (None, b"x")}

    def test_a_staged_rename_is_one_change(self, repo):
        repo.git("mv", "b", "c")

        assert status(repo) == [(b"b", b"c")]

    def test_an_unmerged_file_is_compared_with_our_side(self, repo):
        repo.git("checkout", "-q", "-b", "theirs")
        repo.write("a", "theirs\n")
        repo.git("commit", "-qam", "theirs")
        repo.git("checkout", "-q", "main")
        repo.write("a", "ours\n")
        repo.git("commit", "-qam", "ours")
        repo("merge", "theirs", program=["git"])

        old, new = contents(repo)[b"a"]

        assert old == b"ours\n"
        assert new is not None
        assert b"<<<<<<<" in new

    def test_an_odd_name_is_bytes(self, repo):
        repo.write('we ird\n\t"name', "x")

        assert status(repo) == [(b"", b'we ird\n\t"name')]

    def test_a_file_that_became_a_link_has_no_content(self, repo):
        (repo.folder / "a").unlink()
        (repo.folder / "a").symlink_to("/etc/passwd")

        assert contents(repo) == {b"a": (b"one\n", None)}


class TestNames:
    @pytest.mark.parametrize("name", ["main", "HEAD", "v1", "refs/heads/main", "main^{}", "HEAD~0"])
    def test_a_name_becomes_the_id_of_its_commit(self, repo, name):
        repo.git("tag", "-a", "-m", "annotated", "v1")

        with Git(str(repo.folder)) as git:
            assert git.commit(name) == repo.git("rev-parse", "HEAD").strip()

    @pytest.mark.parametrize(
        "name", ["", "nosuch", "-h", "--batch", "HEAD:a", "main\nHEAD", "HEAD^{tree}", "a b", "@{-1}"]
    )
    def test_anything_else_has_none_and_the_next_question_is_answered(self, repo, name):
        with Git(str(repo.folder)) as git:
            assert git.commit(name) == ""
            assert git.commit("HEAD") == repo.git("rev-parse", "HEAD").strip()

    def test_there_may_be_no_common_ancestor(self, repo):
        first = repo.git("rev-parse", "HEAD").strip()
        repo.git("checkout", "-q", "--orphan", "other")
        repo.git("commit", "-q", "-m", "other")

        with Git(str(repo.folder)) as git:
            assert git.merge_base(first, git.commit("HEAD")) == ""
            assert git.merge_base(first, first) == first


class TestBlobs:
    def test_they_come_in_order_also_when_one_is_missing_or_too_large(self, repo):
        ids = [repo.git("rev-parse", f"HEAD:{name}").strip() for name in ("a", "b")]
        missing = "1" * 40

        with Git(str(repo.folder)) as git:
            found = list(git.blobs([ids[0], missing, ids[1], ids[0]], limit=10))

        assert [(blob.data, blob.size) for blob in found] == [(b"one\n", 4), (None, -1), (None, 80), (b"one\n", 4)]

    def test_many_more_than_fit_a_pipe(self, repo):
        one = repo.git("rev-parse", "HEAD:b").strip()

        with Git(str(repo.folder)) as git:
            assert sum(len(blob.data or b"") for blob in git.blobs([one] * 20_000, limit=100)) == 80 * 20_000


class TestFaults:
    def test_no_repository(self, tmp_path, monkeypatch):
        monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
        with Git(str(tmp_path)) as git, pytest.raises(GitError, match="not a git repository"):
            git.commit("HEAD")
        with Git(str(tmp_path)) as git, pytest.raises(GitError, match="not a git repository"):
            git.status()

    def test_what_git_says_is_made_visible(self, repo):
        with Git(str(repo.folder)) as git, pytest.raises(SourceError) as caught:
            git.differences(("HEAD", "no\x1b[2Jsuch"))
        assert caught.value.message.isprintable()


def test_a_pipe_in_the_worktree_is_not_read(tmp_path: Path):
    import os

    os.mkfifo(tmp_path / "pipe")

    assert read_file(bytes(tmp_path / "pipe"), b"pipe").problem == "neither file, folder nor link"


def test_a_file_over_the_limit_is_not_read(tmp_path: Path):
    with (tmp_path / "large").open("wb") as file:
        file.truncate(21 << 20)

    version = read_file(bytes(tmp_path / "large"), b"large")

    assert (version.data, version.problem) == (None, "21 MiB, not looked into")
