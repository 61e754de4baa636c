"""``sealpy add`` by people with and without the key."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.process import Program
from tests.conftest import AgeKey

SECRET = """\
apiVersion: v1
kind: Secret
metadata:
  name: web
  namespace: shop
stringData:
  DB_USER: shop
  DB_PASSWORD: correct-horse
data:
  TLS: YWJj
"""
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\ndata:\n  LEVEL: info\n"
FILE = "k8s/prod/secrets.yaml"
PART = "k8s/prod/secrets.d/STRIPE_KEY.yaml"


class Team:
    """One folder; ``ops`` has the key of what is sealed in it, ``dev`` knows recipients only."""

    def __init__(self, run: Program, home: Path, key: AgeKey, sops: str) -> None:
        self.dev = run
        self.ops = Program(run.folder, home, {"SOPS_AGE_KEY": key.identity})
        self.key = key
        self._sops = sops

    def rules(self, *rows: str) -> None:
        self.dev.write(".sops.yaml", "creation_rules:\n" + "".join(f"  - {row}\n" for row in rows))

    def rule(self, pattern: str, recipient: str = "", more: str = "") -> str:
        return f"{{path_regex: '{pattern}', age: {recipient or self.key.recipient}{more}}}"

    def seal(self, name: str, text: str) -> None:
        self.dev.write(name, text)
        assert self.dev("encrypt", "-i", name).code == 0

    def sops(self, name: str) -> str:
        """Decrypt a file with the real sops."""
        done = subprocess.run(
            [self._sops, "decrypt", name],
            cwd=self.ops.folder,
            env=self.ops.env,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def files(self) -> dict[str, bytes]:
        folder = self.dev.folder
        return {
            str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
        }


@pytest.fixture
def team(run: Program, home: Path, age_key: AgeKey, tool: Callable[[str], str]) -> Team:
    """Return a team with a sealed Secret of production."""
    team = Team(run, home, age_key, tool("sops"))
    team.rules(team.rule("^k8s/prod/"))
    team.seal(FILE, SECRET)
    return team


def test_without_the_key_a_part_is_written_and_nothing_else_touched(team: Team) -> None:
    before = team.files()

    ended = team.dev("add", FILE, "STRIPE_KEY", "--value-stdin", stdin="sk_live_1\n")

    assert ended == (
        0,
        "",
        f"sealpy: you can't read prod (it takes the key of {team.key.recipient}). Sealed STRIPE_KEY into {PART}; nothing else touched\n",
    )
    after = team.files()
    part = after.pop(PART)
    assert after == before
    assert b"sk_live_1" not in part
    assert team.sops(PART) == (
        "apiVersion: v1\nkind: Secret\nmetadata:\n    name: web\n    namespace: shop\n"
        "stringData:\n    STRIPE_KEY: sk_live_1\n"
    )


def test_names_of_the_project_are_used(team: Team) -> None:
    team.dev.write(
        ".sealpy.yaml",
        f"version: 1\nenvironments: {{production: k8s/prod}}\nrecipients: {{prod-cluster: {team.key.recipient}}}\n",
    )

    ended = team.dev("add", FILE, "STRIPE_KEY", "--value-stdin", stdin="sk_live_1\n")

    assert ended.err.startswith("sealpy: you can't read production (it takes the key of prod-cluster (age1")


def test_with_the_key_the_value_is_set(team: Team) -> None:
    assert team.ops("add", FILE, "STRIPE_KEY", "--value-stdin", stdin="sk_live_1") == (
        0,
        "",
        f"sealpy: added STRIPE_KEY in {FILE}\n",
    )
    assert team.ops("add", FILE, "DB_USER", "--value-stdin", stdin="yes").err == f"sealpy: changed DB_USER in {FILE}\n"
    # A key stays in the section where it stands.
    assert team.ops("add", FILE, "TLS", "--value-stdin", stdin="xyz").code == 0

    assert team.sops(FILE) == (
        "apiVersion: v1\nkind: Secret\nmetadata:\n    name: web\n    namespace: shop\nstringData:\n"
        '    DB_USER: "yes"\n    DB_PASSWORD: correct-horse\n    STRIPE_KEY: sk_live_1\ndata:\n    TLS: eHl6\n'
    )
    assert not (team.dev.folder / "k8s/prod/secrets.d").exists()


def test_base_and_part_are_one_when_decrypted(team: Team) -> None:
    team.dev("add", FILE, "STRIPE_KEY", "--value-stdin", stdin="sk_live_1")
    team.dev("add", FILE, "DB_PASSWORD", "--value-stdin", stdin="battery-staple")
    whole = SECRET.replace("correct-horse", "battery-staple").replace("data:\n  TLS", "data:\n  TLS")
    whole = whole.replace("staple\n", "staple\n  STRIPE_KEY: sk_live_1\n")

    assert team.ops("decrypt", FILE).out == whole
    assert team.ops("decrypt", "--extract", '["stringData"]["STRIPE_KEY"]', FILE).out == "sk_live_1"
    assert team.ops("decrypt", "--no-parts", FILE).out == SECRET
    assert team.ops("decrypt", FILE, name="sops").out == SECRET


def test_decrypting_in_place_leaves_parts_out_and_says_so(team: Team) -> None:
    team.dev("add", FILE, "STRIPE_KEY", "--value-stdin", stdin="sk_live_1")

    ended = team.ops("decrypt", "-i", FILE)

    assert (ended.code, team.dev.read(FILE)) == (0, SECRET)
    assert f"its parts stay as they are: {PART}" in ended.err


def test_who_edits_the_file_learns_of_its_parts(team: Team) -> None:
    team.dev("add", FILE, "STRIPE_KEY", "--value-stdin", stdin="one")

    ended = team.ops("edit", FILE, env={"SOPS_EDITOR": "sed -i s/correct/wrong/"})

    assert ended.code == 0
    assert f"warning: the keys of its parts win over what you write: {PART}\n" in ended.err
    assert "STRIPE_KEY" not in team.dev.read(FILE)


def test_a_part_that_replaces_a_value_says_so(team: Team) -> None:
    ended = team.dev("add", FILE, "DB_PASSWORD", "--value-stdin", stdin="x")

    assert f"warning: DB_PASSWORD has a value in {FILE} already, which this one replaces" in ended.err


def test_a_second_part_for_a_key_takes_the_place_of_the_first(team: Team) -> None:
    team.dev("add", FILE, "STRIPE_KEY", "--value-stdin", stdin="one")

    ended = team.dev("add", FILE, "STRIPE_KEY", "--value-stdin", stdin="two")

    assert "sealpy: the part for STRIPE_KEY that was there is replaced\n" in ended.err
    assert team.ops("decrypt", "--extract", '["stringData"]["STRIPE_KEY"]', FILE).out == "two"


def test_setting_with_the_key_takes_the_part_away(team: Team) -> None:
    team.dev("add", FILE, "STRIPE_KEY", "--value-stdin", stdin="one")

    ended = team.ops("add", FILE, "STRIPE_KEY", "--value-stdin", stdin="two")

    assert ended.err == f"sealpy: added STRIPE_KEY in {FILE}\nsealpy: removed the part that held STRIPE_KEY: {PART}\n"
    assert team.ops("decrypt", "--extract", '["stringData"]["STRIPE_KEY"]', FILE).out == "two"
    assert not (team.dev.folder / "k8s/prod/secrets.d").exists()


def test_the_rule_of_the_file_holds_where_no_rule_is_for_the_part(team: Team) -> None:
    team.rules(team.rule("secrets\\.yaml$"))

    assert team.dev("add", FILE, "STRIPE_KEY", "--value-stdin", stdin="x").code == 0
    assert team.key.recipient in team.dev.read(PART)


def test_a_part_is_not_sealed_for_others_than_its_file(team: Team, other_key: AgeKey) -> None:
    team.rules(team.rule("secrets\\.yaml$"), f"{{age: {other_key.recipient}}}")
    before = team.files()

    ended = team.dev("add", FILE, "STRIPE_KEY", "--value-stdin", stdin="x")

    assert ended.code == 1
    assert ended.err.startswith(
        f"sealpy: {PART} would be sealed for other keys than {FILE}\nsealpy: hint: let the path_reg"
    )
    assert team.files() == before


def test_a_file_is_taken_byte_for_byte(team: Team) -> None:
    team.dev.write("logo.bin", b"\x00\xff\n")
    team.dev.write("ca.pem", "line one\nline two\n")

    assert team.dev("add", FILE, "logo", "--from-file", "logo.bin").code == 0
    assert team.dev("add", FILE, "ca.pem", "--from-file", "ca.pem").code == 0

    merged = team.ops("decrypt", "--extract", '["data"]["logo"]', FILE).out
    assert merged == "AP8K"
    assert team.ops("decrypt", "--extract", '["stringData"]["ca.pem"]', FILE).out == "line one\nline two\n"


def test_a_config_map_gets_a_key_of_data(team: Team) -> None:
    team.seal("k8s/prod/config.yaml", CONFIG)

    assert team.dev("add", "k8s/prod/config.yaml", "MODE", "--value-stdin", stdin="fast").code == 0

    assert team.ops("decrypt", "k8s/prod/config.yaml").out == CONFIG + "  MODE: fast\n"


def test_json_and_dotenv_have_parts_too(team: Team) -> None:
    team.seal("k8s/prod/app.env", "A=1\n")
    team.seal(
        "k8s/prod/web.json",
        '{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "web"}, "stringData": {"A": "1"}}\n',
    )

    assert team.dev("add", "k8s/prod/app.env", "B", "--value-stdin", stdin="2").code == 0
    assert team.dev("add", "k8s/prod/web.json", "B", "--value-stdin", stdin="2").code == 0

    assert team.ops("decrypt", "k8s/prod/app.env").out == "A=1\nB=2\n"
    assert json.loads(team.ops("decrypt", "k8s/prod/web.json").out)["stringData"] == {"A": "1", "B": "2"}
    assert team.sops("k8s/prod/app.d/B.env") == "B=2\n"


def test_of_several_objects_one_is_named(team: Team) -> None:
    team.seal(FILE, SECRET + "---\n" + CONFIG)

    assert "holds several objects" in team.dev("add", FILE, "K", "--value-stdin", stdin="x").err
    team.seal("k8s/prod/two.yaml", CONFIG + "---\n" + SECRET.replace("web", "other"))
    ended = team.dev("add", "k8s/prod/two.yaml", "K", "--name", "other", "--value-stdin", stdin="x")
    assert "only an object of the first document" in ended.err
    assert team.dev("add", "k8s/prod/two.yaml", "K", "--name", "web", "--value-stdin", stdin="x").code == 0
    assert "K: x" in team.ops("decrypt", "k8s/prod/two.yaml").out


@pytest.mark.parametrize("key", ["a/b", "..", ".", "", "../x", "a b", "x" * 260, "a\n"])
def test_a_name_that_is_no_key_is_refused(team: Team, key: str) -> None:
    before = team.files()

    ended = team.dev("add", FILE, key, "--value-stdin", stdin="x")

    assert ended.code == 1
    assert "no name for a key" in ended.err
    assert team.files() == before


def test_what_makes_no_sense_is_refused_before_anything_is_written(team: Team) -> None:
    team.dev.write("k8s/prod/clear.yaml", CONFIG)
    team.dev.write("k8s/prod/x.ini", "[a]\nb = c\n")
    before = team.files()

    assert team.dev("add", "k8s/prod/missing.yaml", "K", "--value-stdin", stdin="x").code == 100
    assert "is not encrypted" in team.dev("add", "k8s/prod/clear.yaml", "K", "--value-stdin", stdin="x").err
    assert "can have no keys added" in team.dev("add", "k8s/prod/x.ini", "K", "--value-stdin", stdin="x").err
    assert "the value is empty" in team.dev("add", FILE, "K", "--value-stdin", stdin="\n").err
    assert "no terminal to ask on" in team.dev("add", FILE, "K", before=["setsid"]).err
    assert "cannot use both" in team.dev("add", FILE, "K", "--value-stdin", "--from-file", "x").err
    assert team.files() == before


def test_what_hides_its_name_gets_no_part(team: Team) -> None:
    team.rules(team.rule("^k8s/prod/", more=", unencrypted_suffix: _open"))
    team.seal(FILE, SECRET)

    assert "hides what object it holds" in team.dev("add", FILE, "K", "--value-stdin", stdin="x").err
    assert team.ops("add", FILE, "K", "--value-stdin", stdin="x").code == 0


def test_a_file_that_is_no_part_for_the_key_is_left_alone(team: Team) -> None:
    team.seal(PART, SECRET)
    before = team.files()

    ended = team.dev("add", FILE, "STRIPE_KEY", "--value-stdin", stdin="x")

    assert f"{PART} is there, and is no part for STRIPE_KEY alone" in ended.err
    assert team.files() == before


def test_two_parts_with_one_key_are_an_error_that_names_both(team: Team) -> None:
    team.dev("add", FILE, "STRIPE_KEY", "--value-stdin", stdin="one")
    other = "k8s/prod/secrets.d/other.yaml"
    (team.dev.folder / other).write_bytes((team.dev.folder / PART).read_bytes())

    ended = team.ops("decrypt", FILE)

    assert ended.code == 1
    assert ended.out == ""
    assert f"{PART} and {other} both hold STRIPE_KEY" in ended.err


def test_a_secret_of_its_own_stands_beside_the_file(team: Team) -> None:
    team.dev.write("k8s/prod/kustomization.yaml", "# ours\nresources:\n  - secrets.yaml # sealed\n")

    ended = team.dev("add", FILE, "STRIPE_KEY", "--as-secret", "stripe", "--value-stdin", stdin="x")

    assert ended.err == (
        "sealpy: sealed STRIPE_KEY into k8s/prod/stripe.yaml, Secret shop/stripe; you can't read prod\n"
        "sealpy: named it as a resource in k8s/prod/kustomization.yaml\n"
    )
    assert team.dev.read("k8s/prod/kustomization.yaml") == (
        "# ours\nresources:\n  - secrets.yaml # sealed\n  - stripe.yaml\n"
    )
    assert "name: stripe" in team.sops("k8s/prod/stripe.yaml")
    again = team.dev("add", FILE, "K", "--as-secret", "stripe", "--value-stdin", stdin="x")
    assert "is there already" in again.err


def test_a_part_is_named_as_a_patch_when_asked_for(team: Team) -> None:
    team.dev.write("k8s/prod/kustomization.yaml", "resources: [secrets.yaml]\n")

    ended = team.dev("add", FILE, "STRIPE_KEY", "--value-stdin", "--kustomize", stdin="x")
    team.dev("add", FILE, "STRIPE_KEY", "--value-stdin", "--kustomize", stdin="y")

    assert "Flux cannot decrypt" in ended.err
    assert f"hint: for Flux, fold it before, or name {FILE} under patches too" in ended.err
    assert team.dev.read("k8s/prod/kustomization.yaml") == (
        "resources: [secrets.yaml]\npatches:\n    - path: secrets.d/STRIPE_KEY.yaml\n"
    )


def test_where_the_file_is_a_patch_itself_the_part_comes_after_it(team: Team) -> None:
    team.dev.write("k8s/prod/kustomization.yaml", "patches:\n  - path: ./secrets.yaml\n")

    ended = team.dev("add", FILE, "STRIPE_KEY", "--value-stdin", "--kustomize", stdin="x")

    assert "Flux" not in ended.err
    assert team.dev.read("k8s/prod/kustomization.yaml") == (
        "patches:\n  - path: ./secrets.yaml\n  - path: secrets.d/STRIPE_KEY.yaml\n"
    )


def test_an_env_file_is_made(team: Team) -> None:
    assert team.dev("add", "--env-file", "k8s/prod/app.env", "TOKEN", "--value-stdin", stdin="x").code == 0

    assert team.sops("k8s/prod/app.env") == "TOKEN=x\n"


KUBERNETES = ", encrypted_regex: '^(data|stringData|binaryData)$'"
CLEAR = [
    # the rule, a file and what is in it, the key, whether the person has the key of the file
    pytest.param(KUBERNETES, "k8s/prod/app.env", "data=1\n", "TOKEN", False, id="part of a dotenv file"),
    pytest.param(KUBERNETES, "k8s/prod/v.yaml", "data: {a: b}\n", "token", False, id="part of plain YAML"),
    pytest.param(KUBERNETES, "k8s/prod/v.json", '{"data": {"a": "b"}}\n', "token", False, id="part of plain JSON"),
    pytest.param(KUBERNETES, "k8s/prod/v.yaml", "data: {a: b}\n", "token", True, id="set in plain YAML"),
    pytest.param(KUBERNETES, "k8s/prod/app.env", "data=1\n", "TOKEN", True, id="set in a dotenv file"),
    pytest.param(", encrypted_suffix: _S", FILE, SECRET.replace("USER", "USER_S"), "TOKEN", True, id="set, suffix"),
    pytest.param(", encrypted_suffix: _S", FILE, SECRET.replace("USER", "USER_S"), "TOKEN", False, id="part, suffix"),
    pytest.param("", "k8s/prod/v.yaml", "a: b\n", "TOKEN_unencrypted", False, id="part, by its name"),
    pytest.param("", "k8s/prod/v.yaml", "a: b\n", "TOKEN_unencrypted", True, id="set, by its name"),
]


@pytest.mark.parametrize(("more", "file", "text", "key", "has_key"), CLEAR)
def test_nothing_is_written_where_the_value_would_stand_in_clear(
    team: Team, more: str, file: str, text: str, key: str, has_key: bool
) -> None:
    team.rules(team.rule("^k8s/prod/", more=more))
    team.seal(file, text)
    before = team.files()

    ended = (team.ops if has_key else team.dev)("add", file, key, "--value-stdin", stdin="topsecret")

    assert ended.code == 1
    assert f"{key} would stand in clear in k8s/prod/" in ended.err
    assert ended.err.count("; nothing was written\nsealpy: hint: ") == 1
    assert "topsecret" not in ended.err
    assert team.files() == before


def test_a_new_env_file_is_not_written_in_clear_and_the_hint_helps(team: Team) -> None:
    team.rules(team.rule("^k8s/prod/", more=KUBERNETES))
    words = ("add", "--env-file", "k8s/prod/new.env", "TOKEN", "--value-stdin")
    before = team.files()

    ended = team.dev(*words, stdin="topsecret")

    assert (ended.code, ended.err) == (
        1,
        (
            "sealpy: TOKEN would stand in clear in k8s/prod/new.env: encrypted_regex ^(data|stringData|binaryData)$ "
            "does not select it; nothing was written\n"
            "sealpy: hint: put a rule of its own for *.env above .sops.yaml:2, with the same keys and without "
            "encrypted_regex: path_regex: ^k8s/prod/.*\\.env$\n"
        ),
    )
    assert team.files() == before
    team.rules(team.rule(r"^k8s/prod/.*\.env$"), team.rule("^k8s/prod/", more=KUBERNETES))
    assert team.dev(*words, stdin="topsecret").code == 0
    assert team.sops("k8s/prod/new.env") == "TOKEN=topsecret\n"


def test_a_secret_of_its_own_is_not_written_in_clear(team: Team) -> None:
    team.rules(team.rule(r"secrets\.yaml$", more=KUBERNETES), team.rule("", more=", encrypted_suffix: _S"))
    team.seal(FILE, SECRET)
    before = team.files()

    ended = team.dev("add", FILE, "TOKEN", "--as-secret", "other", "--value-stdin", stdin="topsecret")

    assert ended.code == 1
    assert "stringData.TOKEN would stand in clear in k8s/prod/other.yaml: encrypted_suffix _S does not" in ended.err
    assert "hint: TOKEN_S would be encrypted; or mend encrypted_suffix in .sops.yaml:3\n" in ended.err
    assert team.files() == before


def test_a_value_that_looks_sealed_is_still_one_in_clear(team: Team) -> None:
    team.rules(team.rule("^k8s/prod/", more=KUBERNETES))
    team.seal("k8s/prod/v.yaml", "data: {a: b}\n")
    before = team.files()

    ended = team.dev(
        "add",
        "k8s/prod/v.yaml",
        "token",
        "--value-stdin",
        stdin="ENC[AES256_GCM,data:AAAA,iv:AAAA,tag:AAAA,type:str]",
    )

    assert ended.code == 1
    assert "token would stand in clear in k8s/prod/v.d/token.yaml" in ended.err
    assert team.files() == before


class TestNestedConfigurations:
    """The root's configuration is for one person, that of apps for another."""

    FILE = "apps/x/sec.yaml"

    @pytest.fixture
    def nested(self, team: Team, other_key: AgeKey) -> Team:
        team.dev.write("apps/.sops.yaml", f"creation_rules: [{{age: {team.key.recipient}}}]\n")
        team.rules(f"{{age: {other_key.recipient}}}")
        team.dev.write(self.FILE, "a: b\n")
        apps = Program(team.dev.folder / "apps", team.dev.folder, {})
        assert apps("encrypt", "-i", "x/sec.yaml").code == 0
        assert team.key.recipient in team.dev.read(self.FILE)
        return team

    def test_a_part_is_for_the_readers_of_its_file_wherever_one_stands(self, nested: Team, other_key: AgeKey) -> None:
        assert nested.dev("add", self.FILE, "K", "--value-stdin", stdin="v").code == 0

        part = nested.dev.read("apps/x/sec.d/K.yaml")
        assert nested.key.recipient in part
        assert other_key.recipient not in part
        assert nested.ops("decrypt", self.FILE).out == "a: b\nK: v\n"

    def test_so_is_a_new_env_file(self, nested: Team, other_key: AgeKey) -> None:
        assert nested.dev("add", "--env-file", "apps/x/app.env", "K", "--value-stdin", stdin="v").code == 0

        assert other_key.recipient not in nested.dev.read("apps/x/app.env")
        assert nested.sops("apps/x/app.env") == "K=v\n"

    def test_a_configuration_that_is_named_holds(self, nested: Team) -> None:
        before = nested.files()

        ended = nested.dev("--config", ".sops.yaml", "add", self.FILE, "K", "--value-stdin", stdin="v")

        assert (ended.code, ended.err) == (
            1,
            (
                f"sealpy: the part would be sealed for nobody who reads {self.FILE}\n"
                f'sealpy: hint: mend the rule, or have somebody who reads it run "sealpy sync {self.FILE}"\n'
            ),
        )
        assert nested.files() == before


def test_a_part_under_a_rule_that_was_changed_says_that_its_file_has_other_readers(
    team: Team, other_key: AgeKey
) -> None:
    team.rules(team.rule("^k8s/prod/", f"'{team.key.recipient},{other_key.recipient}'"))

    ended = team.dev("add", FILE, "STRIPE_KEY", "--value-stdin", stdin="x")

    assert ended.code == 0
    assert f"warning: {FILE} is sealed for others than its rule says; the part is for those of the rule\n" in ended.err
    assert f'hint: somebody who reads it brings it in line: "sealpy sync {FILE}"\n' in ended.err


def test_a_part_of_a_linked_file_stands_beside_the_file_itself(team: Team) -> None:
    (team.dev.folder / "link.yaml").symlink_to(FILE)

    ended = team.dev("add", "link.yaml", "STRIPE_KEY", "--value-stdin", stdin="x")

    assert f"Sealed STRIPE_KEY into {PART}; nothing else touched" in ended.err
    assert not (team.dev.folder / "link.d").exists()
    assert team.ops("decrypt", "--extract", '["stringData"]["STRIPE_KEY"]', FILE).out == "x"


def test_a_file_in_a_linked_folder_has_the_rule_of_its_place(team: Team, other_key: AgeKey) -> None:
    team.rules(team.rule("^k8s/prod/"), f"{{age: {other_key.recipient}}}")
    (team.dev.folder / "link").symlink_to("k8s/prod")

    assert team.dev("add", "link/secrets.yaml", "STRIPE_KEY", "--value-stdin", stdin="x").code == 0
    assert team.dev("add", "link/new.env", "K", "--env-file", "--value-stdin", stdin="x").code == 0

    for name in (PART, "k8s/prod/new.env"):
        assert team.key.recipient in team.dev.read(name)
        assert other_key.recipient not in team.dev.read(name)


def test_a_part_that_git_ignores_is_pointed_out(team: Team) -> None:
    team.dev.git("init", "-q")
    team.dev.write(".gitignore", "*.d/\n")

    ended = team.dev("add", FILE, "STRIPE_KEY", "--value-stdin", stdin="x")

    assert ended.code == 0
    assert f"sealpy: warning: git ignores {PART}, so nobody else gets it\n" in ended.err
    assert f'sealpy: hint: mend .gitignore, or "git add --force {PART}"\n' in ended.err


def test_a_part_for_the_same_key_of_another_object_is_said(team: Team) -> None:
    two = "apiVersion: v1\nkind: List\nitems:\n"
    for name in ("m1", "m2"):
        two += f"  - apiVersion: v1\n    kind: ConfigMap\n    metadata: {{name: {name}}}\n    data: {{A: x}}\n"
    team.rules(team.rule("^k8s/prod/", more=KUBERNETES))
    team.seal("k8s/prod/two.yaml", two)
    words = ("add", "k8s/prod/two.yaml", "K", "--value-stdin", "--name")
    assert team.dev(*words, "m1", stdin="1").code == 0
    before = team.files()

    ended = team.dev(*words, "m2", stdin="2")

    assert (ended.code, ended.err) == (
        1,
        (
            "sealpy: k8s/prod/two.d/K.yaml holds K of ConfigMap m1 already, and there is one part for a key, "
            "whatever object it is of\n"
            'sealpy: hint: have somebody who reads k8s/prod/two.yaml run "sealpy fold k8s/prod/two.yaml" before\n'
        ),
    )
    assert team.files() == before


def test_with_the_key_a_name_that_no_part_can_have_is_committed_too(team: Team) -> None:
    git = team.ops.git
    git("init", "-q")
    git("add", "-A")
    git("commit", "-q", "-m", "start")

    ended = team.ops("add", FILE, ".dockerconfigjson", "--value-stdin", "--commit", "x", stdin="{}")

    assert ended.code == 0, ended.err
    assert git("diff", "--name-only", "HEAD~1", "HEAD") == f"{FILE}\n"


@pytest.mark.parametrize("key", [".sealpy-x", "kustomization"])
def test_a_key_whose_part_nobody_would_read_is_refused_without_the_key_and_set_with_it(team: Team, key: str) -> None:
    before = team.files()

    ended = team.dev("add", FILE, key, "--value-stdin", stdin="v")

    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith(f"sealpy: {key}.yaml is no name for a part, so {key} cannot be added without the key\n")
    assert team.files() == before
    assert team.ops("add", FILE, key, "--value-stdin", stdin="v").code == 0
    assert f"  {key}: v\n" in team.sops(FILE)


@pytest.mark.parametrize("verb", ["decrypt", "fold"])
def test_an_error_in_a_part_names_the_part(team: Team, verb: str) -> None:
    team.seal(PART, SECRET + "type: Opaque\n")
    team.dev.write("k8s/prod/secrets.d/b.yaml", "a: [")

    assert team.ops(verb, FILE).err.startswith(f"sealpy: {PART}: a part holds values and the name of their object")
    (team.dev.folder / PART).unlink()
    assert team.ops(verb, FILE).err.startswith("sealpy: k8s/prod/secrets.d/b.yaml:2:1: not YAML")
