"""What ``set`` and ``unset`` say of values that nobody will see, or that Kubernetes does not take."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.process import Program
from tests.cli.test_add import CONFIG, FILE, PART, SECRET, Team
from tests.conftest import AgeKey

KEY = '["stringData"]["STRIPE_KEY"]'


@pytest.fixture
def team(run: Program, home: Path, age_key: AgeKey, tool: Callable[[str], str]) -> Team:
    """Return a team with a Secret, to which somebody without the key added STRIPE_KEY."""
    team = Team(run, home, age_key, tool("sops"))
    team.rules(team.rule("^k8s/prod/"))
    team.seal(FILE, SECRET)
    assert team.dev("add", FILE, "STRIPE_KEY", "--value-stdin", stdin="sk_part").code == 0
    return team


def as_json(team: Team, file: str) -> dict[str, Any]:
    """Decrypt a file with the real sops."""
    ended = team.ops("decrypt", "--output-type", "json", file, program=[team._sops])
    assert ended.code == 0, ended.err
    found: dict[str, Any] = json.loads(ended.out)
    return found


class TestAValueThatAPartHolds:
    def test_is_set_with_a_warning_and_the_next_step(self, team: Team) -> None:
        ended = team.ops("set", FILE, KEY, '"sk_mine"')

        assert (ended.code, ended.out) == (0, "")
        assert ended.err == (
            f"sealpy: warning: {PART} holds STRIPE_KEY too, and wins over the value that you set\n"
            f'sealpy: hint: "sealpy add {FILE} STRIPE_KEY" sets it and takes the part away; '
            f'"sealpy fold {FILE}" would put the part\'s value in its place\n'
        )
        assert team.ops("decrypt", "--extract", KEY, FILE).out == "sk_part"
        assert team.ops("decrypt", "--no-parts", "--extract", KEY, FILE).out == "sk_mine"

    def test_is_set_for_good_by_that_step(self, team: Team) -> None:
        team.ops("set", FILE, KEY, '"sk_mine"')

        assert team.ops("add", FILE, "STRIPE_KEY", "--value-stdin", stdin="sk_mine").code == 0

        assert team.ops("decrypt", "--extract", KEY, FILE).out == "sk_mine"
        assert not (team.dev.folder / PART).exists()

    @pytest.mark.parametrize(
        ("path", "value"), [('["data"]["STRIPE_KEY"]', '"c2s="'), ('["stringData"]', '{"A": "x", "STRIPE_KEY": "y"}')]
    )
    def test_is_found_wherever_it_is_set(self, team: Team, path: str, value: str) -> None:
        ended = team.ops("set", FILE, path, value)

        assert ended.code == 0
        assert ended.err.startswith(f"sealpy: warning: {PART} holds STRIPE_KEY too")

    def test_is_still_there_when_it_is_unset(self, team: Team) -> None:
        team.ops("set", FILE, KEY, '"sk_mine"')

        ended = team.ops("unset", FILE, KEY)

        assert ended == (
            0,
            "",
            (
                f"sealpy: warning: STRIPE_KEY is still there: {PART} holds it\n"
                f'sealpy: hint: "sealpy fold {FILE}", and unset it then\n'
            ),
        )
        assert team.ops("fold", FILE).code == 0
        assert team.ops("unset", FILE, KEY).err == ""
        assert "STRIPE_KEY" not in team.ops("decrypt", FILE).out

    def test_is_told_also_by_the_root_form(self, team: Team) -> None:
        assert f"warning: {PART} holds STRIPE_KEY too" in team.ops("--set", f'{KEY} "x"', FILE).err

    def test_is_told_where_the_change_is_committed(self, team: Team) -> None:
        team.dev.git("init", "-q", ".")
        team.dev.git("add", ".")
        team.dev.git("commit", "-q", "-m", "x")

        assert f"warning: {PART} holds STRIPE_KEY too" in team.ops("set", FILE, KEY, '"x"', "--commit", "X").err

    def test_is_no_matter_of_other_keys_and_other_objects(self, team: Team) -> None:
        assert team.ops("set", FILE, '["stringData"]["DB_USER"]', '"x"').err == ""
        assert team.ops("set", FILE, '["metadata"]["labels"]["STRIPE_KEY"]', '"x"').err == ""

    def test_is_not_told_by_the_name_of_sops(self, team: Team) -> None:
        assert team.ops("set", FILE, KEY, '"sk_mine"', name="sops") == (0, "", "")
        assert team.ops("unset", FILE, KEY, name="sops") == (0, "", "")

    def test_is_found_in_a_dotenv(self, team: Team) -> None:
        team.seal("k8s/prod/app.env", "A=1\n")
        assert team.dev("add", "k8s/prod/app.env", "B", "--value-stdin", stdin="2").code == 0

        ended = team.ops("set", "k8s/prod/app.env", '["B"]', '"3"')

        assert ended.err.startswith("sealpy: warning: k8s/prod/app.d/B.env holds B too, and wins")
        assert team.ops("set", "k8s/prod/app.env", '["A"]', '"3"').err == ""


class TestAValueThatIsNoText:
    @pytest.mark.parametrize(
        ("value", "what", "stands"),
        [
            ("1234", "a number", "PORT: 1234\n"),
            ("1.5", "a number", "PORT: 1.5\n"),
            ("true", "true or false", "PORT: true\n"),
            ("null", "null", "PORT: null\n"),
            ('{"a": "b"}', "a map", "PORT:\n"),
            ('["a"]', "a list", "PORT:\n"),
        ],
    )
    def test_is_set_as_it_is_with_a_warning_that_does_not_show_it(
        self, team: Team, value: str, what: str, stands: str
    ) -> None:
        ended = team.ops("set", FILE, '["stringData"]["PORT"]', value)

        assert ended == (
            0,
            "",
            (
                f"sealpy: warning: PORT is {what} now, and Kubernetes takes only text in stringData of a Secret\n"
                "sealpy: hint: double quotes make it text: "
                f'sealpy set {FILE} \'["stringData"]["PORT"]\' \'"…"\'\n'
            ),
        )
        assert stands in team.ops("decrypt", FILE).out

    def test_is_text_by_that_step(self, team: Team) -> None:
        team.ops("set", FILE, '["stringData"]["PORT"]', "1234")

        assert team.ops("set", FILE, '["stringData"]["PORT"]', '"1234"') == (0, "", "")

        assert 'PORT: "1234"\n' in team.sops(FILE)

    def test_in_base64_is_better_added(self, team: Team) -> None:
        ended = team.ops("set", FILE, '["data"]["PORT"]', "1234")

        assert "PORT is a number now, and Kubernetes takes only text in data of a Secret" in ended.err
        assert ended.err.endswith(f'hint: "sealpy add {FILE} PORT" writes it as Kubernetes wants it, in base64\n')
        assert team.ops("add", FILE, "PORT", "--value-stdin", stdin="1234").code == 0
        assert "PORT: MTIzNA==\n" in team.sops(FILE)

    def test_is_found_in_what_is_set_as_a_whole_and_below_a_key(self, team: Team) -> None:
        ended = team.ops("set", FILE, '["stringData"]', '{"A": "text", "PORT": 1, "ON": true}')
        assert [line for line in ended.err.splitlines() if "warning: " in line and "part" not in line] == [
            "sealpy: warning: PORT is a number now, and Kubernetes takes only text in stringData of a Secret",
            "sealpy: warning: ON is true or false now, and Kubernetes takes only text in stringData of a Secret",
        ]

        ended = team.ops("set", FILE, '["stringData"]["MAP"]["host"]', '"db"')
        assert "warning: MAP is a map now" in ended.err

    def test_is_found_in_a_config_map(self, team: Team) -> None:
        team.seal("k8s/prod/config.yaml", CONFIG)

        ended = team.ops("set", "k8s/prod/config.yaml", '["data"]["PORT"]', "80")

        assert "PORT is a number now, and Kubernetes takes only text in data of a ConfigMap\n" in ended.err
        assert "double quotes make it text" in ended.err

    def test_is_no_matter_elsewhere(self, team: Team) -> None:
        team.seal("k8s/prod/values.yaml", "data: {port: 1}\n")
        team.seal("k8s/prod/app.json", '{"apiVersion": "v1", "kind": "Pod", "data": {"a": "b"}}\n')

        assert team.ops("set", "k8s/prod/values.yaml", '["data"]["port"]', "80") == (0, "", "")
        assert team.ops("set", "k8s/prod/app.json", '["data"]["port"]', "80") == (0, "", "")
        assert team.ops("set", FILE, '["metadata"]["generation"]', "2") == (0, "", "")

    def test_is_not_told_by_the_name_of_sops(self, team: Team) -> None:
        assert team.ops("set", FILE, '["stringData"]["PORT"]', "1234", name="sops") == (0, "", "")

    @pytest.mark.parametrize("value", ["5432", "true", "null", "1e3", "{}", "2020-01-01", "~", "0x1F"])
    def test_is_made_text_by_add(self, team: Team, value: str) -> None:
        team.seal(
            "k8s/prod/config.json", '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {}}\n'
        )
        team.ops("set", FILE, '["stringData"]["DB_USER"]', "1234")  # a number in its place

        for key in ("NEW_KEY", "DB_USER"):
            assert team.ops("add", FILE, key, "--value-stdin", stdin=value).code == 0
        assert team.dev("add", FILE, "PART_KEY", "--value-stdin", stdin=value).code == 0
        assert team.dev("add", "k8s/prod/config.json", "PART_KEY", "--value-stdin", stdin=value).code == 0

        found = as_json(team, FILE)["stringData"]
        part = as_json(team, "k8s/prod/secrets.d/PART_KEY.yaml")["stringData"]
        assert (found["NEW_KEY"], found["DB_USER"], part["PART_KEY"]) == (value, value, value)
        assert as_json(team, "k8s/prod/config.d/PART_KEY.json")["data"] == {"PART_KEY": value}
        assert team.ops("fold", FILE).code == 0
        assert as_json(team, FILE)["stringData"]["PART_KEY"] == value


class TestRotating:
    def test_a_file_alone_leaves_its_parts_and_says_so(self, team: Team) -> None:
        before = team.dev.read(PART)

        ended = team.ops("rotate", "-i", FILE)

        assert ended == (
            0,
            "",
            (
                f"sealpy: warning: {FILE}: its parts keep their data keys: {PART}\n"
                f"sealpy: hint: to take them along: sealpy rotate -i -r {FILE} k8s/prod/secrets.d\n"
            ),
        )
        assert team.dev.read(PART) == before

    def test_with_its_parts_says_nothing(self, team: Team) -> None:
        before = team.dev.read(PART)

        assert team.ops("rotate", "-i", "-r", FILE, "k8s/prod/secrets.d") == (0, "", "sealpy: 2 rotated\n")
        assert team.dev.read(PART) != before
        assert team.ops("rotate", "-i", "-r", "k8s") == (0, "", "sealpy: 2 rotated\n")

    def test_repeats_who_comes_and_goes(self, team: Team, other_key: AgeKey) -> None:
        ended = team.ops("rotate", "-i", "--add-age", other_key.recipient, FILE)

        assert f"sealpy rotate -i --add-age={other_key.recipient} -r {FILE} k8s/prod/secrets.d\n" in ended.err

    def test_by_the_name_of_sops_says_nothing(self, team: Team) -> None:
        assert team.ops("rotate", "-i", FILE, name="sops") == (0, "", "")

    def test_into_another_place_says_nothing(self, team: Team) -> None:
        assert team.ops("rotate", FILE).err == ""


def test_who_edits_a_value_that_a_part_holds_is_told_the_next_step(team: Team) -> None:
    ended = team.ops("edit", FILE, env={"SOPS_EDITOR": "sed -i s/correct/wrong/"})

    assert ended == (
        0,
        "",
        (
            f"sealpy: warning: the keys of its parts win over what you write: {PART}\n"
            f'sealpy: hint: "sealpy fold {FILE}" makes them part of the file\n'
        ),
    )
    team.ops("edit", FILE, env={"SOPS_EDITOR": "sed -i s/wrong/correct/"}, name="sops")
    assert team.ops("edit", FILE, env={"SOPS_EDITOR": "sed -i s/correct/wrong/"}, name="sops") == (0, "", "")
