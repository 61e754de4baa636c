"""``set --commit --push``: pipelines that write to one branch at the same time, against a real bare repository."""

import os
import subprocess
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from sealpy import operations, registry
from sealpy.identities import Identities
from sealpy.keyring import Keyring
from tests import places
from tests.cli.process import Ended, Program
from tests.conftest import AgeKey

Tool = Callable[[str], str]

FILE = "envs/prod/app.yaml"
RULE = """\
creation_rules:
  - encrypted_regex: ^(data|stringData)$
    mac_only_encrypted: true
    age: {recipient}
"""
APP = """\
apiVersion: v1
kind: Secret
metadata:
  name: app
  labels:
    image: app-1  # set by a pipeline
stringData:
  TOKEN: first
  OTHER: first
"""
PIPELINES = 8
ROUNDS = int(places.ENVIRONMENT.get("SEALPY_SOAK_ROUNDS", "10"))
"""How often each pipeline writes; SEALPY_SOAK_ROUNDS=100 takes three minutes."""


class Remote:
    """A bare repository, and clones of it."""

    def __init__(self, base: Path, key: AgeKey) -> None:
        self.base = base
        self.key = key
        self.folder = base / "origin.git"
        self._git(base, "init", "-q", "--bare", "-b", "main", str(self.folder))
        seed = self.clone("seed")
        seed.write(".sops.yaml", RULE.format(recipient=key.recipient))
        seed.write(FILE, APP)
        assert seed("encrypt", "-i", FILE).code == 0
        seed.git("add", "-A")
        seed.git("commit", "-q", "-m", "start")
        seed.git("push", "-q", "origin", "HEAD:main")

    def clone(self, name: str, *, has_key: bool = True, options: tuple[str, ...] = ()) -> Program:
        """Return sealpy in a clone of its own."""
        home = self.base / f"home-{name}"
        home.mkdir()
        self._git(self.base, "clone", "-q", *options, self.folder.as_uri(), name)
        env = {"SOPS_AGE_KEY": self.key.identity} if has_key else {}
        return Program(self.base / name, home, {**env, "GIT_AUTHOR_NAME": name, "GIT_COMMITTER_NAME": name})

    def git(self, *words: str) -> str:
        return self._git(self.folder, *words)

    def versions(self) -> list[dict[str, object]]:
        """Return the opened file of every commit, oldest first; each opens with a good MAC."""
        fmt = registry.format_for(FILE)
        keyring = Keyring(registry.backends(Identities({"SOPS_AGE_KEY": self.key.identity})))
        found = []
        for commit in self.git("rev-list", "--reverse", "main").split():
            raw = subprocess.run(
                ["git", "cat-file", "blob", f"{commit}:{FILE}"], cwd=self.folder, capture_output=True, check=True
            ).stdout
            clear = operations.clear_text(operations.open_document(raw, fmt, keyring), fmt).expose()
            found.append(yaml.safe_load(clear))
        return found

    def _git(self, folder: Path, *words: str) -> str:
        return subprocess.run(["git", *words], cwd=folder, capture_output=True, check=True, text=True).stdout


@pytest.fixture
def remote(tmp_path: Path, age_key: AgeKey) -> Remote:
    return Remote(tmp_path, age_key)


def push(who: Program, path: str, value: str, *words: str, env: Mapping[str, str] | None = None) -> Ended:
    """Have somebody set a value and push it."""
    return who("set", FILE, path, f'"{value}"', "--commit", f"{path} is {value}", "--push", *words, env=env)


TOKEN, OTHER, IMAGE = '["stringData"]["TOKEN"]', '["stringData"]["OTHER"]', '["metadata"]["labels"]["image"]'


@pytest.mark.timeout(300 + 10 * PIPELINES * ROUNDS)
def test_pipelines_that_write_at_once_lose_nothing(remote: Remote) -> None:
    """Half of them hold the key and set secrets, half hold none and set clear fields."""
    clones = [remote.clone(f"p{number}", has_key=number % 2 == 0) for number in range(PIPELINES)]

    def run(number: int) -> list[Ended]:
        field = "stringData" if number % 2 == 0 else "annotations"
        path = f'["{field}"]["p{number}"]' if field == "stringData" else f'["metadata"]["{field}"]["p{number}"]'
        return [push(clones[number], path, f"v{turn}") for turn in range(ROUNDS)]

    start = time.monotonic()
    with ThreadPoolExecutor(PIPELINES) as pool:
        ended = [one for each in pool.map(run, range(PIPELINES)) for one in each]
    seconds = time.monotonic() - start
    print(f"{PIPELINES} pipelines, {ROUNDS} rounds each: {seconds:.1f} s, {seconds / len(ended):.2f} s a push")

    assert [one.err for one in ended if one.code] == []
    assert remote.git("rev-list", "--merges", "main") == ""
    assert int(remote.git("rev-list", "--count", "main")) == 1 + PIPELINES * ROUNDS
    assert "error" not in remote.git("fsck", "--full")
    versions = remote.versions()
    for number in range(PIPELINES):
        seen = []
        for version in versions:
            metadata, secrets = version["metadata"], version["stringData"]
            assert isinstance(metadata, dict)
            assert isinstance(secrets, dict)
            fields = secrets if number % 2 == 0 else metadata.get("annotations", {})
            value = fields.get(f"p{number}")
            if value is not None and (not seen or seen[-1] != value):
                seen.append(value)
        # Every write is there, once, in its order, and none was undone by somebody else's.
        assert seen == [f"v{turn}" for turn in range(ROUNDS)]
    assert {str(version["stringData"]).count("first") for version in versions} == {2}


def test_a_push_says_what_it_did_and_the_worktree_has_it(remote: Remote) -> None:
    clone = remote.clone("ann")

    ended = push(clone, TOKEN, "n3w")

    tip = remote.git("rev-parse", "main").strip()
    assert ended == (0, "", f"sealpy: pushed {tip[:10]} to origin/main\n")
    assert clone.git("rev-parse", "HEAD").strip() == tip
    assert clone.git("status", "--porcelain") == ""
    assert clone("decrypt", "--extract", TOKEN, FILE).out == "n3w"
    assert remote.git("log", "-1", "--format=%an|%B", "main").strip() == f"ann|{TOKEN} is n3w"
    assert clone.git("for-each-ref", "refs/sealpy") == ""


def test_a_clone_that_is_behind_pushes_on_top_of_what_is_there(remote: Remote) -> None:
    ann, bob = remote.clone("ann"), remote.clone("bob", has_key=False)
    assert push(ann, TOKEN, "n3w").code == 0

    assert push(bob, IMAGE, "app-2").code == 0

    last = remote.versions()[-1]
    assert str(last).count("'n3w'") == 1
    assert str(last).count("'app-2'") == 1
    assert remote.git("rev-list", "--merges", "main") == ""


def test_two_values_for_one_key_stop_with_both_commits_named(remote: Remote) -> None:
    ann, bob = remote.clone("ann"), remote.clone("bob")
    assert push(ann, TOKEN, "from-ann").code == 0
    assert push(ann, OTHER, "later").code == 0
    theirs = remote.git("rev-parse", "main~1").strip()
    tip = remote.git("rev-parse", "main").strip()

    ended = push(bob, TOKEN, "from-bob")

    assert (ended.code, ended.out) == (1, "")
    first, second = ended.err.splitlines()
    lead = f"sealpy: {FILE}: stringData.TOKEN was set to another value meanwhile: theirs is {theirs[:10]} "
    assert first.startswith(f"{lead}(ann: {TOKEN} is from-ann), ours is ")
    ours = first.removesuffix(", which was not pushed").rpartition(" ")[2]
    assert second == (
        f'sealpy: hint: "sealpy diff {theirs[:10]} {ours} -- {FILE}" shows both; '
        'to put ours over theirs, "git pull" and run this again'
    )
    assert remote.git("rev-parse", "main").strip() == tip
    assert "from-bob" not in ended.err
    bob.git("fetch", "-q")
    shown = bob("diff", theirs[:10], ours, "--reveal", "--", FILE)
    assert '"from-ann" → "from-bob"' in shown.out


def test_running_it_again_does_not_overrule_anybody_but_after_a_pull_it_does(remote: Remote) -> None:
    ann, bob = remote.clone("ann"), remote.clone("bob")
    assert push(ann, TOKEN, "from-ann").code == 0

    assert push(bob, TOKEN, "from-bob").code == 1
    assert push(bob, TOKEN, "from-bob").code == 1
    bob.git("pull", "-q")
    assert push(bob, TOKEN, "from-bob").code == 0

    assert "'from-bob'" in str(remote.versions()[-1])


def test_two_different_clear_values_stop_too_without_a_key(remote: Remote) -> None:
    ann, bob = remote.clone("ann", has_key=False), remote.clone("bob", has_key=False)
    assert push(ann, IMAGE, "app-2").code == 0

    ended = push(bob, IMAGE, "app-3")

    assert ended.code == 1
    assert f"{FILE}: metadata.labels.image was set to another value meanwhile: theirs is " in ended.err


def test_the_same_value_from_two_pipelines_is_one_commit(remote: Remote) -> None:
    ann, bob = remote.clone("ann"), remote.clone("bob")
    assert push(ann, TOKEN, "same").code == 0

    ended = push(bob, TOKEN, "same")

    assert ended == (0, "", "sealpy: origin/main has this value already; nothing was pushed\n")
    assert remote.git("rev-list", "--count", "main").strip() == "2"


def test_a_rotated_file_is_no_other_value(remote: Remote) -> None:
    ann, bob = remote.clone("ann"), remote.clone("bob")
    assert ann("rotate", "-i", FILE).code == 0
    ann.git("commit", "-q", "-a", "-m", "rotate")
    ann.git("push", "-q")

    assert push(bob, TOKEN, "n3w").code == 0

    assert "'n3w'" in str(remote.versions()[-1])


def test_work_in_the_worktree_stays_where_it_is(remote: Remote) -> None:
    ann, bob = remote.clone("ann"), remote.clone("bob", has_key=False)
    assert push(ann, TOKEN, "n3w").code == 0
    sealed = bob.read(FILE)
    bob.write(".sops.yaml", "# mine\n" + bob.read(".sops.yaml"))
    bob.write("new.txt", "mine")
    bob.git("add", "new.txt")
    bob.write(FILE, sealed + "# mine\n")
    before = (bob.git("status", "--porcelain"), bob.git("rev-parse", "HEAD"), bob.git("diff", "HEAD"))

    ended = push(bob, IMAGE, "app-2")

    assert ended.code == 0, ended.err
    assert ended.err.endswith('sealpy: the worktree stays as it was; "git pull" brings the change there\n')
    assert (bob.git("status", "--porcelain"), bob.git("rev-parse", "HEAD"), bob.git("diff", "HEAD")) == before
    changed = remote.git("diff", "--name-only", "main~1", "main").split()
    assert changed == [FILE]


def test_commits_of_ones_own_that_are_not_pushed_are_not_pushed_with_it(remote: Remote) -> None:
    bob = remote.clone("bob", has_key=False)
    bob.write("mine.txt", "mine")
    bob.git("add", "-A")
    bob.git("commit", "-q", "-m", "not ready")

    assert push(bob, IMAGE, "app-2").code == 0

    assert "mine.txt" not in remote.git("ls-tree", "-r", "--name-only", "main")
    assert bob.git("log", "-1", "--format=%s").strip() == "not ready"


def test_a_shallow_clone_of_one_branch_will_do(remote: Remote) -> None:
    ann = remote.clone("ann")
    bob = remote.clone("bob", has_key=False, options=("--depth=1", "--single-branch"))
    assert push(ann, TOKEN, "n3w").code == 0

    assert push(bob, IMAGE, "app-2").code == 0

    assert remote.git("rev-list", "--count", "main").strip() == "3"


def test_a_partial_clone_fetches_what_it_lacks(remote: Remote) -> None:
    remote.git("config", "uploadpack.allowFilter", "true")
    remote.git("config", "uploadpack.allowAnySHA1InWant", "true")
    ann = remote.clone("ann")
    bob = remote.clone("bob", has_key=False, options=("--filter=blob:none",))
    assert push(ann, TOKEN, "n3w").code == 0

    assert push(bob, IMAGE, "app-2").code == 0

    assert "'app-2'" in str(remote.versions()[-1])


def test_the_users_signature_is_made(remote: Remote) -> None:
    bob = remote.clone("bob", has_key=False)
    key = bob.folder.parent / "signing"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    for name, value in (("gpg.format", "ssh"), ("user.signingKey", str(key)), ("commit.gpgSign", "true")):
        bob.git("config", name, value)

    assert push(bob, IMAGE, "app-2").code == 0

    assert "-----BEGIN SSH SIGNATURE-----" in remote.git("cat-file", "commit", "main")


def test_a_signature_that_cannot_be_made_pushes_nothing(remote: Remote) -> None:
    bob = remote.clone("bob", has_key=False)
    for name, value in (("gpg.format", "ssh"), ("user.signingKey", "/nowhere"), ("commit.gpgSign", "true")):
        bob.git("config", name, value)

    ended = push(bob, IMAGE, "app-2")

    assert ended.code == 2
    assert ended.err.startswith(f"sealpy: {FILE}: git: ")
    assert remote.git("rev-list", "--count", "main").strip() == "1"


def test_a_protected_branch_is_said_and_not_tried_again(remote: Remote) -> None:
    bob = remote.clone("bob", has_key=False)
    hook = remote.folder / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\necho x >> {remote.base}/asked\nexit 1\n")
    hook.chmod(0o755)

    ended = push(bob, IMAGE, "app-2")

    assert ended.code == 1
    assert ended.err == (
        f"sealpy: {FILE}: origin declines the push: pre-receive hook declined\n"
        "sealpy: hint: the branch may be protected: push to another one, and open a pull request\n"
    )
    assert (remote.base / "asked").read_text() == "x\n"


def test_whoever_is_never_first_is_told_so(remote: Remote) -> None:
    """Before each of bob's pushes, somebody else pushes."""
    ann, bob = remote.clone("ann", has_key=False), remote.clone("bob", has_key=False)
    hook = bob.folder / ".git" / "hooks" / "pre-push"
    hook.write_text(f"#!/bin/sh\ncd {ann.folder} && unset GIT_DIR && git commit -q --allow-empty -m x && git push -q\n")
    hook.chmod(0o755)

    ended = push(bob, IMAGE, "app-2", "--retries", "1")

    assert ended.code == 1
    assert ended.err == (
        f"sealpy: {FILE}: origin/main: others pushed first, 2 times in a row\n"
        "sealpy: hint: run it again, or raise --retries\n"
    )
    assert remote.git("log", "--format=%s", "main").split() == ["x", "x", "start"]


def hook(folder: Path, name: str, script: str) -> None:
    path = folder / "hooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_what_the_remote_says_when_it_declines_is_passed_on(remote: Remote) -> None:
    bob = remote.clone("bob", has_key=False)
    hook(remote.folder, "pre-receive", 'echo "GH006: the branch is locked"; echo "ask \x1b[31mann" >&2; exit 1')

    ended = push(bob, IMAGE, "app-2")

    assert ended.code == 1
    assert ended.err == (
        f"sealpy: {FILE}: origin declines the push: pre-receive hook declined; "
        "it said: GH006: the branch is locked; ask ⟦U+001B⟧[31mann\n"
        "sealpy: hint: the branch may be protected: push to another one, and open a pull request\n"
    )


def test_a_remote_that_can_only_be_read_is_asked_once(remote: Remote) -> None:
    bob = remote.clone("bob", has_key=False)
    bob.git("config", "remote.origin.pushurl", "../nope.git")
    trace = remote.base / "trace"

    ended = bob(
        *("add", FILE, "A", "--value-stdin", "--commit", "x", "--push"), stdin="1", env={"GIT_TRACE": str(trace)}
    )

    assert ended.code == 2
    assert ended.err == (
        "sealpy: origin cannot be pushed to: '../nope.git' does not appear to be a git repository; "
        "Could not read from remote repository.\n"
        'sealpy: hint: nothing was pushed; "git remote get-url --push origin" says where to, '
        "and it takes the right to write there\n"
    )
    assert trace.read_text().count("built-in: git push") == 1
    assert not (bob.folder / "envs/prod/app.d").exists()


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo scan >&2; echo To mend it, ask; exit 3", "; it said: To mend it, ask; scan"),
        ("exit 1", ", without a word"),
    ],
)
def test_a_hook_that_stops_the_push_is_asked_once(remote: Remote, script: str, said: str) -> None:
    bob = remote.clone("bob", has_key=False)
    hook(bob.folder / ".git", "pre-push", f"echo x >> {remote.base}/asked; {script}")

    ended = push(bob, IMAGE, "app-2")

    assert ended.code == 1
    assert ended.err == (
        f"sealpy: {FILE}: the pre-push hook stopped the push{said}\n"
        "sealpy: hint: nothing was pushed; do what the hook asks for, and run this again\n"
    )
    assert (remote.base / "asked").read_text() == "x\n"


def test_a_push_that_comes_too_late_for_a_branch_that_does_not_move_ends(remote: Remote) -> None:
    """What is read from one place and written to another is never up to date."""
    bob = remote.clone("bob", has_key=False)
    remote.git("clone", "-q", "--bare", str(remote.folder), str(remote.base / "ahead.git"))
    ahead = remote.clone("ahead", has_key=False)
    ahead.git("commit", "-q", "--allow-empty", "-m", "x")
    ahead.git("push", "-q", str(remote.base / "ahead.git"), "HEAD:main")
    bob.git("config", "remote.origin.pushurl", str(remote.base / "ahead.git"))

    ended = push(bob, IMAGE, "app-2")

    assert ended.code == 1
    assert ended.err == (
        f"sealpy: {FILE}: origin/main does not take the push, and nobody else pushed: [rejected] (fetch first)\n"
        'sealpy: hint: nothing was pushed; "git remote -v" shows whether origin is read from another place than '
        "written to\n"
    )


def test_a_branch_that_the_remote_does_not_have_is_said(remote: Remote) -> None:
    bob = remote.clone("bob", has_key=False)
    bob.git("switch", "-q", "-c", "topic")

    ended = push(bob, IMAGE, "app-2")

    assert ended.code == 2
    assert ended.err == (
        f"sealpy: {FILE}: origin has no branch topic yet\nsealpy: hint: git push --set-upstream origin HEAD:topic\n"
    )


def test_a_remote_out_of_reach_is_no_race_even_at_the_only_try(remote: Remote) -> None:
    bob = remote.clone("bob", has_key=False)
    remote.folder.rename(remote.base / "elsewhere")

    ended = push(bob, IMAGE, "app-2", "--retries", "0")

    assert ended.code == 2
    assert "others pushed first" not in ended.err


def test_a_remote_out_of_reach_is_said(remote: Remote) -> None:
    bob = remote.clone("bob", has_key=False)
    remote.folder.rename(remote.base / "elsewhere")

    ended = push(bob, IMAGE, "app-2")

    assert ended.code == 2
    assert "does not appear to be a git repository" in ended.err or "not found" in ended.err


@pytest.mark.parametrize(
    ("prepare", "code", "said", "hint"),
    [
        (["checkout", "-q", "--detach"], 1, "no branch is checked out", "git switch -C BRANCH --track origin/BRANCH"),
        (["remote", "remove", "origin"], 2, "follows no branch of a remote", "git push --set-upstream origin HEAD"),
    ],
)
def test_where_to_push_must_be_clear(remote: Remote, prepare: list[str], code: int, said: str, hint: str) -> None:
    bob = remote.clone("bob", has_key=False)
    bob.git(*prepare)

    ended = push(bob, IMAGE, "app-2")

    assert ended.code == code
    assert said in ended.err
    assert f"hint: {hint}\n" in ended.err


def test_a_remote_by_another_name_is_found(remote: Remote) -> None:
    bob = remote.clone("bob", has_key=False)
    bob.git("remote", "rename", "origin", "upstream")

    assert push(bob, IMAGE, "app-2").err.endswith(" to upstream/main\n")


def test_a_file_that_is_not_on_the_branch_is_said(remote: Remote) -> None:
    bob = remote.clone("bob")
    bob.write("new.yaml", APP)
    assert bob("encrypt", "-i", "new.yaml").code == 0

    ended = bob("set", "new.yaml", TOKEN, '"x"', "--commit", "x", "--push")

    assert ended.code == 2
    assert "new.yaml: is not on the branch that is pushed to\n" in ended.err
    assert "hint: commit and push the file first\n" in ended.err


def test_unset_is_pushed_too(remote: Remote) -> None:
    ann = remote.clone("ann")

    ended = ann("unset", FILE, OTHER, "--commit", "drop it", "--push")

    assert ended.code == 0, ended.err
    assert "OTHER" not in str(remote.versions()[-1])


def test_it_works_from_a_folder_of_the_repository(remote: Remote) -> None:
    bob = remote.clone("bob", has_key=False)

    ended = Program(bob.folder / "envs", bob.folder.parent / "home-bob", {})(
        "set", "prod/app.yaml", IMAGE, '"app-2"', "--commit", "x", "--push"
    )

    assert ended.code == 0, ended.err
    assert "'app-2'" in str(remote.versions()[-1])


class TestCommitAlone:
    def test_it_commits_the_file_and_nothing_else(self, remote: Remote) -> None:
        bob = remote.clone("bob", has_key=False)
        bob.write("other.txt", "staged")
        bob.git("add", "other.txt")

        ended = bob("set", FILE, IMAGE, '"app-2"', "--commit", "Deploy app-2")

        assert ended.code == 0, ended.err
        assert ended.err.startswith("sealpy: committed ")
        assert bob.git("log", "-1", "--format=%s").strip() == "Deploy app-2"
        assert bob.git("diff", "--name-only", "HEAD~1", "HEAD").split() == [FILE]
        assert bob.git("status", "--porcelain") == "A  other.txt\n"
        assert remote.git("rev-list", "--count", "main").strip() == "1"

    def test_it_takes_no_other_change_of_the_file_along(self, remote: Remote) -> None:
        bob = remote.clone("bob", has_key=False)
        bob.write(FILE, bob.read(FILE) + "# mine\n")

        ended = bob("set", FILE, IMAGE, '"app-2"', "--commit", "Deploy app-2")

        assert ended.code == 1
        assert ended.err == (
            f"sealpy: {FILE} has changes that are not committed, and they would be in the same commit\n"
            "sealpy: hint: commit them before, or leave --commit out\n"
        )
        assert bob.read(FILE).endswith("# mine\n")
        assert "app-2" not in bob.read(FILE)

    def test_nothing_changed_is_nothing_to_commit(self, remote: Remote) -> None:
        bob = remote.clone("bob", has_key=False)

        ended = bob("set", FILE, IMAGE, '"app-1"', "--commit", "x")

        assert ended == (0, "", "sealpy: nothing changed, so there is nothing to commit\n")
        assert bob.git("rev-list", "--count", "HEAD").strip() == "1"

    def test_a_hook_that_refuses_is_said_with_what_stands_where(self, remote: Remote) -> None:
        bob = remote.clone("bob", has_key=False)
        hook(bob.folder / ".git", "pre-commit", "exit 1")

        ended = bob("set", FILE, IMAGE, '"app-2"', "--commit", "x")

        assert ended.code == 1
        back = f"git restore --source=HEAD --staged --worktree -- {FILE}"
        assert ended.err == (
            f"sealpy: {FILE} is written and staged, but not committed: git commit failed without a word, "
            "as it does when a pre-commit hook refuses\n"
            f'sealpy: hint: "git commit -- {FILE}" tries again; "{back}" takes it back\n'
        )
        assert bob.git("status", "--porcelain") == f"M  {FILE}\n"
        bob.git(*back.split()[1:])
        assert bob.git("status", "--porcelain") == ""

    @pytest.mark.parametrize("message", ["", " ", "\n"])
    @pytest.mark.parametrize("words", [[], ["--push"]])
    def test_an_empty_message_is_refused_first(self, remote: Remote, message: str, words: list[str]) -> None:
        bob = remote.clone("bob", has_key=False)
        said = "sealpy: the message of the commit is empty\nsealpy: hint: say what it is for: --commit MSG\n"

        assert bob("set", FILE, IMAGE, '"app-2"', "--commit", message, *words) == (8, "", said)
        assert bob("add", FILE, "A", "--value-stdin", "--commit", message, *words, stdin="1") == (8, "", said)
        assert bob.git("status", "--porcelain") == ""

    def test_an_index_that_is_locked_is_said_with_what_stands_where(self, remote: Remote) -> None:
        bob = remote.clone("bob", has_key=False)
        bob.write(".git/index.lock", "")

        ended = bob("set", FILE, IMAGE, '"app-2"', "--commit", "x")

        assert ended.code == 1
        assert ended.err.startswith(f"sealpy: {FILE} is written, but not committed: Unable to create ")
        assert f'hint: "git add -- {FILE}", then "git commit"\n' in ended.err
        assert bob.git("status", "--porcelain") == f" M {FILE}\n"

    def test_without_an_author_nothing_is_written(self, remote: Remote) -> None:
        bob = remote.clone("bob", has_key=False)
        nobody = dict.fromkeys(("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME", "GIT_AUTHOR_EMAIL"), "")

        ended = bob("add", FILE, "A", "--value-stdin", "--commit", "x", stdin="1", env=nobody)

        assert ended.code == 2
        assert ended.err.startswith("sealpy: it is not known who commits: ")
        assert ended.err.endswith("hint: git config user.name NAME, and git config user.email ADDRESS\n")
        assert bob.git("status", "--porcelain") == ""

    @pytest.mark.parametrize("words", [["--push"], ["--retries", "3"], ["--push", "--retries", "3"]])
    def test_a_push_needs_a_message(self, remote: Remote, words: list[str]) -> None:
        bob = remote.clone("bob", has_key=False)

        ended = bob("set", FILE, IMAGE, '"app-2"', *words)

        assert ended.code == 8
        assert ended.err == (
            "sealpy: --push and --retries need --commit\nsealpy: hint: give the commit a message: --commit MSG\n"
        )
        assert "app-1" in bob.read(FILE)

    def test_outside_of_a_repository_it_is_said(self, remote: Remote, tmp_path: Path) -> None:
        bob = remote.clone("bob", has_key=False)
        subprocess.run(["rm", "-rf", str(bob.folder / ".git")], check=True)

        ended = bob("set", FILE, IMAGE, '"x"', "--commit", "x", env={"GIT_CEILING_DIRECTORIES": str(tmp_path)})

        assert ended.code == 2
        assert "not a git repository" in ended.err
        assert os.path.exists(bob.folder / FILE)


class TestAdd:
    PART = "envs/prod/app.d/STRIPE_KEY.yaml"

    def add(self, who: Program, value: str, *words: str, key: str = "STRIPE_KEY") -> Ended:
        return who("add", FILE, key, "--value-stdin", "--commit", f"Add {key}", *words, stdin=value)

    def test_without_the_key_a_part_is_pushed_and_nothing_else(self, remote: Remote) -> None:
        bob, ops = remote.clone("bob", has_key=False), remote.clone("ops")

        ended = self.add(bob, "sk_live", "--push")

        assert ended.code == 0, ended.err
        assert f"Sealed STRIPE_KEY into {self.PART}; nothing else touched\n" in ended.err
        assert remote.git("diff", "--name-status", "main~1", "main") == f"A\t{self.PART}\n"
        assert remote.git("log", "-1", "--format=%an %s", "main") == "bob Add STRIPE_KEY\n"
        assert (bob.folder / self.PART).exists()
        assert bob.git("status", "--porcelain") == ""
        ops.git("pull", "-q")
        assert "STRIPE_KEY: sk_live\n" in ops("decrypt", FILE).out

    def test_it_is_told_once_however_often_it_is_tried(self, remote: Remote) -> None:
        ann, bob = remote.clone("ann", has_key=False), remote.clone("bob", has_key=False)
        hook(
            bob.folder / ".git",
            "pre-push",
            f"test -e {remote.base}/once && exit 0; touch {remote.base}/once; unset GIT_DIR; cd {ann.folder} && "
            "git commit -q --allow-empty -m x && git push -q",
        )

        ended = self.add(bob, "sk_live", "--push")

        assert ended.code == 0, ended.err
        assert ended.err.count("nothing else touched") == 1
        assert remote.git("log", "--format=%s", "main").splitlines() == ["Add STRIPE_KEY", "x", "start"]

    def test_what_was_not_pushed_is_not_told(self, remote: Remote) -> None:
        bob = remote.clone("bob", has_key=False)
        hook(bob.folder / ".git", "pre-push", "exit 1")

        ended = self.add(bob, "sk_live", "--push")

        assert ended.code == 1
        assert "Sealed" not in ended.err

    def test_a_part_that_a_hook_does_not_let_through_is_said(self, remote: Remote) -> None:
        bob = remote.clone("bob", has_key=False)
        hook(bob.folder / ".git", "pre-commit", "echo no; exit 1")

        ended = self.add(bob, "sk_live")

        back = f"git restore --source=HEAD --staged --worktree -- {self.PART}"
        assert ended.code == 1
        assert ended.err.splitlines()[1:] == [
            f"sealpy: {self.PART} is written and staged, but not committed: no",
            f'sealpy: hint: "git commit -- {self.PART}" tries again; "{back}" takes it back',
        ]
        assert bob.git("status", "--porcelain") == f"A  {self.PART}\n"
        bob.git(*back.split()[1:])
        assert bob.git("status", "--porcelain") == ""
        assert not (bob.folder / self.PART).exists()

    def test_a_part_that_git_ignores_is_not_taken_for_committed(self, remote: Remote) -> None:
        bob = remote.clone("bob", has_key=False)
        bob.write(".gitignore", "*.d/\n")

        ended = self.add(bob, "sk_live")

        assert ended.code == 1
        assert f"sealpy: warning: git ignores {self.PART}, so nobody else gets it\n" in ended.err
        assert f'sealpy: hint: mend .gitignore, or "git add --force {self.PART}"\n' in ended.err
        assert f"sealpy: {self.PART} is written, but not committed: git ignores it\n" in ended.err

    def test_with_the_key_it_is_set_on_top_of_what_others_pushed(self, remote: Remote) -> None:
        ann, ops = remote.clone("ann", has_key=False), remote.clone("ops")
        assert push(ann, IMAGE, "app-2").code == 0

        assert self.add(ops, "sk_live", "--push").code == 0

        last = remote.versions()[-1]
        assert "'STRIPE_KEY': 'sk_live'" in str(last)
        assert "'app-2'" in str(last)

    def test_two_parts_for_one_key_stop_with_both_commits_named(self, remote: Remote) -> None:
        ann, bob = remote.clone("ann", has_key=False), remote.clone("bob", has_key=False)
        assert self.add(ann, "sk_1", "--push").code == 0
        theirs = remote.git("rev-parse", "main").strip()

        ended = self.add(bob, "sk_2", "--push")

        assert ended.code == 1
        assert (
            f"STRIPE_KEY of {FILE} was set to another value meanwhile: theirs is {theirs[:10]} (ann: Add STRIPE_KEY), "
            "ours is "
        ) in ended.err
        assert remote.git("rev-parse", "main").strip() == theirs

    def test_pipelines_that_add_different_keys_do_not_meet(self, remote: Remote) -> None:
        clones = [remote.clone(f"p{number}", has_key=False) for number in range(4)]

        with ThreadPoolExecutor(4) as pool:
            ended = list(pool.map(lambda number: self.add(clones[number], "x", "--push", key=f"K{number}"), range(4)))

        assert [one.err for one in ended if one.code] == []
        added = remote.git("diff", "--name-only", "main~4", "main").split()
        assert added == [f"envs/prod/app.d/K{number}.yaml" for number in range(4)]
        assert remote.git("rev-list", "--merges", "main") == ""

    def test_the_part_goes_when_who_has_the_key_sets_it(self, remote: Remote) -> None:
        bob, ops = remote.clone("bob", has_key=False), remote.clone("ops")
        assert self.add(bob, "sk_1", "--push").code == 0
        ops.git("pull", "-q")

        assert self.add(ops, "sk_2", "--push").code == 0

        assert self.PART not in remote.git("ls-tree", "-r", "--name-only", "main")
        assert not (ops.folder / self.PART).exists()
        assert "'sk_2'" in str(remote.versions()[-1])

    def test_the_rules_are_those_on_the_branch(self, remote: Remote, other_key: AgeKey) -> None:
        bob = remote.clone("bob", has_key=False)
        bob.write(".sops.yaml", bob.read(".sops.yaml").replace(remote.key.recipient, other_key.recipient))

        assert self.add(bob, "sk_1", "--push").code == 0

        part = remote.git("show", f"main:{self.PART}")
        assert remote.key.recipient in part
        assert other_key.recipient not in part

    def test_from_a_folder_below_the_path_is_from_there(self, remote: Remote) -> None:
        bob = remote.clone("bob", has_key=False)
        below = Program(bob.folder / "envs/prod", remote.base / "home-bob", {})

        ended = below("add", "app.yaml", "A", "--value-stdin", "--commit", "x", "--push", stdin="1")

        assert ended.code == 0, ended.err
        assert "Sealed A into app.d/A.yaml; nothing else touched\n" in ended.err
        assert remote.git("diff", "--name-only", "main~1", "main") == "envs/prod/app.d/A.yaml\n"

    def test_a_value_from_a_file_is_read_where_we_are(self, remote: Remote) -> None:
        bob, ops = remote.clone("bob", has_key=False), remote.clone("ops")
        bob.write("value.txt", "sk_file")

        ended = bob("add", FILE, "A", "--from-file", "value.txt", "--commit", "x", "--push")

        assert ended.code == 0, ended.err
        ops.git("pull", "-q")
        assert "A: sk_file\n" in ops("decrypt", FILE).out

    def test_commit_alone_takes_the_part_and_nothing_else(self, remote: Remote) -> None:
        bob = remote.clone("bob", has_key=False)
        bob.write("other.txt", "mine")

        ended = self.add(bob, "sk_1")

        assert ended.code == 0, ended.err
        assert bob.git("diff", "--name-only", "HEAD~1", "HEAD") == f"{self.PART}\n"
        assert bob.git("status", "--porcelain") == "?? other.txt\n"
        assert remote.git("rev-list", "--count", "main").strip() == "1"

    def test_a_push_needs_a_message(self, remote: Remote) -> None:
        bob = remote.clone("bob", has_key=False)

        ended = bob("add", FILE, "A", "--value-stdin", "--push", stdin="1")

        assert ended.code == 8
        assert "hint: give the commit a message: --commit MSG\n" in ended.err
        assert bob.git("status", "--porcelain") == ""
