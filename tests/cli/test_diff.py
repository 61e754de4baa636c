"""``sealpy diff`` on real repositories, with files sealed by the real sops."""

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.repository import SECRET, Repository, on_a_terminal
from tests.conftest import AgeKey


@pytest.fixture
def repo(tmp_path: Path, home: Path, tool: Callable[[str], str], age_key: AgeKey, other_key: AgeKey) -> Repository:
    """Return a repository with one Secret for production and one for development."""
    keys = {"prod": tuple(age_key), "dev": tuple(other_key)}
    made = Repository(tmp_path / "repo", home, tool("sops"), keys)
    made.add("prod/db.yaml", SECRET.format(name="db", password="hunter2"))
    made.add("dev/db.yaml", SECRET.format(name="db", password="hunter2"), to="dev")
    made.plain.write("README.md", "read me\n")
    made.commit("first")
    return made


def blocks(out: str) -> dict[str, list[str]]:
    """Return the lines of a report by file."""
    found = {}
    for block in out.split("\n\n")[1:-1]:
        first, *lines = block.splitlines()
        found[first.split("  ")[0]] = lines
    return found


class TestRange:
    def test_a_dirty_worktree_is_compared_with_head(self, repo):
        repo.set("prod/db.yaml", '["stringData"]["PASSWORD"]', "n3w")

        ended = repo.diff("--reveal")

        head = repo.plain.git("rev-parse", "HEAD")[:7]
        assert ended.out.splitlines()[0] == f"diff HEAD ({head}) → worktree"
        assert '~ stringData.PASSWORD  "hunter2" → "n3w"' in ended.out
        assert ended.out.endswith("\n1 changed file looked at: 1 with changes\n")

    def test_a_clean_branch_is_compared_with_where_it_left_the_default_branch(self, repo):
        repo.branch("feature")
        repo.set("prod/db.yaml", '["stringData"]["PASSWORD"]', "n3w")
        repo.commit()
        repo.plain.git("checkout", "-q", "main")
        repo.set("dev/db.yaml", '["stringData"]["PASSWORD"]', "of main")
        repo.commit()
        repo.plain.git("checkout", "-q", "feature")

        ended = repo.diff("--reveal")

        assert ended.out.splitlines()[0].startswith("diff main...feature")
        assert list(blocks(ended.out)) == ["prod/db.yaml"]

    @pytest.mark.parametrize("words", [("feature",), ("main...feature",), ("main...",)])
    def test_a_branch_is_shown_as_its_pull_request_would_be(self, repo, words):
        base = repo.plain.git("rev-parse", "HEAD")[:7]
        repo.branch("feature")
        repo.set("prod/db.yaml", '["stringData"]["PASSWORD"]', "n3w")
        repo.commit()
        repo.plain.git("checkout", "-q", "main")
        repo.set("dev/db.yaml", '["stringData"]["PASSWORD"]', "of main")
        repo.commit()
        if words == ("main...",):
            repo.plain.git("checkout", "-q", "feature")

        ended = repo.diff("--reveal", *words)

        name = "HEAD" if words == ("main...",) else "feature"
        assert ended.out.splitlines()[0] == f"diff main...{name}  (merge base {base})"
        assert list(blocks(ended.out)) == ["prod/db.yaml"]

    @pytest.mark.parametrize("words", [("main", "feature"), ("main..feature",)])
    def test_two_commits_are_compared_as_they_are(self, repo, words):
        repo.branch("feature")
        repo.set("prod/db.yaml", '["stringData"]["PASSWORD"]', "n3w")
        repo.commit()
        repo.plain.git("checkout", "-q", "main")
        repo.set("dev/db.yaml", '["stringData"]["PASSWORD"]', "of main")
        repo.commit()

        ended = repo.diff(*words)

        old, new = repo.plain.git("rev-parse", "main", "feature").split()
        assert ended.out.splitlines()[0] == f"diff main ({old[:7]}) → feature ({new[:7]})"
        assert list(blocks(ended.out)) == ["dev/db.yaml", "prod/db.yaml"]

    def test_a_commit_that_the_default_branch_has_shows_what_came_after_it(self, repo):
        repo.set("prod/db.yaml", '["stringData"]["PASSWORD"]', "n3w")
        repo.commit()

        ended = repo.diff("HEAD~1", "--reveal")

        assert "main has HEAD~1 already; this is what came after it" in ended.out
        assert list(blocks(ended.out)) == ["prod/db.yaml"]

    def test_the_index_is_compared_whatever_the_worktree_says(self, repo):
        repo.set("prod/db.yaml", '["stringData"]["PASSWORD"]', "staged")
        repo.plain.git("add", "-A")
        repo.set("prod/db.yaml", '["stringData"]["PASSWORD"]', "later")

        ended = repo.diff("--staged", "--reveal")

        assert ended.out.splitlines()[0].endswith("→ index")
        assert '"hunter2" → "staged"' in ended.out
        assert "later" not in ended.out

    def test_the_remote_default_branch_comes_before_a_local_one(self, repo, tmp_path):
        clone = tmp_path / "clone"
        repo.plain.git("clone", "-q", str(repo.folder), str(clone))
        repo.folder = clone
        ended = repo.diff()

        assert ended.out.splitlines()[0].startswith("diff origin/main...main")
        assert ended.out.splitlines()[-1].startswith("no change: ")
        assert ended.out.splitlines()[-1].endswith(" looked at, none differs")

    def test_a_clone_of_a_ci_system_has_only_a_remote_branch(self, repo, tmp_path):
        clone = tmp_path / "clone"
        repo.plain.git("clone", "-q", str(repo.folder), str(clone))
        repo.plain.folder = repo.folder = clone
        repo.plain.git("checkout", "-q", "--detach")
        repo.plain.git("branch", "-q", "-D", "main")
        repo.plain.git("remote", "set-head", "origin", "--delete")

        assert repo.diff().out.splitlines()[0].startswith("diff origin/main...HEAD")

    def test_a_branch_that_is_only_on_the_remote_is_found(self, repo, tmp_path):
        repo.branch("feature")
        repo.set("prod/db.yaml", '["stringData"]["PASSWORD"]', "n3w")
        repo.commit()
        repo.plain.git("checkout", "-q", "main")
        clone = tmp_path / "clone"
        repo.plain.git("clone", "-q", str(repo.folder), str(clone))
        repo.folder = clone

        assert repo.diff("feature").out.splitlines()[0].startswith("diff origin/main...origin/feature")

    def test_paths_after_two_hyphens_limit_the_report(self, repo):
        repo.set("prod/db.yaml", '["stringData"]["PASSWORD"]', "n3w")
        repo.set("dev/db.yaml", '["stringData"]["PASSWORD"]', "n3w")

        assert list(blocks(repo.diff("--", "dev").out)) == ["dev/db.yaml"]

    def test_paths_are_relative_to_the_current_folder(self, repo):
        repo.set("prod/db.yaml", '["stringData"]["PASSWORD"]', "n3w")
        repo.set("dev/db.yaml", '["stringData"]["PASSWORD"]', "n3w")
        repo.folder /= "dev"

        assert list(blocks(repo.diff("--", "db.yaml").out)) == ["dev/db.yaml"]

    def test_two_files_outside_git_are_compared(self, repo, tmp_path):
        old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
        shutil.copy(repo.folder / "prod/db.yaml", old)
        repo.set("prod/db.yaml", '["stringData"]["PASSWORD"]', "n3w")
        shutil.copy(repo.folder / "prod/db.yaml", new)
        repo.folder = tmp_path

        ended = repo.diff("--files", old, new, "--reveal")

        assert ended.out.splitlines()[0] == f"diff {old} → {new}"
        assert '"hunter2" → "n3w"' in ended.out

    def test_a_bare_repository_has_branches_to_compare(self, repo, tmp_path):
        repo.branch("feature")
        repo.set("prod/db.yaml", '["stringData"]["PASSWORD"]', "n3w")
        repo.commit()
        bare = tmp_path / "bare.git"
        repo.plain.git("clone", "-q", "--bare", str(repo.folder), str(bare))
        repo.folder = bare

        assert list(blocks(repo.diff("feature").out)) == ["prod/db.yaml"]

    def test_before_the_first_commit_everything_is_new(self, repo, tmp_path):
        fresh = tmp_path / "fresh"
        shutil.copytree(repo.folder, fresh, ignore=shutil.ignore_patterns(".git"))
        repo.folder = fresh
        subprocess.run(["git", "init", "-q", str(fresh)], check=True)

        ended = repo.diff("--reveal")

        assert ended.out.splitlines()[0] == "diff nothing (no commit yet) → worktree"
        assert '+ stringData.PASSWORD  "hunter2"' in ended.out


class TestNoChange:
    def test_nothing_differs(self, repo):
        ended = repo.diff()

        assert ended.code == 0
        assert ended.out.splitlines()[0].startswith("diff main...main")
        assert ended.out.splitlines()[-1] == "no change: 3 files looked at, none differs"

    def test_only_other_files_differ(self, repo):
        repo.plain.write("README.md", "read me again\n")

        ended = repo.diff("--exit-code")

        assert ended.code == 0
        assert "without secrets: README.md" in ended.out
        assert ended.out.splitlines()[-1] == "no change in any secret; 1 changed file looked at: 1 without secrets"

    def test_a_rotation_is_told_from_a_change(self, repo):
        repo.sops("rotate", "-i", "prod/db.yaml")

        ended = repo.diff("--exit-code")

        assert ended.code == 0
        assert blocks(ended.out)["prod/db.yaml"] == ["  = 3 values re-encrypted, plaintext unchanged; data key rotated"]


class TestValues:
    def test_they_are_hidden_when_the_output_is_no_terminal(self, repo):
        repo.set("prod/db.yaml", '["stringData"]["PASSWORD"]', "n3w-canary")

        ended = repo.diff()

        assert "values are hidden, for this is no terminal; --reveal shows them" in ended.out
        assert "~ stringData.PASSWORD  changed: str, 7 → 10 B" in ended.out
        assert "canary" not in ended.out
        assert "hunter2" not in ended.out

    def test_they_are_shown_on_a_terminal(self, repo):
        repo.set("prod/db.yaml", '["stringData"]["PASSWORD"]', "n3w")

        screen = on_a_terminal(repo)

        assert '"hunter2" → "n3w"' in screen
        assert "\033[1mdiff HEAD" in screen

    @pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
    def test_colour_can_be_refused(self, repo, env):
        repo.set("prod/db.yaml", '["stringData"]["PASSWORD"]', "n3w")

        assert "\033" not in on_a_terminal(repo, env=env)

    def test_they_are_hidden_in_ci_even_on_a_terminal(self, repo):
        repo.set("prod/db.yaml", '["stringData"]["PASSWORD"]', "n3w")

        screen = on_a_terminal(repo, env={"CI": "true"})

        assert "values are hidden in CI" in screen
        assert "hunter2" not in screen

    def test_revealing_them_in_ci_must_be_insisted_on(self, repo):
        repo.set("prod/db.yaml", '["stringData"]["PASSWORD"]', "n3w")

        refused = repo.diff("--reveal", env={"CI": "true"})
        insisted = repo.diff("--reveal", "--reveal-in-ci", env={"CI": "true"})

        assert refused.code == 2
        assert refused.out == ""
        assert "--reveal-in-ci" in refused.err
        assert '"hunter2" → "n3w"' in insisted.out

    def test_base64_is_decoded_and_a_trailing_new_line_seen(self, repo):
        repo.set("prod/db.yaml", '["data"]["TLS"]', "YWJjCg==")

        assert '~ data.TLS  "abc" → "abc⏎"' in repo.diff("--reveal").out

    def test_long_texts_are_compared_line_by_line(self, repo):
        lines = [f"line {number}" for number in range(20)]
        repo.add("prod/file.yaml", "stringData:\n  f: |\n" + "".join(f"    {line}\n" for line in lines))
        repo.commit()
        repo.set("prod/file.yaml", '["stringData"]["f"]', "\n".join(lines).replace("line 9", "line nine") + "\n")

        lines = blocks(repo.diff("--reveal").out)["prod/file.yaml"]

        assert "      - line 9" in lines
        assert "      + line nine" in lines
        assert not [line for line in lines if "line 3" in line]


class TestKeys:
    def test_one_file_that_no_key_opens_does_not_hide_the_others(self, repo):
        repo.set("prod/db.yaml", '["stringData"]["PASSWORD"]', "n3w")
        repo.set("dev/db.yaml", '["stringData"]["PASSWORD"]', "also")

        for mine, others in (("prod", "dev"), ("dev", "prod")):
            report = blocks(repo.diff("--reveal", keys=(mine,)).out)
            assert any('"hunter2" → ' in line for line in report[f"{mine}/db.yaml"])
            asked, changed, *_ = report[f"{others}/db.yaml"]
            assert asked == f"  ? no key here opens it; who has one: {repo.recipient(others)}"
            assert changed.startswith("  ~ stringData.PASSWORD  changed: str, 7 → ")

    def test_without_any_key_structure_is_shown(self, repo):
        repo.set("prod/db.yaml", '["stringData"]["TOKEN"]', "0123456789abcdef")
        repo.sops("unset", "prod/db.yaml", '["stringData"]["USER"]')

        ended = repo.diff("--reveal", keys=())

        assert ended.code == 0
        assert "+ stringData.TOKEN  str, 16 B" in ended.out
        assert "- stringData.USER   str, 3 B" in ended.out
        assert "1 that no key here opens" in ended.out

    def test_the_way_to_open_more_is_said_once(self, repo):
        repo.set("prod/db.yaml", '["stringData"]["PASSWORD"]', "n3w")
        repo.set("dev/db.yaml", '["stringData"]["PASSWORD"]', "n3w")

        assert repo.diff(keys=()).out.count("SOPS_AGE_KEY_FILE") == 1
        assert "to open more" not in repo.diff(keys=("prod", "dev")).out

    def test_decryption_can_be_required(self, repo):
        repo.set("prod/db.yaml", '["stringData"]["PASSWORD"]', "n3w")

        assert repo.diff("--require-decrypt", keys=("prod",)).code == 0
        assert repo.diff("--require-decrypt", keys=("dev",)).code == 4

    def test_recipients_that_came_and_went_are_shown_without_any_key(self, repo):
        repo.sops("rotate", "-i", "--add-age", repo.recipient("dev"), "prod/db.yaml")
        repo.sops("rotate", "-i", "--rm-age", repo.recipient("prod"), "prod/db.yaml")

        lines = blocks(repo.diff(keys=()).out)["prod/db.yaml"]

        assert f"  + recipient {repo.recipient('dev')}" in lines
        assert f"  - recipient {repo.recipient('prod')}" in lines


class TestIntegrity:
    def test_a_hand_edited_value_ends_with_5_and_the_rest_is_shown(self, repo):
        repo.replace("prod/db.yaml", "namespace: shop", "namespace: evil")
        repo.set("dev/db.yaml", '["stringData"]["PASSWORD"]', "also")

        ended = repo.diff("--reveal", keys=("prod", "dev"))

        assert ended.code == 5
        assert "  ! the MAC does not match the values" in blocks(ended.out)["prod/db.yaml"]
        assert '"hunter2" → "also"' in ended.out

    def test_without_a_key_too_a_hand_edited_value_ends_with_5(self, repo):
        repo.replace("prod/db.yaml", "namespace: shop", "namespace: evil")
        repo.plain.git("commit", "-qam", "Edit")

        ended = repo.diff("HEAD~1..HEAD", keys=())

        assert ended.code == 5
        assert (
            "  ! edited without its key: the MAC is that of before, and does not fit metadata.namespace"
            in blocks(ended.out)["prod/db.yaml"]
        )

    def test_a_value_moved_to_another_key_ends_with_5(self, repo):
        repo.replace("prod/db.yaml", "PASSWORD:", "PASSWORT:")

        ended = repo.diff("--reveal")

        assert ended.code == 5
        assert any("! stringData.PASSWORT does not open" in line for line in blocks(ended.out)["prod/db.yaml"])

    def test_integrity_counts_before_everything_else_but_usage(self, repo):
        repo.replace("prod/db.yaml", "namespace: shop", "namespace: evil")
        repo.set("dev/db.yaml", '["stringData"]["PASSWORD"]', "also")

        assert repo.diff("--exit-code", "--require-decrypt").code == 5

    def test_a_file_cut_short_ends_with_5(self, repo):
        text = repo.plain.read("prod/db.yaml")
        repo.plain.write("prod/db.yaml", text[: text.index("lastmodified")])

        assert repo.diff().code == 5

    def test_what_the_mac_does_not_cover_is_said(self, repo):
        repo.replace("prod/db.yaml", "name: db\n    namespace: shop", "namespace: db\n    name: shop")

        ended = repo.diff()

        assert ended.code == 0
        assert '  ~ metadata.namespace  "shop" → "db"   [not under the MAC]' in blocks(ended.out)["prod/db.yaml"]

    def test_a_secret_in_clear_is_called_that(self, repo):
        repo.plain.write("prod/oops.yaml", SECRET.format(name="oops", password="leaked-canary"))

        ended = repo.diff()

        lines = blocks(ended.out)["prod/oops.yaml"]
        assert lines[0] == "  ! NOT ENCRYPTED: whoever sees the repository reads these values"
        assert "canary" not in ended.out
        assert "1 not encrypted" in ended.out


class TestFiles:
    def test_untracked_files_count_as_added_and_ignored_ones_do_not(self, repo):
        repo.add("prod/new.yaml", SECRET.format(name="new", password="x"))
        repo.plain.write(".git/info/exclude", "ignored.yaml\n")
        shutil.copy(repo.folder / "prod/new.yaml", repo.folder / "ignored.yaml")

        assert list(blocks(repo.diff().out)) == ["prod/new.yaml"]

    def test_a_removed_file_lists_what_it_held(self, repo):
        (repo.folder / "prod/db.yaml").unlink()

        out = repo.diff("--reveal").out

        assert "prod/db.yaml  removed  Secret shop/db" in out
        assert '  - stringData.PASSWORD  "hunter2"' in out

    @pytest.mark.parametrize("staged", [True, False])
    def test_a_file_that_moved_and_was_rotated_is_a_rename(self, repo, staged):
        (repo.folder / "prod/db.yaml").rename(repo.folder / "prod/database.yaml")
        repo.sops("rotate", "-i", "prod/database.yaml")
        if staged:
            repo.plain.git("add", "-A")

        out = repo.diff().out

        assert "prod/database.yaml  renamed from prod/db.yaml" in out
        assert blocks(out)["prod/database.yaml"] == ["  = 3 values re-encrypted, plaintext unchanged; data key rotated"]

    def test_links_and_submodules_are_named_and_not_followed(self, repo, tmp_path):
        outside = tmp_path / "outside.yaml"
        outside.write_text(SECRET.format(name="outside", password="canary"))
        (repo.folder / "link.yaml").symlink_to(outside)
        inner = repo.folder / "inner"
        subprocess.run(["git", "init", "-q", str(inner)], check=True)
        subprocess.run(["git", "-C", str(inner), "commit", "-q", "--allow-empty", "-m", "x"], check=True)
        in_worktree = repo.diff("--reveal").out
        repo.plain.git("add", "-A")

        in_index = repo.diff("--staged", "--reveal").out

        for out in (in_worktree, in_index):
            assert f"symbolic link to {outside}" in out
            assert "not looked into" in out
            assert "canary" not in out

    @pytest.mark.parametrize("name", ["we ird$(x)'\".yaml", "new\nline.yaml", "-rf.yaml", "ünï.yaml"])
    def test_any_file_name_works_and_is_shown_on_one_line(self, repo, name):
        repo.add("prod/new.yaml", SECRET.format(name="new", password="x"))
        (repo.folder / "prod/new.yaml").rename(repo.folder / "prod" / name)
        worktree = blocks(repo.diff().out)
        repo.commit()

        committed = blocks(repo.diff("HEAD~1", "HEAD").out)

        assert list(worktree) == list(committed) == ["prod/" + name.replace("\n", "⏎")]

    def test_a_file_name_that_is_no_text_works(self, repo):
        repo.add("prod/new.yaml", SECRET.format(name="new", password="x"))
        os.rename(os.fsencode(repo.folder / "prod/new.yaml"), os.fsencode(repo.folder) + b"/prod/caf\xe9.yaml")

        assert list(blocks(repo.diff().out)) == ["prod/caf⟦0xE9⟧.yaml"]
        assert repo.json()["files"][0]["path"] == {"b64": "cHJvZC9jYWbpLnlhbWw="}

    def test_a_file_whose_content_the_clone_lacks_is_named_and_ends_with_2(self, repo):
        repo.set("prod/db.yaml", '["stringData"]["PASSWORD"]', "n3w")
        repo.set("dev/db.yaml", '["stringData"]["PASSWORD"]', "n3w")
        repo.commit()
        blob = repo.plain.git("rev-parse", "HEAD:dev/db.yaml").strip()
        place = repo.folder / ".git/objects" / blob[:2] / blob[2:]
        place.chmod(stat.S_IRWXU)
        place.unlink()

        ended = repo.diff("HEAD~1", "HEAD", "--reveal")

        assert ended.code == 2
        assert any("not in this clone" in line for line in blocks(ended.out)["dev/db.yaml"])
        assert '"hunter2" → "n3w"' in ended.out

    def test_nothing_is_fetched_into_a_partial_clone(self, repo, tmp_path):
        repo.set("prod/db.yaml", '["stringData"]["PASSWORD"]', "n3w")
        repo.commit()
        repo.plain.git("config", "uploadpack.allowFilter", "true")
        repo.plain.git("config", "uploadpack.allowAnySHA1InWant", "true")
        partial = tmp_path / "partial"
        repo.plain.git("clone", "-q", "--filter=blob:none", f"file://{repo.folder}", str(partial))
        repo.folder = partial
        before = repo.contents()

        ended = repo.diff("HEAD~1", "HEAD")

        assert ended.code == 2
        assert "git fetch" in ended.out + ended.err
        assert repo.contents() == before

    def test_every_format_is_compared(self, repo):
        repo.add("prod/a.json", '{"a": {"b": "x"}}', rule="")
        repo.add("prod/a.env", "A=1\nB=2\n", rule="")
        repo.add("prod/a.ini", "[s]\na = 1\n", rule="")
        repo.add("prod/a.bin", b"\xff\x00binary", rule="")
        repo.commit()
        repo.add("prod/a.json", '{"a": {"b": "y"}}', rule="")
        repo.set("prod/a.env", '["B"]', "3")
        repo.set("prod/a.ini", '["s"]["a"]', "2")
        repo.add("prod/a.bin", b"\xff\x01binary!", rule="")

        report = blocks(repo.diff("--reveal").out)

        assert '  ~ a.b  "x" → "y"' in report["prod/a.json"]
        assert '  ~ B  "2" → "3"' in report["prod/a.env"]
        assert '  ~ s.a  "1" → "2"' in report["prod/a.ini"]
        assert "  ~ data  binary, 8 B → binary, 9 B" in report["prod/a.bin"]


class TestSafety:
    def test_attributes_textconv_and_external_diffs_have_no_say(self, repo):
        ran, trap = repo.home / "ran", repo.home / "trap"
        trap.write_text(f"#!/bin/sh\ntouch {ran}\n")
        trap.chmod(0o755)
        repo.branch("feature")
        for name in ("diff.trap.textconv", "diff.trap.command", "diff.external", "core.fsmonitor", "core.pager"):
            repo.plain.git("config", name, str(trap))
        repo.plain.git("config", "diff.trap.cachetextconv", "true")
        repo.plain.write(".gitattributes", "*.yaml -diff diff=trap\n")
        repo.set("prod/db.yaml", '["stringData"]["PASSWORD"]', "n3w")
        hostile = {"GIT_EXTERNAL_DIFF": str(trap), "GIT_PAGER": str(trap)}
        repo.plain.git("diff", "--ext-diff", "HEAD")
        assert ran.exists(), "the trap works"
        ran.unlink()

        worktree = repo.diff("--reveal", env=hostile)
        assert not ran.exists()
        repo.commit()
        ran.unlink()  # git add asked the monitor
        committed = repo.diff("--reveal", env=hostile)

        assert not ran.exists()
        assert '"hunter2" → "n3w"' in worktree.out
        assert '"hunter2" → "n3w"' in committed.out

    def test_nothing_is_written_anywhere(self, repo, tmp_path):
        repo.branch("feature")
        repo.set("prod/db.yaml", '["stringData"]["PASSWORD"]', "n3w")
        repo.commit()
        os.utime(repo.folder / "dev/db.yaml", (1, 1))  # git would like to refresh its index
        scratch = tmp_path / "scratch"
        scratch.mkdir()
        before = repo.contents()

        for words in ((), ("feature",), ("main", "feature"), ("--staged",)):
            assert repo.diff("--reveal", *words, env={"TMPDIR": str(scratch)}).code == 0

        assert repo.contents() == before
        assert list(scratch.iterdir()) == []

    @pytest.mark.parametrize(
        "words", [(), ("feature",), ("main", "feature"), ("main...feature",), ("--staged",), ("dirty",)]
    )
    def test_there_are_at_most_three_processes_however_many_files_there_are(self, repo, tmp_path, words):
        repo.branch("feature")
        text = repo.plain.read("prod/db.yaml")
        for number in range(60):
            repo.plain.write(f"many/{number}.yaml", text)
        repo.commit()
        for number in range(60):
            repo.replace(f"many/{number}.yaml", "type: Opaque", "type: opaque")
        if words == ("dirty",):
            words = ()
        else:
            repo.commit()
        bin_folder = tmp_path / "bin"
        bin_folder.mkdir()
        log = tmp_path / "log"
        real = shutil.which("git")
        (bin_folder / "git").write_text(f'#!/bin/sh\necho "$@" >> {log}\nexec {real} "$@"\n')
        (bin_folder / "git").chmod(0o755)

        ended = repo.diff(*words, env={"PATH": f"{bin_folder}:{os.environ['PATH']}"})

        assert "changed files looked at" in ended.out or words == ("--staged",)
        assert 1 <= len(log.read_text().splitlines()) <= 3

    def test_text_from_outside_cannot_speak_to_the_terminal(self, repo):
        evil = "\x1b]0;owned\x07\u202e\u200b"
        repo.plain.write(
            "prod/evil.yaml", json.dumps({"stringData": {f"KEY{evil}": f"value{evil}"}, "clear": f"text{evil}"})
        )
        repo.sops(
            "encrypt", "-i", "--encrypted-regex", "^stringData$", "--age", repo.recipient("prod"), "prod/evil.yaml"
        )
        (repo.folder / "prod/evil.yaml").rename(repo.folder / f"prod/{evil.replace('/', '')}.yaml")
        repo.replace("prod/db.yaml", repo.recipient("prod"), '"age1\\x1b[2J"')
        repo.replace("prod/db.yaml", "version: ", "version: 3.9.0 # ")

        for words in (("--reveal",), (), ("--json", "--reveal")):
            for keys in (("prod",), ()):
                ended = repo.diff(*words, keys=keys)
                assert ended.out.replace("\n", "").isprintable(), words
                assert "KEY" in ended.out

    def test_a_line_never_begins_with_text_from_outside(self, repo):
        repo.plain.write("prod/evil.yaml", json.dumps({"stringData": {"a": "x\n::set-output name=a::b\n##[error]y\n"}}))
        repo.sops(
            "encrypt", "-i", "--encrypted-regex", "^stringData$", "--age", repo.recipient("prod"), "prod/evil.yaml"
        )

        lines = repo.diff("--reveal").out.splitlines()

        assert any("::set-output" in line for line in lines)
        assert not [line for line in lines if line.lstrip().startswith("::") or "##[" in line]


class TestUsage:
    @pytest.mark.parametrize(
        "words",
        [
            ("nosuch",),
            ("nosuch", "main"),
            ("main", "nosuch"),
            ("a", "b", "c"),
            ("--staged", "main"),
            ("--files", "one"),
            ("--files", "no", "such"),
            ("--output=/tmp/x",),
            ("main", "--upload-pack=x"),
            ("-O/tmp/x",),
            ("README.md",),
            ("",),
        ],
    )
    def test_a_wrong_word_ends_with_2_and_says_so_on_stderr(self, repo, words):
        ended = repo.diff(*words)

        assert ended.code == 2
        assert ended.out == ""
        assert ended.err.startswith("sealpy: ")

    def test_a_name_that_is_a_file_is_explained(self, repo):
        assert 'put "--" before it' in repo.diff("README.md").err

    def test_outside_a_repository_it_says_so(self, repo, tmp_path):
        repo.folder = tmp_path
        ended = repo.diff(env={"GIT_CEILING_DIRECTORIES": str(tmp_path.parent)})

        assert ended.code == 2
        assert "not a git repository" in ended.err
        assert "--files" in ended.err

    def test_without_git_it_says_so(self, repo):
        ended = repo.diff(env={"PATH": "/nowhere"})

        assert ended.code == 2
        assert "git is not installed" in ended.err

    def test_histories_without_a_common_commit_are_explained(self, repo):
        repo.plain.git("checkout", "-q", "--orphan", "alien")
        repo.commit()

        for words in ((), ("alien",), ("main...alien",)):
            ended = repo.diff(*words)
            assert ended.code == 2
            assert "no common history" in ended.err
            assert "git fetch --unshallow" in ended.err

    def test_differences_end_with_1_only_when_asked(self, repo):
        repo.set("prod/db.yaml", '["stringData"]["PASSWORD"]', "n3w")

        assert repo.diff().code == 0
        assert repo.diff("--exit-code").code == 1

    def test_a_reader_that_goes_away_is_no_error(self, repo):
        for number in range(200):
            repo.plain.write(f"clear/{number}.yaml", SECRET.format(name=f"s{number}", password="x" * 400))
        script = "sealpy diff --reveal | head -n 1"
        shim = repo.home / "sealpy"
        shim.write_text(f'#!/bin/sh\nexec {sys.executable} -m sealpy_cli.main "$@"\n')
        shim.chmod(0o755)

        ended = subprocess.run(
            ["bash", "-o", "pipefail", "-c", script],
            cwd=repo.folder,
            env={**repo.plain.env, "PATH": f"{repo.home}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )

        assert ended.returncode in (0, 141)
        assert ended.stderr == ""


class TestJson:
    def test_it_holds_what_the_report_says(self, repo):
        repo.set("prod/db.yaml", '["stringData"]["PASSWORD"]', "n3w")

        report = repo.json("--reveal")

        assert report["schema"] == "sealpy.diff/1"
        assert report["revealed"] is True
        assert report["old"]["commit"] == repo.plain.git("rev-parse", "HEAD").strip()
        assert report["new"] == {"label": "worktree", "commit": None}
        (file,) = report["files"]
        assert (file["path"], file["standing"], file["mac"]) == ("prod/db.yaml", "opened", "ok")
        (change,) = file["objects"][0]["changes"]
        assert change["path"] == ["stringData", "PASSWORD"]
        assert change["old"] == {"type": "str", "size": 7, "value": "hunter2"}
        assert change["new"] == {"type": "str", "size": 3, "value": "n3w"}
        assert report["summary"]["files"] == report["summary"]["changed"] == 1

    def test_it_holds_no_value_unless_revealed(self, repo):
        repo.set("prod/db.yaml", '["stringData"]["PASSWORD"]', "n3w-canary")

        report = repo.json()

        assert report["revealed"] is False
        (change,) = report["files"][0]["objects"][0]["changes"]
        assert change["new"] == {"type": "str", "size": 10}
        assert "canary" not in json.dumps(report)

    def test_the_same_input_gives_the_same_bytes(self, repo):
        repo.set("prod/db.yaml", '["stringData"]["PASSWORD"]', "n3w")
        repo.set("dev/db.yaml", '["stringData"]["PASSWORD"]', "n3w")

        assert repo.diff("--json").out == repo.diff("--json").out
