"""``sealpy init`` and the check before a commit, in real git repositories."""

import json
import os
import shlex
import stat
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from sealpy_cli.team import access, environments
from sealpy_cli.team.new_rules import HOOK
from tests.cli.process import Ended, Program
from tests.conftest import AgeKey

Tool = Callable[[str], str]

SECRET = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\nstringData:\n  password: hunter2\n"
EXTERNAL_SECRET = "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nspec: {data: [{secretKey: a}]}\n"
KUSTOMIZATION = "resources:\n  - secrets.yaml\n"
OTHER = "age1jgqqwzlaf09cwk907mmzstq0hq7y8yrcxd8tqrjkj76t4txc99vq6dndxq"


class Repository:
    """A git repository, and a sealpy on the PATH of its hooks."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder = folder
        self._home = home
        programs = home / "bin"
        programs.mkdir()
        program = programs / "sealpy"
        code = "import sys; from sealpy_cli.main import main; sys.exit(main())"
        program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -c {shlex.quote(code)} "$@"\n')
        program.chmod(0o755)
        self._path = f"{programs}:{os.environ['PATH']}"
        self.git("init", "-q", ".")

    def sealpy(self, *words: str, cwd: str = ".", env: Mapping[str, str] | None = None) -> Ended:
        return Program(self.folder / cwd, self._home, {})(*words, env=env)

    def git(self, *words: str, path: str | None = None, check: bool = True) -> Ended:
        ended = Program(self.folder, self._home, {"PATH": path or self._path})(*words, program=["git"])
        assert not check or ended.code == 0, ended.err
        return ended

    def commit(self, name: str = "", text: str = "") -> Ended:
        """Write a file, if one is named, stage everything, and commit."""
        if name:
            self.write(name, text)
        self.git("add", "-A")
        return self.git("commit", "-q", "-m", "x", check=False)

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def repository(home: Path, tmp_path: Path) -> Repository:
    (tmp_path / "work").mkdir()
    return Repository(tmp_path / "work", home)


@pytest.fixture
def gitops(repository: Repository) -> Repository:
    """Lay a repository out by environment and service."""
    for environment in ("dev", "qa", "prod"):
        for service in ("service1", "service2"):
            repository.write(f"k8s/gitops/{environment}/{service}/kustomization.yaml", KUSTOMIZATION)
    return repository


class TestNewRepository:
    def test_it_makes_a_key_rules_attributes_and_a_hook(self, gitops: Repository, home: Path) -> None:
        ended = gitops.sealpy("init")

        assert (ended.code, ended.out) == (0, "write: dev, qa, prod; read: dev, qa, prod\n")
        assert "AGE-SECRET" not in ended.out + ended.err
        assert (home / "config/sops/age/keys.txt").exists()
        assert (gitops.folder / ".sops.yaml").read_text().count("path_regex: ") == 3
        assert (gitops.folder / ".gitattributes").exists()
        hook = gitops.folder / ".git/hooks/pre-commit"
        assert stat.S_IMODE(hook.stat().st_mode) == 0o755

    def test_the_real_sops_takes_the_rules(self, gitops: Repository, home: Path, tool: Tool) -> None:
        gitops.sealpy("init")
        environment = {"PATH": os.environ["PATH"], "HOME": str(home), "XDG_CONFIG_HOME": str(home / "config")}

        def sops(*words: str) -> str:
            command = [tool("sops"), *words]
            return subprocess.run(
                command, cwd=gitops.folder, env=environment, capture_output=True, text=True, check=True
            ).stdout

        for name in (
            "k8s/gitops/dev/service1/secrets.yaml",
            "k8s/gitops/prod/configmap.yaml",
            "k8s/gitops/qa/a/db-secret.yml",
        ):
            gitops.write(name, SECRET)
            sops("encrypt", "-i", name)
            sealed = (gitops.folder / name).read_text()
            assert "kind: Secret\n" in sealed
            assert "hunter2" not in sealed
            assert "password: hunter2" in sops("decrypt", name)

    def test_it_writes_for_a_key_that_is_there(self, gitops: Repository, age_key: AgeKey, home: Path) -> None:
        ended = gitops.sealpy("init", env={"SOPS_AGE_KEY": age_key.identity})

        assert f"using the key {age_key.recipient} (SOPS_AGE_KEY)" in ended.err
        assert age_key.recipient in (gitops.folder / ".sops.yaml").read_text()
        assert not (home / "config").exists()

    def test_nobody_is_enrolled_by_their_ssh_key_unasked(self, gitops: Repository, home: Path) -> None:
        (home / ".ssh").mkdir()
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", home / ".ssh/id_ed25519"], check=True)

        gitops.sealpy("init")

        assert "ssh-" not in (gitops.folder / ".sops.yaml").read_text()

    def test_it_changes_no_file_that_exists(self, gitops: Repository) -> None:
        gitops.write(".gitattributes", "mine\n")
        gitops.write(".git/hooks/pre-commit", "mine\n")

        ended = gitops.sealpy("init")

        assert ended.code == 0
        assert (gitops.folder / ".gitattributes").read_text() == "mine\n"
        assert (gitops.folder / ".git/hooks/pre-commit").read_text() == "mine\n"
        assert "left .gitattributes as it is" in ended.err
        assert 'hint: to check commits, have it run "sealpy hook pre-commit"' in ended.err

    def test_a_folder_of_hooks_that_somebody_chose_is_theirs(self, gitops: Repository) -> None:
        gitops.git("config", "core.hooksPath", "hooks")

        ended = gitops.sealpy("init")

        assert "left hooks/pre-commit to you" in ended.err
        assert not (gitops.folder / "hooks").exists()

    def test_from_a_subfolder_it_sets_up_the_whole_repository(self, gitops: Repository) -> None:
        gitops.sealpy("init", cwd="k8s/gitops/dev")

        assert (gitops.folder / ".sops.yaml").exists()
        assert not (gitops.folder / "k8s/gitops/dev/.sops.yaml").exists()

    def test_without_environments_one_rule_covers_secrets_anywhere(self, repository: Repository) -> None:
        ended = repository.sealpy("init")
        rules = (repository.folder / ".sops.yaml").read_text()

        assert ended.code == 0
        assert rules.count("path_regex: ") == 1
        assert repository.commit("deploy/secret.yaml", SECRET).code == 1

    def test_outside_of_git_there_are_only_rules(self, run: Program) -> None:
        (run.folder / "envs/prod").mkdir(parents=True)

        ended = run("init", env={"GIT_CEILING_DIRECTORIES": str(run.folder.parent)})

        assert ended.out == "write: prod; read: prod\n"
        assert sorted(os.listdir(run.folder)) == [".sops.yaml", "envs"]

    def test_json_says_what_was_done(self, gitops: Repository, home: Path) -> None:
        report = json.loads(gitops.sealpy("init", "--json").out)

        assert report["schema"] == "sealpy.init/1"
        assert report["repository"] == "new"
        assert report["key"]["made"] is True
        assert report["key"]["source"] == str(home / "config/sops/age/keys.txt")
        assert report["written"] == [".sops.yaml", ".gitattributes", ".git/hooks/pre-commit"]
        assert report["kept"] == []
        assert report["environments"][0] == {"name": "dev", "folders": ["k8s/gitops/dev"]}
        assert (report["write"], report["read"]) == (["dev", "qa", "prod"], ["dev", "qa", "prod"])


class TestExistingRepository:
    RULES = (
        "creation_rules:\n"
        "  - path_regex: ^k8s/gitops/dev/\n    age: {mine}\n"
        "  - path_regex: ^k8s/gitops/qa/\n    age: [{other}, {mine}]\n"
        f"  - path_regex: ^k8s/gitops/prod/\n    age: {OTHER}\n"
        "  - path_regex: ^k8s/gitops/live/\n    pgp: FBC7B9E2A4F9289AC0C1D4843D16CEE4A27381B4\n"
    )

    def test_without_a_key_it_mints_none_and_says_what_can_be_done(self, gitops: Repository, home: Path) -> None:
        gitops.write(".sops.yaml", self.RULES.format(mine=OTHER, other=OTHER))

        ended = gitops.sealpy("init")

        assert (ended.code, ended.out) == (0, "write: dev, qa, prod; read: none\n")
        assert 'make a key with "sealpy key new"' in ended.err
        assert not (home / "config").exists()
        assert not (gitops.folder / ".gitattributes").exists()

    def test_with_a_key_it_says_what_can_be_read(self, gitops: Repository, age_key: AgeKey) -> None:
        gitops.write(".sops.yaml", self.RULES.format(mine=age_key.recipient, other=OTHER))

        ended = gitops.sealpy("init", cwd="k8s", env={"SOPS_AGE_KEY": age_key.identity})

        assert ended.out == "write: dev, qa, prod; read: dev, qa\n"
        assert ended.err == (
            "sealpy: wrote .git/hooks/pre-commit, which refuses to commit secrets in clear\n"
            "sealpy: hint: to read more, ask with a pull request, as in: "
            f"sealpy grant --request prod {age_key.recipient}\n"
        )

    def test_the_hook_that_a_clone_lacks_is_written_once(self, gitops: Repository) -> None:
        gitops.write(".sops.yaml", self.RULES.format(mine=OTHER, other=OTHER))
        hook = gitops.folder / ".git/hooks/pre-commit"

        gitops.sealpy("init")
        written = hook.read_bytes()
        again = gitops.sealpy("init")

        assert written == HOOK.encode()
        assert os.access(hook, os.X_OK)
        assert again.err.startswith(f"sealpy: {gitops.folder / '.sops.yaml'} is there: nothing was written\n")

    @pytest.mark.parametrize("chosen", [False, True])
    def test_that_commits_go_unchecked_is_said_until_the_hook_is_chained(
        self, gitops: Repository, *, chosen: bool
    ) -> None:
        gitops.write(".sops.yaml", self.RULES.format(mine=OTHER, other=OTHER))
        hook = "hooks/pre-commit" if chosen else ".git/hooks/pre-commit"
        if chosen:
            gitops.git("config", "core.hooksPath", "hooks")
        gitops.write(hook, "#!/bin/sh\nexec lint\n")

        ended = gitops.sealpy("init")

        assert ended.err.startswith(
            f"sealpy: warning: commits go unchecked: left {hook} to you\n"
            'sealpy: hint: to check commits, have it run "sealpy hook pre-commit"\n'
        )
        assert gitops.folder.joinpath(hook).read_text() == "#!/bin/sh\nexec lint\n"

        gitops.write(hook, "#!/bin/sh\nsealpy hook pre-commit && exec lint\n")
        assert "commits go unchecked" not in gitops.sealpy("init").err

    def test_a_hook_of_ones_own_stays(self, gitops: Repository) -> None:
        gitops.write(".sops.yaml", self.RULES.format(mine=OTHER, other=OTHER))
        gitops.write(".git/hooks/pre-commit", "#!/bin/sh\n")

        ended = gitops.sealpy("init")

        assert ended.code == 0
        assert (gitops.folder / ".git/hooks/pre-commit").read_text() == "#!/bin/sh\n"

    def test_several_key_groups_need_as_many_keys(self, gitops: Repository, age_key: AgeKey) -> None:
        group = "{{age: [{}]}}"
        groups = ", ".join([group.format(age_key.recipient), group.format(OTHER), group.format(OTHER)])
        rule = f"creation_rules:\n  - path_regex: ^envs/prod/\n    shamir_threshold: 2\n    key_groups: [{groups}]\n"
        gitops.write(".sops.yaml", rule.replace("{{", "{").replace("}}", "}"))

        ended = gitops.sealpy("init", env={"SOPS_AGE_KEY": age_key.identity})

        assert ended.out == "write: none; read: none\n"

    def test_json_has_every_rule(self, gitops: Repository, age_key: AgeKey) -> None:
        gitops.write(".sops.yaml", self.RULES.format(mine=age_key.recipient, other=OTHER))

        report = json.loads(gitops.sealpy("init", "--json", env={"SOPS_AGE_KEY": age_key.identity}).out)

        assert report["repository"] == "existing"
        assert [(rule["write"], rule["read"]) for rule in report["rules"]] == [
            (True, True),
            (True, True),
            (True, False),
            (False, False),
        ]

    def test_a_broken_configuration_is_an_error(self, gitops: Repository) -> None:
        gitops.write(".sops.yaml", "creation_rules: 5\n")

        ended = gitops.sealpy("init")

        assert (ended.code, ended.out) == (1, "")
        assert ".sops.yaml" in ended.err


class TestHook:
    def test_a_secret_in_clear_is_not_committed(self, gitops: Repository) -> None:
        gitops.sealpy("init")

        ended = gitops.commit("k8s/gitops/dev/service1/secrets.yaml", SECRET)

        path = "k8s/gitops/dev/service1/secrets.yaml"
        assert ended.code == 1
        assert ended.err == (
            f"sealpy: {path}:6: not committed: it is in clear, but a creation rule wants it encrypted\n"
            "sealpy: hint: sealpy encrypt --staged\n"
        )

    def test_once_sealed_by_sops_it_is_committed(self, gitops: Repository, tool: Tool) -> None:
        gitops.sealpy("init")
        gitops.commit("k8s/gitops/dev/service1/secrets.yaml", SECRET)

        sops = [tool("sops"), "encrypt", "-i", "k8s/gitops/dev/service1/secrets.yaml"]
        subprocess.run(sops, cwd=gitops.folder, check=True)

        assert gitops.commit().code == 0

    def test_the_index_counts_and_not_the_worktree(self, gitops: Repository) -> None:
        gitops.sealpy("init")
        path = "k8s/gitops/dev/service1/secrets.yaml"
        gitops.write(path, SECRET)
        gitops.git("add", "-A")
        gitops.write(path, "a: b\n")

        assert gitops.git("commit", "-q", "-m", "x", check=False).code == 1

        gitops.git("add", "-A")
        gitops.write(path, SECRET)
        assert gitops.git("commit", "-q", "-m", "x", check=False).code == 0

    @pytest.mark.parametrize(
        ("name", "text", "code"),
        [
            ("k8s/gitops/dev/a/kustomization.yaml", KUSTOMIZATION, 0),
            ("k8s/gitops/dev/a/release.yaml", "data: in clear\n", 0),
            ("README.md", "data: in clear\n", 0),
            ("k8s/gitops/dev/a/secrets.yaml", "", 0),
            ("k8s/gitops/dev/a/secrets.yaml", "kind: Secret\ndata: {}\n", 0),
            ("k8s/gitops/dev/a/secrets.yaml", "kind: Secret\ndata: {a: ''}\n", 0),
            ("k8s/gitops/dev/a/secrets.yaml", "data: {a: b\n", 1),
            ("k8s/gitops/dev/a/secrets.yaml", "data:\n  a: {{ .Values.a }}\n", 0),
            ("k8s/gitops/dev/a/configmap.yaml", "kind: ConfigMap\ndata: {a: b}\n", 1),
            ("k8s/gitops/dev/a/external-secret.yaml", EXTERNAL_SECRET, 0),
        ],
    )
    def test_only_what_a_rule_would_seal_is_refused(self, gitops: Repository, name: str, text: str, code: int) -> None:
        gitops.sealpy("init")
        gitops.write(name, text)

        assert gitops.commit().code == code

    @pytest.mark.parametrize(
        ("rule", "name", "text", "code"),
        [
            ("age: X", "README.md", "a\n", 0),
            ("age: X", "values.yaml", "a: b\n", 0),
            ("age: X", "s.yaml", SECRET, 1),
            ("path_regex: \\.yaml$\n    age: X", "values.yaml", "a: b\n", 1),
            ("path_regex: \\.yaml$\n    age: X", "app/kustomization.yaml", KUSTOMIZATION, 0),
            ("path_regex: \\.yaml$\n    age: X", "d.yaml", "apiVersion: apps/v1\nkind: Deployment\nspec: {a: b}\n", 0),
            ("path_regex: ^keys/\n    age: X", "keys/id", "anything", 1),
            ("path_regex: ^keys/\n    age: X", "keys/a.env", "A=b\n", 1),
            ("path_regex: ^keys/\n    unencrypted_regex: ^A$\n    age: X", "keys/a.env", "A=b\n", 0),
        ],
    )
    def test_rules_of_every_kind(self, gitops: Repository, rule: str, name: str, text: str, code: int) -> None:
        gitops.sealpy("init")
        gitops.write(".sops.yaml", f"creation_rules:\n  - {rule}\n".replace("age: X", f"age: {OTHER}"))
        gitops.write(name, text)

        assert gitops.commit().code == code

    def test_the_nearest_configuration_counts(self, gitops: Repository) -> None:
        gitops.sealpy("init")
        gitops.write("app/.sops.yaml", f"creation_rules:\n  - path_regex: ^conf/\n    age: {OTHER}\n")
        gitops.write("app/conf/a.json", '{"a": "b"}\n')

        ended = gitops.commit()

        assert ended.code == 1
        assert ended.err.startswith("sealpy: app/conf/a.json:1: ")

    def test_a_file_that_is_taken_away_is_not_looked_at(self, gitops: Repository) -> None:
        gitops.commit("k8s/gitops/dev/secrets.yaml", SECRET)
        gitops.sealpy("init")
        (gitops.folder / "k8s/gitops/dev/secrets.yaml").unlink()

        assert gitops.commit().code == 0

    def test_a_broken_configuration_stops_the_commit(self, gitops: Repository) -> None:
        gitops.sealpy("init")
        gitops.write(".sops.yaml", "creation_rules:\n  - path_regex: '('\n")

        ended = gitops.commit("k8s/gitops/dev/secrets.yaml", SECRET)

        assert ended.code == 1
        assert "path_regex" in ended.err

    def test_names_cannot_speak_to_the_terminal_nor_to_the_shell(self, gitops: Repository) -> None:
        gitops.sealpy("init")
        gitops.write("k8s/gitops/dev/a\x1b[2J; rm x/secrets.yaml", SECRET)

        ended = gitops.commit()

        assert ended.code == 1
        assert "\x1b" not in ended.err
        assert "k8s/gitops/dev/a" in ended.err

    def test_without_sealpy_the_commit_says_what_is_missing(self, gitops: Repository) -> None:
        gitops.sealpy("init")
        gitops.git("add", "-A")

        ended = gitops.git("commit", "-q", "-m", "x", path="/usr/bin:/bin", check=False)

        assert ended.code == 1
        assert "sealpy is not on PATH" in ended.err

    def test_outside_of_git_it_says_so(self, run: Program) -> None:
        ended = run("hook", "pre-commit", env={"GIT_CEILING_DIRECTORIES": str(run.folder.parent)})

        assert ended.code != 0
        assert "not a git repository" in ended.err


class TestEnvironments:
    @pytest.mark.parametrize(
        ("folders", "found"),
        [
            (["k8s/gitops/prod/a", "k8s/gitops/dev/a"], {"dev": ["k8s/gitops/dev"], "prod": ["k8s/gitops/prod"]}),
            (["envs/eu-1", "envs/base", "envs/.x"], {"eu-1": ["envs/eu-1"]}),
            (["clusters/my-cluster/flux-system"], {"my-cluster": ["clusters/my-cluster"]}),
            (
                ["app1/overlays/prod", "app1/overlays/qa", "app2/overlays/prod"],
                {"qa": ["app1/overlays/qa"], "prod": ["app1/overlays/prod", "app2/overlays/prod"]},
            ),
            (["src/test", "src/main", "tests", "node_modules/envs/a", ".git/envs/a"], {}),
            (["prod/test", "prod/dev", "staging"], {"staging": ["staging"], "prod": ["prod"]}),
            (["a/b/c/d/e/f/envs/x"], {}),
        ],
    )
    def test_folders_are_environments_by_their_name_or_their_place(
        self, tmp_path: Path, folders: list[str], found: dict[str, list[str]]
    ) -> None:
        for folder in folders:
            (tmp_path / folder).mkdir(parents=True)

        environment = environments.find(str(tmp_path))

        assert [(each.name, list(each.folders)) for each in environment] == list(found.items())

    def test_an_environment_in_several_places_has_one_rule_for_all(self, repository: Repository, tool: Tool) -> None:
        for service in ("app1", "app2"):
            repository.write(f"{service}/overlays/prod/kustomization.yaml", KUSTOMIZATION)
        repository.sealpy("init")

        repository.write("app3/overlays/prod/secrets.yaml", SECRET)

        assert repository.commit().code == 1

    def test_a_folder_with_signs_of_regular_expressions_is_taken_literally(self, repository: Repository) -> None:
        repository.write("envs/eu (1.0) 'x'/kustomization.yaml", KUSTOMIZATION)
        assert repository.sealpy("init").code == 0

        repository.write("envs/eu (1.0) 'x'/secrets.yaml", SECRET)

        assert repository.commit().code == 1

    @pytest.mark.parametrize(
        ("path_regex", "labels"),
        [
            ("^k8s/gitops/dev/.*", ["dev"]),
            ("^k8s/gitops/prod/(.+/)?([^/]*[-_.])?secrets?\\.ya?ml$", ["prod"]),
            ("(^|/)qa/(.+/)?secrets.yaml$", ["qa"]),
            ("clusters/eu-1/.*\\.yaml$", ["eu-1"]),
            ("envs/(dev|qa)/.*", ["dev", "qa"]),
            ("overlays/pre\\-prod/x", ["pre-prod"]),
            (".*\\.prod\\.yaml", [".*\\.prod\\.yaml"]),
            ("", ["everything else"]),
        ],
    )
    def test_a_rule_is_called_by_its_environment(self, path_regex: str, labels: list[str]) -> None:
        assert access.labels(path_regex) == labels
