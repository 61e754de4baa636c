"""Recipients and names come and go in the text of the configuration, and the rest of it stays."""

import pytest

from sealpy import project, rules, rules_edit
from sealpy.errors import Refused, RuleError

ALICE = "age1jgqqwzlaf09cwk907mmzstq0hq7y8yrcxd8tqrjkj76t4txc99vq6dndxq"
BOB = "age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg"
CAROL = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kudzxw5es3qk0vt"


def added(text: str, *chosen: int, recipient: str = CAROL) -> str:
    return rules_edit.with_recipient(text, ".sops.yaml", chosen or (0,), recipient)


def removed(text: str, *chosen: int, recipient: str = CAROL) -> str:
    return rules_edit.without_recipient(text, ".sops.yaml", chosen or (0,), recipient)


FORMS = {
    "a block list": (
        f"creation_rules:\n  - age:\n      - {ALICE} # alice\n      - {BOB}  # bob\n    pgp: AB # x\n",
        f"creation_rules:\n  - age:\n      - {ALICE} # alice\n      - {BOB}  # bob\n      - {CAROL}\n    pgp: AB # x\n",
    ),
    "a block list that is not indented": (
        f"creation_rules:\n- path_regex: 'x'\n  age:\n  - {ALICE}\n# end\n",
        f"creation_rules:\n- path_regex: 'x'\n  age:\n  - {ALICE}\n  - {CAROL}\n# end\n",
    ),
    "a text with one recipient": (
        f"creation_rules:\n  - age: {ALICE} # all\n",
        f"creation_rules:\n  - age: {ALICE},{CAROL} # all\n",
    ),
    "a text with commas and blanks, in quotes": (
        f"creation_rules:\n  - age: '{ALICE}, {BOB}'\n",
        f"creation_rules:\n  - age: '{ALICE}, {BOB}, {CAROL}'\n",
    ),
    "a folded text, a recipient a line": (
        f"creation_rules:\n  - age: >-\n      {ALICE},\n      {BOB}\n    pgp: ABCD\n",
        f"creation_rules:\n  - age: >-\n      {ALICE},\n      {BOB},\n      {CAROL}\n    pgp: ABCD\n",
    ),
    "a list in brackets": (
        f"creation_rules:\n  - age: [{ALICE}, {BOB}]\n",
        f"creation_rules:\n  - age: [{ALICE}, {BOB}, {CAROL}]\n",
    ),
    "a list in brackets, a recipient a line": (
        f"creation_rules:\n  - age: [\n      {ALICE}, # alice\n      {BOB} # bob\n    ]\n",
        f"creation_rules:\n  - age: [\n      {ALICE}, # alice\n      {BOB}, # bob\n      {CAROL}\n    ]\n",
    ),
    "a list in brackets with a last comma": (
        f"creation_rules:\n  - age: [\n      {ALICE}, # alice\n    ]\n",
        f"creation_rules:\n  - age: [\n      {ALICE}, # alice\n      {CAROL},\n    ]\n",
    ),
    "a rule in braces": (
        f'{{"creation_rules": [{{"age": "{ALICE}"}}]}}\n',
        f'{{"creation_rules": [{{"age": "{ALICE},{CAROL}"}}]}}\n',
    ),
    "one key group": (
        f"creation_rules:\n  - key_groups:\n      - age:\n          - {ALICE}\n        pgp: [ABCD]\n",
        f"creation_rules:\n  - key_groups:\n      - age:\n          - {ALICE}\n          - {CAROL}\n        pgp: [ABCD]\n",
    ),
    "Windows' line ends": (
        f"creation_rules:\r\n  - age:\r\n      - {ALICE}\r\n    pgp: ABCD\r\n",
        f"creation_rules:\r\n  - age:\r\n      - {ALICE}\r\n      - {CAROL}\r\n    pgp: ABCD\r\n",
    ),
    "a list of aliases": (
        f"keys:\n  - &alice {ALICE}\ncreation_rules:\n  - age:\n      - *alice\n",
        f"keys:\n  - &alice {ALICE}\ncreation_rules:\n  - age:\n      - *alice\n      - {CAROL}\n",
    ),
    "an item with an anchor": (
        f"creation_rules:\n  - age:\n      - &alice {ALICE}\n  - path_regex: x\n    age: [*alice]\n",
        f"creation_rules:\n  - age:\n      - &alice {ALICE}\n      - {CAROL}\n  - path_regex: x\n    age: [*alice]\n",
    ),
}


@pytest.mark.parametrize(("before", "after"), FORMS.values(), ids=FORMS)
def test_a_recipient_is_added_in_the_form_of_its_list(before: str, after: str) -> None:
    assert added(before) == after


@pytest.mark.parametrize(("before", "after"), FORMS.values(), ids=FORMS)
def test_taking_it_out_again_restores_the_text(before: str, after: str) -> None:
    # A comma that was added to a line with a comment stays.
    assert removed(after).replace(",", "") == before.replace(",", "")
    assert rules.parse(removed(after), "x").match("x") == rules.parse(before, "x").match("x")


@pytest.mark.parametrize("text", [before for before, _ in FORMS.values()], ids=FORMS)
def test_what_holds_already_is_not_changed(text: str) -> None:
    assert added(text, recipient=ALICE) == text
    assert removed(text) == text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"{ALICE},{CAROL},{BOB}", f"{ALICE},{BOB}"),
        (f"{CAROL}, {BOB}", BOB),
        (f"{CAROL},{BOB},{CAROL}", BOB),
        (f'"{ALICE} , {CAROL}"', f'"{ALICE}"'),
        (f"[{CAROL}, {ALICE}]", f"[{ALICE}]"),
        (f"[{ALICE}, '{CAROL}', {BOB}]", f"[{ALICE}, {BOB}]"),
        (f"[{ALICE}, '{CAROL},{BOB}']", f"[{ALICE}, '{BOB}']"),
        (f"\n      - *bob\n      - {CAROL}", "\n      - *bob"),
        (f"[*bob, {CAROL}, {ALICE}]", f"[*bob, {ALICE}]"),
        (f"\n      - {CAROL} # carol\n      - {BOB}", f"\n      - {BOB}"),
    ],
)
def test_a_recipient_is_taken_out_wherever_it_stands(before: str, after: str) -> None:
    keys = f"keys:\n  - &bob {BOB}\n"

    assert removed(f"{keys}creation_rules:\n  - age: {before}\n") == f"{keys}creation_rules:\n  - age: {after}\n"


@pytest.mark.parametrize("before", ["[*carol, *bob]", "\n      - *carol\n      - *bob", "[*bob, *carol]"])
def test_an_alias_of_one_recipient_is_taken_out(before: str) -> None:
    keys = f"keys:\n  - &bob {BOB}\n  - &carol {CAROL}\ncreation_rules:\n  - age: "

    after = removed(f"{keys}{before}\n")

    assert after.startswith(keys)
    assert after.removeprefix(keys).strip(" \n-[]") == "*bob"


def test_a_recipient_whose_anchor_is_used_elsewhere_is_not_taken_out() -> None:
    text = f"creation_rules:\n  - path_regex: a\n    age:\n      - &carol {CAROL}\n      - {BOB}\n  - age: [*carol]\n"

    with pytest.raises(Refused, match="takes its recipients from elsewhere"):
        removed(text)


def test_a_rule_without_age_gets_a_line_for_it() -> None:
    text = "creation_rules:\n  - path_regex: x\n    pgp: ABCD\n"

    changed = added(text)

    assert changed == f"{text}    age: {CAROL}\n"
    assert removed(changed) == text


@pytest.mark.parametrize("empty", ["", " []", " null", " ''"])
def test_an_empty_list_gets_its_first_recipient(empty: str) -> None:
    rule = rules.parse(added(f"creation_rules:\n  - age:{empty}\n    pgp: ABCD\n"), "x").match("y")

    assert rule
    assert {key.text for key in rule.groups[0]} == {CAROL, "ABCD"}


def test_several_rules_change_at_once_and_the_others_do_not() -> None:
    text = "creation_rules:\n" + "".join(f"  - path_regex: {name}\n    age: {ALICE}\n" for name in "abc")

    changed = rules.parse(added(text, 0, 2), "x").creation_rules or ()

    assert [rules_edit.names(rule, CAROL) for rule in changed] == [True, False, True]


def test_null_items_of_the_list_of_rules_are_not_counted() -> None:
    text = f"creation_rules:\n  -\n  - path_regex: a\n    age: {ALICE}\n  -\n  - age: {BOB}\n"

    assert added(text, 1) == text.replace(BOB, f"{BOB},{CAROL}")


SHARED = f"""\
creation_rules:
  - path_regex: dev
    age: &team
      - {ALICE}
  - path_regex: qa
    age: *team
"""


def test_a_list_that_another_rule_uses_too_is_not_changed_for_one() -> None:
    with pytest.raises(Refused) as caught:
        added(SHARED, 0)

    assert caught.value.message == (
        ".sops.yaml:2: this rule and the one at line 5 take their recipients from one list, so both would change"
    )
    assert caught.value.hint == (
        "give each a list of its own with an editor, or name the environments of both, as in dev,qa"
    )


def test_a_list_behind_an_alias_is_not_changed_from_there() -> None:
    with pytest.raises(Refused) as caught:
        added(SHARED, 1)

    assert caught.value.message == (
        ".sops.yaml:5: this rule takes its recipients from elsewhere, through an alias (*) or a merge key (<<)"
    )
    assert caught.value.hint == ('change the list where its anchor (&) stands with an editor, then run "sealpy sync"')


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_both_rules_of_a_shared_list_change_together(order: tuple[int, int]) -> None:
    changed = added(SHARED, *order)

    assert changed == SHARED.replace(f"      - {ALICE}\n", f"      - {ALICE}\n      - {CAROL}\n")
    assert removed(changed, *order) == SHARED


@pytest.mark.parametrize(
    "text",
    [
        f"x: &all\n  age: {ALICE}\ncreation_rules:\n  - path_regex: a\n    <<: *all\n",
        f"x: &all {ALICE}\ncreation_rules:\n  - path_regex: a\n    age: *all\n",
        f"x: &all [{ALICE}]\ncreation_rules:\n  - path_regex: a\n    age: *all\n",
    ],
)
def test_a_list_that_stands_elsewhere_is_refused(text: str) -> None:
    for change in (added, removed):
        recipient = CAROL if change is added else ALICE
        with_key = text.replace("path_regex: a", "path_regex: a\n    pgp: ABCD")
        with pytest.raises(Refused, match="takes its recipients from elsewhere"):
            change(with_key, recipient=recipient)


def test_a_rule_never_loses_its_last_key() -> None:
    with pytest.raises(Refused) as caught:
        removed(f"creation_rules:\n  - age: {CAROL}\n")

    assert caught.value.message == (
        ".sops.yaml:2: this rule would be left without a key, and its files open for nobody"
    )
    assert caught.value.hint == "let somebody else in first"


def test_of_several_key_groups_none_is_chosen() -> None:
    text = f"creation_rules:\n  - key_groups:\n      - age: [{ALICE}]\n      - age: [{BOB}]\n"

    with pytest.raises(Refused) as caught:
        added(text)

    assert caught.value.message == (
        ".sops.yaml:2: this rule has 2 key groups, and which one a person belongs to is for you to say"
    )
    assert caught.value.hint == 'add the recipient to a group with an editor, then run "sealpy sync"'


def test_who_goes_goes_from_every_key_group() -> None:
    text = (
        "creation_rules:\n  - shamir_threshold: 2\n    key_groups:\n"
        f"      - age: [{ALICE}, {CAROL}] # ours\n      - ~\n      - age:\n          - {CAROL}\n        pgp: [ABCD]\n"
        f"      - age: [{BOB}]\n"
    )

    assert removed(text) == (
        "creation_rules:\n  - shamir_threshold: 2\n    key_groups:\n"
        f"      - age: [{ALICE}] # ours\n      - ~\n      - pgp: [ABCD]\n      - age: [{BOB}]\n"
    )


def test_a_key_group_never_loses_its_last_key() -> None:
    with pytest.raises(Refused) as caught:
        removed(f"creation_rules:\n  - key_groups:\n      - age: [{ALICE}, {CAROL}]\n      - age: [{CAROL}]\n")

    assert caught.value.message == ".sops.yaml:2: this rule would be left without a key in group 2"


def test_a_configuration_that_is_wrong_is_said_to_be() -> None:
    with pytest.raises(RuleError):
        added("creation_rules: [\n")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", f"version: 1\nrecipients:\n    carol: {CAROL}\n"),
        ("# ours\n", f"# ours\nversion: 1\nrecipients:\n    carol: {CAROL}\n"),
        (
            f"version: 1\nrecipients:\n  alice: {ALICE} # ops\n# end\n",
            f"version: 1\nrecipients:\n  alice: {ALICE} # ops\n  carol: {CAROL}\n# end\n",
        ),
        ("environments:\n  prod: a/prod\n", f"environments:\n  prod: a/prod\nrecipients:\n  carol: {CAROL}\n"),
    ],
)
def test_a_name_is_added(before: str, after: str) -> None:
    assert rules_edit.with_name(before, ".sealpy.yaml", "carol", CAROL) == after


def test_a_name_that_is_there_stays() -> None:
    text = f"recipients: {{carol: '{CAROL}'}}\n"

    assert rules_edit.with_name(text, ".sealpy.yaml", "carol", CAROL) == text


def test_a_name_that_comes_by_a_merge_key_is_there() -> None:
    text = f"x-names: &names {{carol: {CAROL}}}\nrecipients:\n  <<: *names\n"

    assert rules_edit.with_name(text, ".sealpy.yaml", "carol", CAROL) == text
    assert project.parse(text, "x").recipients == {"carol": CAROL}


RULES = """\
creation_rules:
  # first
  - path_regex: ^a/
    age: {one}   # Olga
  - path_regex: ^b/
    age: [{one}]
"""


def test_clear_fields_of_one_rule_are_freed_and_the_text_stays():
    text = RULES.format(one=ALICE)

    changed = rules_edit.with_clear_fields_free(text, ".sops.yaml", 1)

    assert changed == text + "    mac_only_encrypted: true\n"
    assert rules_edit.with_clear_fields_free(changed, ".sops.yaml", 1) == changed


def test_clear_fields_are_not_freed_where_another_rule_shares_the_text():
    text = f"creation_rules:\n  - &rule {{path_regex: ^a/, age: {ALICE}}}\n  - {{<<: *rule, path_regex: ^b/}}\n"

    with pytest.raises(Refused):
        rules_edit.with_clear_fields_free(text, ".sops.yaml", 0)
