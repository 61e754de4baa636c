"""A value goes from dev to prod: by somebody who reads both, and by somebody who reads dev alone."""

import shlex

import pytest

from tests.cli.team import FILES
from tests.journeys.crew import Crew, Person

DEV, PROD, _ = FILES
FEATURE = """'["stringData"]["FEATURE_KEY"]'"""


@pytest.fixture
def promoted(crew: Crew) -> str:
    """Return the command that promotes a key which dev has, and prod does not."""
    crew.dan.does(f"""sealpy set {DEV} {FEATURE} '"f-dev"'""")
    crew.dan.pushes("Try the feature in dev")
    crew.olga.pulls()
    return f"sealpy cp {DEV}:stringData.FEATURE_KEY {PROD}"


def opened(person: Person, file: str = PROD) -> str:
    """Return a value as the real sops opens it."""
    return person.does(f"sops decrypt --extract {FEATURE} {file}")


def test_an_operator_is_asked_before_two_environments_have_one_value(crew: Crew, promoted: str) -> None:
    olga = crew.olga

    assert olga.answers(promoted, ("(n asks for another)? (y/n): ", "n"), ("as plain text: ", "f-prod")) == (
        0,
        """\
sealpy: stringData.FEATURE_KEY: give prod the value of dev (n asks for another)? (y/n): n
sealpy: value of stringData.FEATURE_KEY in prod, as plain text: \n\
sealpy: k8s/dev/app/secrets.yaml to k8s/prod/app/secrets.yaml: values 1 new
""",
    )
    assert opened(olga) == "f-prod"
    assert opened(olga, DEV) == "f-dev"


def test_a_script_has_to_say_that_values_may_be_the_same(crew: Crew, promoted: str) -> None:
    olga = crew.olga

    assert olga.types(promoted) == (
        1,
        "",
        """\
sealpy: stringData.FEATURE_KEY would be the same in prod as in dev, and there is no terminal to ask on; \
nothing was written
sealpy: hint: to copy every value as it is: \
sealpy cp k8s/dev/app/secrets.yaml:stringData.FEATURE_KEY k8s/prod/app/secrets.yaml --keep-values
""",
    )
    assert olga.changed() == []
    assert (
        olga.does(olga.advice[0]) == "sealpy: k8s/dev/app/secrets.yaml to k8s/prod/app/secrets.yaml: values 1 copied\n"
    )
    assert opened(olga) == "f-dev"
    olga.pushes("Give prod the feature")
    crew.leo.pulls()
    assert opened(crew.leo) == "f-dev"


def test_a_developer_without_prods_key_adds_the_key_instead(crew: Crew, promoted: str) -> None:
    dan, olga = crew.dan, crew.olga

    assert dan.types(promoted) == (
        128,
        "",
        """\
sealpy: k8s/prod/app/secrets.yaml: no key here opens it; who has one: olga (age1…olga), leo (age1…leo)
sealpy: hint: "sealpy add k8s/prod/app/secrets.yaml FEATURE_KEY" puts a key in without reading the rest
""",
    )
    assert dan.changed() == []
    code, _ = dan.answers(dan.advice[0], ("value for FEATURE_KEY: ", "f-prod"))
    assert (code, dan.changed()) == (0, ["k8s/prod/app/secrets.d/FEATURE_KEY.yaml"])
    dan.pushes("Give prod the feature")

    olga.pulls()
    assert olga.does(f"sealpy decrypt --extract {FEATURE} {PROD}") == "f-prod"
    olga.does(f"sealpy fold {PROD}")
    assert opened(olga) == "f-prod"


def test_under_another_name_the_hint_has_that_name(crew: Crew, promoted: str) -> None:
    dan = crew.dan

    assert (
        dan.types(f"{promoted}:stringData.FEATURE_2").err
        == """\
sealpy: k8s/prod/app/secrets.yaml: no key here opens it; who has one: olga (age1…olga), leo (age1…leo)
sealpy: hint: "sealpy add k8s/prod/app/secrets.yaml FEATURE_2" puts a key in without reading the rest
"""
    )
    dan.does(f"{dan.advice[0]} --value-stdin", stdin="f-prod")
    assert dan.changed() == ["k8s/prod/app/secrets.d/FEATURE_2.yaml"]


def test_a_whole_file_over_one_that_does_not_open_is_for_those_who_open_it(crew: Crew, promoted: str) -> None:
    dan, leo, olga = crew.dan, crew.leo, crew.olga
    command = f"sealpy cp {DEV} {PROD} --keep-values"

    # Dan opens what it comes from, Leo what it goes to; each is told about the other.
    assert dan.types(command) == (
        128,
        "",
        """\
sealpy: k8s/prod/app/secrets.yaml: no key here opens it; who has one: olga (age1…olga), leo (age1…leo)
sealpy: hint: ask one of them to do it
""",
    )
    leo.pulls()
    assert leo.types(command) == (
        128,
        "",
        """\
sealpy: k8s/dev/app/secrets.yaml: no key here opens it; who has one: olga (age1…olga), dan (age1…dan)
sealpy: hint: ask one of them to do it
""",
    )
    assert (dan.changed(), leo.changed()) == ([], [])
    assert olga.does(command) == "sealpy: k8s/dev/app/secrets.yaml to k8s/prod/app/secrets.yaml: values 3 copied\n"


def test_a_file_that_prod_does_not_have_takes_public_keys_alone(crew: Crew, promoted: str) -> None:
    dan, olga = crew.dan, crew.olga
    new = "k8s/prod/app/feature.yaml"

    # A key cannot go into a file that is not there; the whole file can.
    assert dan.types(f"sealpy cp {DEV}:stringData.FEATURE_KEY {new}") == (
        100,
        "",
        """\
sealpy: k8s/prod/app/feature.yaml: no such file, so there is nothing to put a key into
sealpy: hint: copy the whole file: sealpy cp k8s/dev/app/secrets.yaml k8s/prod/app/feature.yaml
""",
    )
    code, screen = dan.answers(
        dan.advice[0],
        ("stringData.DB_PASSWORD: give prod the value of dev (n asks for another)? (y/n): ", "n"),
        ("as plain text: ", "prod-only"),
        ("stringData.TOKEN: give prod the value of dev (n asks for another)? (y/n): ", "y"),
        ("stringData.FEATURE_KEY: give prod the value of dev (n asks for another)? (y/n): ", "y"),
    )
    assert (code, screen.splitlines()[-1]) == (
        0,
        "sealpy: k8s/dev/app/secrets.yaml to k8s/prod/app/feature.yaml: values 2 copied, 1 new",
    )
    assert not dan.opens(new)
    dan.does("sealpy check")
    dan.pushes("Give prod the feature in a file of its own")

    olga.pulls()
    assert (
        olga.does(f"sops decrypt {new}")
        == """\
apiVersion: v1
kind: Secret
metadata:
    name: app
stringData:
    # rotated in May
    DB_PASSWORD: prod-only
    TOKEN: dev-app-canary-token
    FEATURE_KEY: f-dev
"""
    )


def test_add_does_not_make_a_file_and_says_how_one_is_made(crew: Crew) -> None:
    dan = crew.dan
    new = "k8s/prod/app/stripe.yaml"

    assert dan.types(f"sealpy add {new} STRIPE_KEY --value-stdin", stdin="sk_live_1") == (
        100,
        "",
        """\
sealpy: k8s/prod/app/stripe.yaml: no such file, so there is nothing to put a key into
sealpy: hint: write the whole file, then: sealpy encrypt -i k8s/prod/app/stripe.yaml
""",
    )
    dan.write(new, "apiVersion: v1\nkind: Secret\nmetadata: {name: stripe}\nstringData: {STRIPE_KEY: sk_live_1}\n")
    dan.does(dan.advice[0])
    dan.pushes("Add the key of Stripe")
    crew.leo.pulls()
    assert (
        crew.leo.does(shlex.join(["sops", "decrypt", "--extract", '["stringData"]["STRIPE_KEY"]', new])) == "sk_live_1"
    )
