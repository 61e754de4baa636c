"""``sealpy sync``: rules change, files follow, and the real sops sees who opens what and how."""

import json

import pytest

from tests.cli.team import FILES, NAMES, RULES, Team, shown

DEV, PROD, MAIL = FILES


def test_where_all_is_in_line_there_is_nothing_to_do(team: Team) -> None:
    for words in (["sync"], ["sync", "--check"]):
        ended = team.pat(*words)

        assert (ended.code, ended.out, ended.err) == (0, "", "sealpy: 3 as .sops.yaml says\n")


def test_a_new_recipient_gets_the_files_and_no_value_changes(team: Team) -> None:
    team.write(".sops.yaml", RULES.replace("{olga},{leo}", "{olga},{leo},{dan}"))
    values = team.read(PROD).partition("sops:")[0]

    ended = team.olga("sync", "--yes")

    assert (ended.code, ended.out) == (0, "")
    assert ended.err == (
        f"sealpy: {PROD}, {MAIL}:\n"
        f"sealpy:   +++ {shown(team, 'dan')}\n"
        "sealpy: 2 brought in line, 1 as .sops.yaml says\n"
    )
    assert [team.readers(file) for file in FILES] == [["olga", "dan"], ["olga", "dan", "leo"], ["olga", "dan", "leo"]]
    assert team.read(PROD).partition("sops:")[0] == values
    assert team.olga("sync").err == "sealpy: 3 as .sops.yaml says\n"


def test_who_is_no_longer_named_is_out_and_does_not_know_the_data_key(team: Team) -> None:
    team.write(".sops.yaml", RULES.replace("{olga},{leo}", "{olga}"))
    before = team.read(PROD)

    ended = team.olga("sync", "--yes")

    assert ended.code == 0
    assert f"sealpy:   --- {shown(team, 'leo')}\nsealpy:   new data key: who goes knows the old one\n" in ended.err
    assert [team.readers(file) for file in FILES] == [["olga", "dan"], ["olga"], ["olga"]]
    old, new = ([line for line in text.splitlines() if "ENC[" in line] for text in (before, team.read(PROD)))
    assert set(old).isdisjoint(new)


def test_it_asks_and_takes_no_for_an_answer(team: Team) -> None:
    team.write(".sops.yaml", RULES.replace("{olga},{leo}", "{olga}"))
    team.commit()

    refused = team.olga("sync", stdin="n\n")
    nobody = team.olga("sync")
    agreed = team.olga("sync", stdin="y\n")

    assert "sealpy: write 2 files? (y/n): " in refused.err
    assert (refused.code, refused.err.splitlines()[-1]) == (
        1,
        "sealpy: write 2 files? (y/n): sealpy: nothing was changed",
    )
    assert nobody.code == 1
    assert nobody.err.endswith(
        "sealpy: nobody answered, so nothing was changed\nsealpy: hint: to answer beforehand: sealpy sync --yes\n"
    )
    assert agreed.code == 0
    assert team.readers(PROD) == ["olga"]


def test_check_needs_no_key_and_changes_nothing(team: Team) -> None:
    team.write(".sops.yaml", RULES.replace("{olga},{leo}", "{olga},{dan}"))
    team.commit()

    ended = team.pat("sync", "--check")

    assert ended.code == 1
    assert ended.err == (
        f"sealpy: {PROD}, {MAIL}:\n"
        f"sealpy:   +++ {shown(team, 'dan')}\n"
        f"sealpy:   --- {shown(team, 'leo')}\n"
        "sealpy:   new data key: who goes knows the old one\n"
        "sealpy: 2 not as .sops.yaml says, 1 as .sops.yaml says\n"
        'sealpy: hint: "sealpy sync" brings them in line\n'
    )
    assert team.changed() == []


@pytest.mark.parametrize(
    ("operand", "done"), [("prod", [PROD, MAIL]), (MAIL, [MAIL]), ("k8s/prod", [PROD, MAIL]), ("dev", [])]
)
def test_an_environment_a_file_or_a_folder_can_be_named(team: Team, operand: str, done: list[str]) -> None:
    team.write(".sops.yaml", RULES.replace("{olga},{leo}", "{olga},{dan}"))
    team.commit()

    ended = team.olga("sync", "--yes", operand)

    assert ended.code == 0
    assert team.changed() == done


def test_a_narrower_selection_is_previewed_with_what_becomes_readable(team: Team) -> None:
    team.write(".sops.yaml", RULES.replace("^(data|stringData)$", "^(data|DB_PASSWORD)$"))

    ended = team.olga("sync", "--yes", MAIL)

    assert ended.err == (
        f"sealpy: {MAIL}:\n"
        "sealpy:   encrypted: encrypted_regex ^(data|DB_PASSWORD)$, before encrypted_regex ^(data|stringData)$\n"
        "sealpy:   no longer encrypted: stringData.TOKEN\n"
        "sealpy: 1 brought in line, 0 as .sops.yaml says\n"
    )
    text = team.read(MAIL)
    assert "    TOKEN: prod-mail-canary-token\n" in text
    assert "    DB_PASSWORD: ENC[" in text
    assert "encrypted_regex: ^(data|DB_PASSWORD)$" in text
    assert team.readers(MAIL) == ["olga", "leo"]


def test_a_wider_selection_keeps_what_is_sealed_already(team: Team) -> None:
    sealed = [line for line in team.read(MAIL).splitlines() if "  DB_PASSWORD: ENC[" in line]
    team.write(".sops.yaml", RULES.replace("^(data|stringData)$", "^(data|stringData|name)$"))

    ended = team.olga("sync", "--yes", MAIL)

    assert ended.code == 0
    text = team.read(MAIL)
    assert "  name: ENC[" in text
    assert sealed[0] in text
    assert team.sops("olga", MAIL) == (0, team.sops("leo", MAIL)[1])
    assert "name: mail" in team.sops("olga", MAIL)[1]


def test_selection_mac_and_keys_change_in_one_go(team: Team) -> None:
    team.write(
        ".sops.yaml",
        RULES.replace("^(data|stringData)$", "^(data|stringData|name)$\n    mac_only_encrypted: true").replace(
            "{olga},{leo}", "{olga},{nina}"
        ),
    )

    ended = team.olga("sync", "--yes")

    assert ended.code == 0
    assert "sealpy:   the MAC covers encrypted values only\n" in ended.err
    assert team.readers(PROD) == ["olga", "nina"]
    assert "mac_only_encrypted: true" in team.read(PROD)
    assert team.olga("sync", "--check").code == 0
    edited = team.folder / PROD
    edited.write_text(edited.read_text().replace("kind: Secret", "kind: ConfigMap"))
    assert team.readers(PROD) == ["olga", "nina"]


def test_a_mac_over_clear_values_comes_back(team: Team) -> None:
    regex = "^(data|stringData)$"
    team.write(".sops.yaml", RULES.replace(regex, f"{regex}\n    mac_only_encrypted: true"))
    team.olga("sync", "--yes")
    team.write(".sops.yaml", RULES)

    ended = team.olga("sync", "--yes")

    assert "sealpy:   the MAC covers clear values too\n" in ended.err
    assert "mac_only_encrypted" not in team.read(DEV)
    assert team.readers(DEV) == ["olga", "dan"]
    edited = team.folder / DEV
    edited.write_text(edited.read_text().replace("kind: Secret", "kind: ConfigMap"))
    assert team.readers(DEV) == []


def test_a_rule_without_a_selection_leaves_that_of_the_files(team: Team) -> None:
    team.write(".sops.yaml", RULES.replace("    encrypted_regex: ^(data|stringData)$\n", ""))

    assert team.olga("sync", "--check").code == 0


def test_a_secret_is_not_bared_by_a_slip(team: Team) -> None:
    team.write(".sops.yaml", RULES.replace("^(data|stringData)$", "^(dta|strngData)$"))
    before = team.read(PROD)

    ended = team.olga("sync", "--yes", PROD)

    assert (ended.code, ended.err) == (
        1,
        (
            f"sealpy: {PROD}: its rule would leave every value of this Secret in clear\n"
            "sealpy: hint: mend the rule's regex or suffix\n"
            "sealpy: 0 as .sops.yaml says, 1 failed\n"
        ),
    )
    assert team.read(PROD) == before


def test_a_damaged_file_is_handed_on_to_nobody_and_the_others_go_on(team: Team) -> None:
    team.write(".sops.yaml", RULES.replace("{olga},{leo}", "{olga},{leo},{dan}"))
    path = team.folder / MAIL
    path.write_text(path.read_text().replace("name: mail", "name: mall"))
    before = path.read_bytes()

    ended = team.olga("sync", "--yes")

    assert ended.code == 51
    assert f"sealpy: {MAIL}: the MAC does not match the values\n" in ended.err
    assert ended.err.endswith("sealpy: 1 brought in line, 1 as .sops.yaml says, 1 failed\n")
    assert path.read_bytes() == before
    assert team.readers(PROD) == ["olga", "dan", "leo"]


def test_without_the_key_it_says_who_has_one(team: Team) -> None:
    team.write(".sops.yaml", RULES.replace("{olga},{leo}", "{olga},{leo},{dan}"))
    team.commit()

    ended = team.dan("sync", "--yes")

    assert ended.code == 128
    assert (
        "sealpy: no key here opens 2 files, so they stay as they are; who has one: "
        f"{shown(team, 'olga')}, {shown(team, 'leo')}\n"
        'sealpy: hint: ask them to run "sealpy sync"\n'
    ) in ended.err
    assert team.changed() == []


GROUPS = """\
creation_rules:
  - encrypted_regex: ^(data|stringData)$
    shamir_threshold: 2
    key_groups:
      - age: ['{olga}']
      - age: ['{dan}', '{leo}']
      - age: ['{nina}']
"""


def test_key_groups_are_made_and_nobody_opens_the_file_alone_any_more(team: Team) -> None:
    team.write(".sops.yaml", GROUPS)

    checked = team.pat("sync", "--check", PROD)
    ended = team.olga("sync", "--yes", PROD)

    lines = (
        f"sealpy: {PROD}:\n"
        f"sealpy:   +++ {shown(team, 'dan')}\n"
        f"sealpy:   +++ {team.recipient('nina')}\n"
        "sealpy:   2 of 3 key groups together open the file; before one key group\n"
        f"sealpy:     group 1: {shown(team, 'olga')}\n"
        f"sealpy:     group 2: {shown(team, 'dan')}, {shown(team, 'leo')}\n"
        f"sealpy:     group 3: {team.recipient('nina')}\n"
        "sealpy:   new data key: who had it knows the old one\n"
    )
    assert (checked.code, checked.err.startswith(lines)) == (1, True), checked.err
    assert (ended.code, ended.err) == (0, f"{lines}sealpy: 1 brought in line, 0 as .sops.yaml says\n")
    assert team.readers(PROD) == []
    assert team.together("olga", "leo", PROD)
    assert not team.together("dan", "leo", PROD)
    assert team.pat("sync", "--check", PROD).code == 0


def test_who_is_in_one_group_of_two_hears_who_is_in_the_other(team: Team) -> None:
    team.write(".sops.yaml", GROUPS.replace("  - encrypted", "  - path_regex: ^k8s/prod/\n    encrypted"))
    assert team.olga("sync", "--yes", PROD).code == 0
    ended = team.nina("decrypt", PROD)
    assert ended.code == 128
    assert ended.err.splitlines()[-1] == (
        "sealpy: hint: 2 of 3 key groups together open it, so a key of another group is needed: "
        f"{shown(team, 'olga')}; {shown(team, 'dan')}, {shown(team, 'leo')}"
    )


def test_who_comes_into_a_group_opens_the_file_and_no_value_changes(team: Team) -> None:
    team.write(".sops.yaml", GROUPS.replace(", '{leo}'", ""))
    assert team.olga("sync", "--yes", PROD).code == 0
    team.write(".sops.yaml", GROUPS)
    before = team.read(PROD).partition("sops:")[0]

    ended = team.olga("sync", "--yes", PROD, env={"SOPS_AGE_KEY": team.keys["nina"].identity})

    assert (ended.code, "new data key" in ended.err) == (0, False), ended.err
    assert team.together("olga", "leo", PROD)
    assert team.read(PROD).partition("sops:")[0] == before


def test_a_threshold_that_cannot_be_changes_nothing(team: Team) -> None:
    team.write(".sops.yaml", GROUPS.replace("threshold: 2", "threshold: 4"))
    team.commit()

    ended = team.olga("sync", "--yes", PROD)

    assert (ended.code, ended.err) == (
        1,
        (
            f"sealpy: {PROD}: there are 3 key groups, and 4 of them are to open the file\n"
            "sealpy: hint: make shamir_threshold 2 to 3, or leave it out, and all are needed\n"
            "sealpy: 0 as .sops.yaml says, 1 failed\n"
        ),
    )
    assert team.changed() == []


def test_a_word_that_means_nothing_is_refused(team: Team) -> None:
    ended = team.olga("sync", "prd")

    assert (ended.code, ended.err) == (
        1,
        "sealpy: prd is neither an environment nor a file\nsealpy: hint: the environments are dev, prod\n",
    )


def test_a_named_file_must_be_encrypted(team: Team) -> None:
    team.write("k8s/dev/app/clear.yaml", "a: b\n")

    named = team.olga("sync", "k8s/dev/app/clear.yaml")

    assert named.code == 1
    assert named.err.startswith("sealpy: k8s/dev/app/clear.yaml: the file is not encrypted\n")
    assert team.olga("sync", "k8s/dev").code == 0


def test_it_is_told_in_json(team: Team) -> None:
    team.write(".sops.yaml", RULES.replace("{olga},{leo}", "{olga},{dan}"))

    checked, done = (json.loads(team.olga("sync", "--json", word).out) for word in ("--check", "--yes"))

    assert checked == {
        "schema": "sealpy.sync/1",
        "check": True,
        "files": [
            {
                "path": path,
                "done": False,
                "added": [team.recipient("dan")],
                "removed": [team.recipient("leo")],
                "key_groups": False,
                "selection": None,
                "no_longer_encrypted": [],
                "mac_only_encrypted": None,
            }
            for path in (PROD, MAIL)
        ],
        "unchanged": 1,
        "uncovered": [],
        "failed": 0,
        "names": {team.recipient("dan"): "dan", team.recipient("leo"): "leo"},
    }
    assert [each["done"] for each in done["files"]] == [True, True]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", '{\n  "a": "canary",\n  "b_clear": "x"\n}\n'),
        ("a.env", "A=canary\nB_clear=x\n"),
        ("a.ini", "[s]\nA = canary\nB_clear = x\n"),
        ("a.txt", "canary\n"),
    ],
)
def test_every_format_follows_its_rule(team: Team, name: str, text: str) -> None:
    team.write(".sops.yaml", "creation_rules:\n  - unencrypted_suffix: _clear\n    age: '{olga}'\n")
    team.write(name, text)
    assert team.olga("encrypt", "-i", name).code == 0
    team.write(
        ".sops.yaml",
        "creation_rules:\n  - unencrypted_suffix: _plain\n    mac_only_encrypted: true\n    age: '{olga},{dan}'\n",
    )

    ended = team.olga("sync", "--yes", name)

    assert ended.code == 0, ended.err
    assert team.readers(name) == ["olga", "dan"]
    assert "canary" not in team.read(name)
    assert team.olga("sync", "--check", name).code == 0
    assert team.olga("decrypt", name).out == text


class TestNoRule:
    def test_a_file_that_no_rule_covers_is_named_and_is_not_in_line(self, team: Team) -> None:
        team.write(".sops.yaml", RULES.replace("^k8s/prod/", "^k8s/prd/"))

        ended = team.pat("sync", "--check")

        assert ended.code == 1
        assert ended.err == (
            f"sealpy: no rule covers {PROD}, {MAIL}: nothing says who should read them\n"
            "sealpy: 1 as .sops.yaml says, 2 that no rule covers\n"
        )
        assert json.loads(team.pat("sync", "--check", "--json").out)["uncovered"] == [PROD, MAIL]

    def test_it_is_said_for_an_environment_and_a_folder_too(self, team: Team) -> None:
        team.write(".sops.yaml", RULES.replace("^k8s/prod/", "^k8s/prd/"))
        team.write(".sealpy.yaml", NAMES + "environments:\n  prod: k8s/prod\n")
        for word in ("prod", "k8s/prod", "k8s"):
            assert team.pat("sync", "--check", word).code == 1
        assert team.pat("sync", "--check", "k8s/dev").code == 0

    def test_an_empty_configuration_is_not_one_that_all_files_follow(self, team: Team) -> None:
        for text in ("", "{}\n", "creation_rules: []\n"):
            team.write(".sops.yaml", text)
            assert team.pat("sync", "--check").code == 1

    def test_a_project_may_let_such_files_be(self, team: Team) -> None:
        team.write(".sops.yaml", RULES.replace("^k8s/prod/", "^k8s/prd/"))
        team.write(".sealpy.yaml", NAMES + "severities:\n  SP506: warning\n")
        ended = team.pat("sync", "--check")
        assert ended.code == 0
        assert ended.err.startswith("sealpy: no rule covers ")
        team.write(".sealpy.yaml", NAMES + 'severities:\n  SP506: "off"\n')
        assert team.pat("sync", "--check").err == "sealpy: 1 as .sops.yaml says\n"


class TestNestedConfigurations:
    FILE = "team/prod/db.yaml"

    @pytest.fixture
    def nested(self, team: Team) -> Team:
        """A folder with rules of its own, by which Olga alone reads; Leo got in by hand."""
        team.write("team/.sops.yaml", "creation_rules:\n  - path_regex: ^prod/\n    age: {olga}\n")
        team.write(self.FILE, "a: hunter2-canary\n")
        readers = f"{team.recipient('olga')},{team.recipient('leo')}"
        assert team.olga("--config", "team/.sops.yaml", "encrypt", "-i", "--age", readers, self.FILE).code == 0
        team.commit()
        return team

    @pytest.mark.parametrize("words", [[], ["team"], [FILE], ["prod"]])
    def test_their_files_are_compared_with_their_own_rules(self, nested: Team, words: list[str]) -> None:
        ended = nested.pat("sync", "--check", *words)
        assert ended.code == 1
        assert f"sealpy: {self.FILE}:\nsealpy:   --- {shown(nested, 'leo')}\n" in ended.err

    def test_what_check_proposes_works_from_the_top(self, nested: Team) -> None:
        assert f"to mend it: sealpy sync {self.FILE}\n" in nested.pat("check").out
        assert nested.olga("sync", "--yes", self.FILE).code == 0
        assert nested.readers(self.FILE) == ["olga"]
        assert nested.pat("check").code == 0

    def test_it_works_where_the_top_has_no_rules(self, nested: Team) -> None:
        (nested.folder / ".sops.yaml").unlink()
        for place in (self.FILE, "team"):
            assert nested.pat("sync", "--check", place).code == 1
        assert nested.olga("sync", "--yes", self.FILE).code == 0
        assert nested.pat("sync", "--check", "team").code == 0

    def test_a_mistake_in_one_is_reported_once(self, nested: Team) -> None:
        nested.write("team/.sops.yaml", "creation_rules: [\n")
        nested.write("team/prod/more.yaml", nested.read(self.FILE))
        ended = nested.pat("sync", "--check")
        assert ended.code == 1
        assert ended.err.count("not well-formed YAML") == 1

    def test_one_without_rules_covers_nothing(self, nested: Team) -> None:
        nested.write("team/.sops.yaml", "{}\n")
        ended = nested.pat("sync", "--check")
        assert ended.code == 1
        assert f"sealpy: no rule covers {self.FILE}: nothing says who should read it\n" in ended.err
