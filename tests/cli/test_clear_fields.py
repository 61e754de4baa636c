"""Pipelines that set what stands in clear, and hold no key."""

import subprocess
from collections.abc import Callable

import pytest

from tests.cli.process import Program
from tests.cli.repository import Repository
from tests.conftest import AgeKey

Tool = Callable[[str], str]

RULE = """\
creation_rules:
  - encrypted_regex: ^(data|stringData)$
    mac_only_encrypted: {only}
    age: {recipient}
"""
DEPLOYED = """\
apiVersion: v1
kind: Secret
metadata:
  name: app
  labels:
    image: app:1  # set by the pipeline
stringData:
  PASSWORD: hunter2
"""


@pytest.fixture
def pipeline(run: Program, age_key: AgeKey) -> Program:
    """Return sealpy without a key, where a file lies that it can write parts of."""
    run.write(".sops.yaml", RULE.format(only="true", recipient=age_key.recipient))
    run.write("app.yaml", DEPLOYED)
    assert run("encrypt", "-i", "app.yaml").code == 0
    assert "hunter2" not in run.read("app.yaml")
    return run


@pytest.fixture
def covered(run: Program, age_key: AgeKey) -> Program:
    """Return sealpy without a key, where the MAC covers the clear fields too."""
    run.write(".sops.yaml", RULE.format(only="false", recipient=age_key.recipient))
    run.write("app.yaml", DEPLOYED)
    assert run("encrypt", "-i", "app.yaml").code == 0
    return run


def test_a_clear_field_is_set_without_a_key_and_nothing_else_changes(
    pipeline: Program, age_key: AgeKey, tool: Tool
) -> None:
    before = pipeline.read("app.yaml")

    assert pipeline("set", "app.yaml", '["metadata"]["labels"]["image"]', '"app:2"') == (0, "", "")

    assert pipeline.read("app.yaml") == before.replace("app:1", "app:2")
    opened = subprocess.run(
        [tool("sops"), "decrypt", "app.yaml"],
        cwd=pipeline.folder,
        env={**pipeline.env, "SOPS_AGE_KEY": age_key.identity},
        capture_output=True,
        text=True,
        check=False,
    )
    assert opened.returncode == 0, opened.stderr
    assert "image: app:2" in opened.stdout
    assert "PASSWORD: hunter2" in opened.stdout


def test_a_clear_field_is_removed_without_a_key(pipeline: Program) -> None:
    before = pipeline.read("app.yaml")
    assert pipeline("set", "app.yaml", '["metadata"]["note"]', '"x"').code == 0
    assert "note: x" in pipeline.read("app.yaml")

    assert pipeline("unset", "app.yaml", '["metadata"]["note"]') == (0, "", "")

    assert pipeline.read("app.yaml") == before


def test_an_equal_clear_value_leaves_the_file_alone(pipeline: Program) -> None:
    before = (pipeline.folder / "app.yaml").stat()

    assert pipeline("set", "--idempotent", "app.yaml", '["metadata"]["name"]', '"app"').code == 0
    assert pipeline("set", "app.yaml", '["metadata"]["name"]', '"app"').code == 0
    assert pipeline("unset", "--idempotent", "app.yaml", '["metadata"]["nothing"]').code == 0

    after = (pipeline.folder / "app.yaml").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_the_key_is_not_even_asked_for(pipeline: Program, home_with_broken_key: dict[str, str]) -> None:
    ended = pipeline("set", "app.yaml", '["metadata"]["name"]', '"b"', env=home_with_broken_key)

    assert ended == (0, "", "")
    assert pipeline("decrypt", "app.yaml", env=home_with_broken_key).code == 128


@pytest.fixture
def home_with_broken_key() -> dict[str, str]:
    return {"SOPS_AGE_KEY": "AGE-SECRET-KEY-1BROKEN"}


@pytest.mark.parametrize(
    ("path", "is_there"),
    [('["stringData"]["PASSWORD"]', True), ('["stringData"]["NEW"]', False), ('["data"]["NEW"]', False)],
)
def test_what_the_rule_seals_needs_a_key_and_who_has_it_is_said(
    pipeline: Program, age_key: AgeKey, path: str, is_there: bool
) -> None:
    before = pipeline.read("app.yaml")

    ended = pipeline("set", "app.yaml", path, '"x"')

    key = path[2:-2].replace('"]["', ".")
    assert (ended.code, ended.out) == (128, "")
    assert ended.err.startswith(
        f"sealpy: app.yaml: {key} {'is' if is_there else 'would be'} sealed, and no key here opens it: "
        f"it is sealed for {age_key.recipient}; "
    )
    command = f'"sealpy add app.yaml {key.partition(".")[2]}"'
    assert f"\nsealpy: hint: {command} puts a value there without reading what is; " in ended.err
    assert pipeline.read("app.yaml") == before


def test_removing_a_sealed_value_needs_a_key(pipeline: Program) -> None:
    before = pipeline.read("app.yaml")

    ended = pipeline("unset", "app.yaml", '["stringData"]["PASSWORD"]')

    assert ended.code == 128
    assert "stringData.PASSWORD is sealed, and no key here opens it" in ended.err
    assert pipeline.read("app.yaml") == before


def test_under_a_full_mac_the_refusal_says_what_can_be_done(covered: Program, age_key: AgeKey) -> None:
    before = covered.read("app.yaml")

    ended = covered("set", "app.yaml", '["metadata"]["name"]', '"b"')

    assert (ended.code, ended.out) == (128, "")
    first, second = ended.err.splitlines()
    assert first.startswith(
        "sealpy: app.yaml: metadata.name stands in clear, but the MAC covers it, and no key here opens it: "
        f"it is sealed for {age_key.recipient}; "
    )
    assert second == (
        'sealpy: hint: edit it by hand, and have somebody who can open the file run "sealpy reseal app.yaml"; '
        '"mac_only_encrypted: true" in its rule leaves clear fields to everybody'
    )
    assert covered.read("app.yaml") == before


def test_by_the_name_of_sops_a_key_is_needed_as_in_sops(pipeline: Program) -> None:
    before = pipeline.read("app.yaml")

    assert pipeline("set", "app.yaml", '["metadata"]["name"]', '"b"', name="sops").code == 128
    assert pipeline.read("app.yaml") == before


def test_diff_lists_such_an_edit_as_one_that_nobody_vouches_for(
    tmp_path_factory: pytest.TempPathFactory, home: object, tool: Tool, age_key: AgeKey
) -> None:
    folder = tmp_path_factory.mktemp("diff")
    repository = Repository(folder / "work", folder, tool("sops"), {"prod": (age_key.identity, age_key.recipient)})
    repository.plain.write(".sops.yaml", RULE.format(only="true", recipient=age_key.recipient))
    repository.plain.write("app.yaml", DEPLOYED)
    assert repository.sealpy("encrypt", "-i", "app.yaml").code == 0
    repository.commit()
    words = ("set", "app.yaml", '["metadata"]["labels"]["image"]', '"app:2"')
    assert repository.sealpy(*words, keys=()) == (0, "", "")

    ended = repository.diff("--reveal")
    report = repository.json("--reveal")

    assert '  ~ metadata.labels.image  "app:1" → "app:2"   [not under the MAC]\n' in ended.out
    (file,) = report["files"]
    (change,) = [change for one in file["objects"] for change in one["changes"]]
    assert (change["authenticated"], file["mac"]) == (False, "ok")
    # Whoever has no key sees as much: it is the file that says what its MAC leaves out.
    assert '  ~ metadata.labels.image  "app:1" → "app:2"   [not under the MAC]\n' in repository.diff(keys=()).out
    (file,) = repository.json("--reveal", keys=())["files"]
    assert file["objects"][0]["changes"][0]["authenticated"] is False


def test_diff_tells_a_field_that_is_sealed_from_now_on_from_one_that_nobody_vouches_for(
    tmp_path_factory: pytest.TempPathFactory, tool: Tool, age_key: AgeKey
) -> None:
    folder = tmp_path_factory.mktemp("diff")
    repository = Repository(folder / "work", folder, tool("sops"), {"prod": (age_key.identity, age_key.recipient)})
    rule = RULE.format(only="true", recipient=age_key.recipient)
    repository.plain.write(".sops.yaml", rule)
    repository.plain.write("app.yaml", DEPLOYED)
    assert repository.sealpy("encrypt", "-i", "app.yaml").code == 0
    repository.commit()
    repository.plain.write(".sops.yaml", rule.replace("stringData", "stringData|image"))
    assert repository.sealpy("sync", "--yes").code == 0

    assert "  ~ metadata.labels.image  changed: str, 5 B   [stood in clear, now encrypted]\n" in repository.diff().out


class TestInit:
    @pytest.fixture
    def environments(self, run: Program) -> Program:
        run.git("init", "-q")
        for name in ("dev", "prod"):
            run.write(f"envs/{name}/kustomization.yaml", "resources: []\n")
        return run

    def test_a_new_rule_leaves_clear_fields_to_everybody(self, environments: Program, tool: Tool) -> None:
        ended = environments("init", "--cleartext-editable", "envs/dev")

        assert ended.code == 0, ended.err
        assert (
            "sealpy:   files like envs/dev: clear fields can be set without a key; nobody vouches for them\n"
            in ended.err
        )
        dev, prod = environments.read(".sops.yaml").split("  - path_regex: ")[1:]
        assert "    mac_only_encrypted: true\n" in dev
        assert "mac_only_encrypted" not in prod
        environments.write("envs/dev/secrets.yaml", DEPLOYED)
        assert environments("encrypt", "-i", "envs/dev/secrets.yaml").code == 0
        nobody = {"HOME": "/nonexistent", "XDG_CONFIG_HOME": "/nonexistent"}
        words = ("set", "envs/dev/secrets.yaml", '["metadata"]["name"]', '"b"')
        assert environments(*words, env=nobody) == (0, "", "")
        assert "  name: b\n" in environments.read("envs/dev/secrets.yaml")

    def test_a_rule_that_is_there_is_changed_and_its_text_kept(self, environments: Program) -> None:
        assert environments("init").code == 0
        before = environments.read(".sops.yaml")

        ended = environments("init", "--cleartext-editable", "envs/prod/secrets.yaml")

        assert ended.code == 0, ended.err
        assert "sealpy: hint: files that are sealed already follow with: sealpy sync\n" in ended.err
        after = environments.read(".sops.yaml")
        assert after.replace("    mac_only_encrypted: true\n", "") == before
        assert "mac_only_encrypted: true" in after.split("  - path_regex: ")[2]

    def test_a_rule_that_is_so_already_is_left_alone(self, environments: Program) -> None:
        assert environments("init", "--cleartext-editable", "envs/dev").code == 0
        before = environments.read(".sops.yaml")

        ended = environments("init", "--cleartext-editable", "envs/dev")

        assert ended.code == 0
        assert ".sops.yaml is there: nothing was written\n" in ended.err
        assert environments.read(".sops.yaml") == before

    def test_a_path_without_a_rule_is_said_and_nothing_written(self, environments: Program) -> None:
        ended = environments("init", "--cleartext-editable", "elsewhere")

        assert ended.code == 1
        assert ended.err.endswith(
            "sealpy: no creation rule covers elsewhere\n"
            "sealpy: hint: name a file or folder of an environment, such as envs/prod, or write a rule for it first\n"
        )
        assert not (environments.folder / ".sops.yaml").exists()
