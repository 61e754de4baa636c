"""``sealpy fold``: parts become one file with their base."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.process import Program
from tests.cli.test_add import CONFIG, FILE, PART, SECRET, Team
from tests.conftest import AgeKey


@pytest.fixture
def team(run: Program, home: Path, age_key: AgeKey, tool: Callable[[str], str]) -> Team:
    """Return a team whose Secret has a new key, and another value for an old one, in parts."""
    team = Team(run, home, age_key, tool("sops"))
    team.rules(team.rule("^k8s/prod/"))
    team.seal(FILE, SECRET)
    for key, value in (("STRIPE_KEY", "sk_live_1"), ("DB_PASSWORD", "battery-staple"), ("TLS", "xyz")):
        assert team.dev("add", FILE, key, "--value-stdin", stdin=value).code == 0
    return team


def _values(text: str) -> list[str]:
    return [line for line in text.splitlines() if "ENC[" in line and "mac:" not in line]


def test_parts_become_values_of_their_file_and_go(team: Team) -> None:
    before = team.ops("decrypt", FILE).out
    sealed = _values(team.dev.read(FILE))

    ended = team.ops("fold", FILE)

    assert (ended.code, ended.out) == (0, "")
    names = ", ".join(f"k8s/prod/secrets.d/{key}.yaml" for key in ("DB_PASSWORD", "STRIPE_KEY", "TLS"))
    assert ended.err == f"sealpy: {FILE}: folded in and removed {names}\n"
    assert team.ops("decrypt", "--no-parts", FILE).out == before
    assert "battery-staple" in before
    assert "TLS: eHl6" in team.sops(FILE)
    assert not (team.dev.folder / "k8s/prod/secrets.d").exists()
    # What no part touched keeps its ciphertext.
    assert sealed[0] == _values(team.dev.read(FILE))[0]
    assert "DB_USER" in sealed[0]


def test_without_the_key_nothing_happens(team: Team) -> None:
    before = team.files()

    assert team.dev("fold", FILE).code == 128
    assert team.files() == before


def test_an_interrupted_fold_is_finished_by_the_next(team: Team) -> None:
    parts = {path: data for path, data in team.files().items() if "secrets.d" in path}
    assert team.ops("fold", FILE).code == 0
    folded = team.dev.read(FILE)
    for path, data in parts.items():
        team.dev.write(path, data)

    assert team.ops("fold", FILE).code == 0

    assert team.dev.read(FILE) == folded
    assert not (team.dev.folder / "k8s/prod/secrets.d").exists()


def test_a_file_without_parts_is_left_alone(team: Team) -> None:
    team.ops("fold", FILE)
    before = team.files()

    ended = team.ops("fold", FILE)

    assert ended.code == 0
    assert "there are no parts in k8s/prod/secrets.d" in ended.err
    assert team.files() == before


def test_the_kustomization_forgets_the_patch(team: Team) -> None:
    team.dev.write(
        "k8s/prod/kustomization.yaml",
        "resources:\n  - secrets.yaml\npatches: # ours\n  - path: secrets.d/STRIPE_KEY.yaml\n  - path: other.yaml\n",
    )

    assert team.ops("fold", FILE).code == 0

    assert team.dev.read("k8s/prod/kustomization.yaml") == (
        "resources:\n  - secrets.yaml\npatches: # ours\n  - path: other.yaml\n"
    )


def test_a_damaged_part_stops_the_fold_before_anything_is_written(team: Team) -> None:
    text = team.dev.read(PART)
    team.dev.write(PART, text.replace("name: web", "name: other"))
    before = team.files()

    ended = team.ops("fold", FILE)

    assert ended.code == 51
    assert PART in ended.err
    assert team.files() == before


def test_a_part_of_another_object_stops_the_fold(team: Team) -> None:
    team.seal("k8s/prod/other.yaml", SECRET.replace("name: web", "name: other"))
    team.dev("add", "k8s/prod/other.yaml", "K", "--value-stdin", stdin="x")
    team.dev.write("k8s/prod/secrets.d/K.yaml", team.dev.read("k8s/prod/other.d/K.yaml"))
    before = team.files()

    ended = team.ops("fold", FILE)

    assert ended.code == 1
    assert "is a part of Secret shop/other, and its base has no such object" in ended.err
    assert team.files() == before


def test_what_is_in_the_folder_and_is_no_part_stops_the_fold(team: Team) -> None:
    team.seal(
        "k8s/prod/secrets.d/more.yaml", SECRET.replace("  namespace: shop\n", "  namespace: shop\n  labels: {a: b}\n")
    )

    ended = team.ops("fold", FILE)

    assert "a part holds values and the name of their object, not metadata" in ended.err


def test_several_files_are_folded_in_one_call(team: Team) -> None:
    team.seal("k8s/prod/config.yaml", CONFIG)
    team.dev("add", "k8s/prod/config.yaml", "MODE", "--value-stdin", stdin="fast")

    assert team.ops("fold", FILE, "k8s/prod/config.yaml").code == 0

    assert team.ops("decrypt", "--no-parts", "k8s/prod/config.yaml").out == CONFIG + "  MODE: fast\n"


def test_the_reconciler_serves_base_and_parts_as_one(team: Team) -> None:
    team.dev.git("init", "-q", "-b", "main")
    team.dev.git("add", "-A")
    team.dev.git("commit", "-q", "-m", "x")
    words = ("--source", ".", "--ref", "main", "--path", "k8s/prod", "--to", "../running", "--once")

    ended = team.ops("reconcile", *words)

    assert ended.code == 0, ended.err
    served = team.dev.folder.parent / "running/shop/secrets/web"
    values = {key: (served / key).read_text() for key in ("DB_USER", "DB_PASSWORD", "STRIPE_KEY", "TLS")}
    assert values == {"DB_USER": "shop", "DB_PASSWORD": "battery-staple", "STRIPE_KEY": "sk_live_1", "TLS": "xyz"}

    assert team.ops("fold", FILE).code == 0
    team.dev.git("commit", "-qam", "fold")
    after = team.ops("reconcile", *words)
    assert after.code == 0
    assert "1 unchanged" in after.err


class TestAKustomizationThatNamesParts:
    """After a fold nothing in it looks for a file that is gone; built with the real kustomize."""

    KUSTOMIZATION = "k8s/prod/kustomization.yaml"

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            (
                "patches:\n  - path: secrets.d/STRIPE_KEY.yaml\nresources: [secrets.yaml]\n",
                "resources: [secrets.yaml]\n",
            ),
            (
                (
                    "patches:\n  - path: ./secrets.d/STRIPE_KEY.yaml\n    target: {kind: Secret}\n"
                    "  - path: secrets.d/TLS.yaml\n  - path: secrets.d/STRIPE_KEY.yaml\nresources: [secrets.yaml]\n"
                ),
                "resources: [secrets.yaml]\n",
            ),
            (
                "resources:\n  - secrets.yaml\n  - secrets.d/DB_PASSWORD.yaml # for now\n  - secrets.d/TLS.yaml\n",
                "resources:\n  - secrets.yaml\n",
            ),
            (
                "resources: [secrets.yaml, secrets.d/TLS.yaml]\npatchesStrategicMerge: [secrets.d/STRIPE_KEY.yaml]\n",
                "resources: [secrets.yaml]\n",
            ),
        ],
    )
    def test_names_them_no_more_and_builds(
        self, team: Team, tool: Callable[[str], str], before: str, after: str
    ) -> None:
        team.dev.write(self.KUSTOMIZATION, before)

        assert team.ops("fold", FILE).code == 0

        assert team.dev.read(self.KUSTOMIZATION) == after
        built = self.build(team, tool)
        assert built.count("kind: Secret\n") == 1
        assert "STRIPE_KEY: ENC[" in built

    def test_names_no_part_of_a_dotenv_in_a_generator_either(self, team: Team, tool: Callable[[str], str]) -> None:
        words = ("k8s/prod/app.env", "A", "--value-stdin")
        assert team.dev("add", "--env-file", *words, stdin="1").code == 0
        for key in ("B", "C"):
            assert team.dev("add", "k8s/prod/app.env", key, "--value-stdin", stdin="2").code == 0
        head = "resources: [secrets.yaml]\ngeneratorOptions: {disableNameSuffixHash: true}\n"
        generator = "secretGenerator:\n  - name: app\n    envs:\n      - app.env\n"
        more = "  - name: b\n    envs: [app.d/B.env]\n  - name: c\n    env: app.d/C.env\n"
        team.dev.write(self.KUSTOMIZATION, f"{head}{generator}      - app.d/B.env\n      - app.d/C.env\n{more}")

        assert team.ops("fold", "k8s/prod/app.env").code == 0

        assert team.dev.read(self.KUSTOMIZATION) == f"{head}{generator}  - name: b\n  - name: c\n"
        built = self.build(team, tool)
        assert [key for key in ("A", "B", "C") if f"\n  {key}: " in built] == ["A", "B", "C"]
        assert team.sops("k8s/prod/app.env") == "A=1\nB=2\nC=2\n"

    def test_keeps_files_that_are_no_parts(self, team: Team, tool: Callable[[str], str]) -> None:
        """``--as-secret`` and ``--env-file`` write files of their own, which no fold takes."""
        team.dev.write(self.KUSTOMIZATION, "resources:\n  - secrets.yaml\n")
        assert team.dev("add", FILE, "KEY", "--as-secret", "extra", "--value-stdin", stdin="x").code == 0
        assert team.dev("add", "--env-file", "k8s/prod/app.env", "A", "--value-stdin", stdin="1").code == 0
        with_generator = team.dev.read(self.KUSTOMIZATION) + "secretGenerator:\n  - name: app\n    envs: [app.env]\n"
        team.dev.write(self.KUSTOMIZATION, with_generator)
        files = [team.dev.read(name) for name in ("k8s/prod/extra.yaml", "k8s/prod/app.env")]
        before = self.build(team, tool)

        assert team.ops("fold", FILE).code == 0
        assert team.ops("fold", "k8s/prod/extra.yaml", "k8s/prod/app.env").code == 0

        assert team.dev.read(self.KUSTOMIZATION) == with_generator
        assert [team.dev.read(name) for name in ("k8s/prod/extra.yaml", "k8s/prod/app.env")] == files
        built = self.build(team, tool)
        assert "name: extra\n" in built
        assert "\n  A: " in built
        assert "STRIPE_KEY: ENC[" not in before
        assert "STRIPE_KEY: ENC[" in built

    def build(self, team: Team, tool: Callable[[str], str]) -> str:
        ended = team.ops("build", "k8s/prod", program=[tool("kustomize")])
        assert ended.code == 0, ended.err
        return ended.out
