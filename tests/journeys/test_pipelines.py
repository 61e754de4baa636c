"""Jobs without a key write to the repository, at the same time; and one of them uses sed."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.cli.team import FILES
from tests.journeys.crew import Crew

DEV, PROD, _ = FILES
IMAGE = """'["metadata"]["labels"]["image"]'"""


@pytest.fixture
def free(crew: Crew) -> Crew:
    """Return everybody, after Olga let clear fields of dev be set without a key."""
    olga = crew.olga
    assert olga.types("sealpy init --cleartext-editable k8s/dev") == (
        0,
        "write: dev, prod; read: dev, prod\n",
        """\
sealpy:   files like k8s/dev: clear fields can be set without a key; nobody vouches for them
sealpy: changed .sops.yaml
sealpy: hint: files that are sealed already follow with: sealpy sync
""",
    )
    assert olga.answers(olga.advice[0], ("write 1 file? (y/n): ", "y")) == (
        0,
        """\
sealpy: k8s/dev/app/secrets.yaml:
sealpy:   the MAC covers encrypted values only
sealpy: write 1 file? (y/n): y
sealpy: 1 brought in line, 2 as .sops.yaml says
""",
    )
    olga.pushes("Let pipelines deploy to dev")
    return crew


def deploy(field: str, value: str, file: str = DEV) -> str:
    """Return the command of a job."""
    path = f"""'["metadata"]["labels"]["{field}"]'"""
    return f"""sealpy set {file} {path} '"{value}"' --commit 'Set {field} to {value}' --push"""


def test_two_pipelines_deploy_at_once_and_neither_has_a_key(free: Crew) -> None:
    one, two = free.clone("ci-one"), free.clone("ci-two")

    with ThreadPoolExecutor(2) as pool:
        said = list(pool.map(lambda job: job[0].types(deploy(job[1], "17")), ((one, "image"), (two, "build"))))

    assert [ended[:2] for ended in said] == [(0, ""), (0, "")]
    assert {ended.err.partition("\n")[0] for ended in said} == {
        "sealpy: pushed <Set image to 17> to origin/main",
        "sealpy: pushed <Set build to 17> to origin/main",
    }
    free.dan.pulls()
    assert free.dan.git("log", "--format=%s").splitlines()[2:] == ["Let pipelines deploy to dev", "Start"]
    assert free.dan.git("log", "--merges") == ""
    opened = free.dan.does(f"sops decrypt {DEV}")
    assert '        image: "17"\n' in opened
    assert '        build: "17"\n' in opened

    # A reviewer without a key sees that nobody vouches for it.
    rita = free.rita
    rita.pulls()
    head, key, *fields, rest = rita.does("sealpy diff HEAD~2 HEAD").splitlines()[3:8]
    assert (head, key, rest) == (
        "k8s/dev/app/secrets.yaml  Secret app",
        "  ? no key here opens it; who has one: olga (age1…olga), dan (age1…dan)",
        "  = 2 values unchanged",
    )
    assert sorted(fields) == [  # they stand in the order of the pushes
        '  + metadata.labels.build  "17"   [not under the MAC]',
        '  + metadata.labels.image  "17"   [not under the MAC]',
    ]


def test_two_values_for_one_field_stop_with_both_commits_named(free: Crew) -> None:
    one, two = free.clone("ci-one"), free.clone("ci-two")
    one.does(deploy("image", "web-2"))

    assert two.types(deploy("image", "web-3")) == (
        1,
        "",
        """\
sealpy: k8s/dev/app/secrets.yaml: metadata.labels.image was set to another value meanwhile: \
theirs is <Set image to web-2> (ci-one: Set image to web-2), ours is <Set image to web-3>, which was not pushed
sealpy: hint: "sealpy diff <Set image to web-2> <Set image to web-3> -- k8s/dev/app/secrets.yaml" shows both; \
to put ours over theirs, "git pull" and run this again
""",
    )
    show, pull = two.advice
    assert '  ~ metadata.labels.image  "web-2" → "web-3"   [not under the MAC]\n' in two.does(show)
    assert two.types(deploy("image", "web-3")).code == 1  # to insist is not enough
    two.does(pull)
    assert two.does(deploy("image", "web-3")) == "sealpy: pushed <Set image to web-3> to origin/main\n"

    # The same value twice is one commit.
    assert one.does(deploy("image", "web-3")) == "sealpy: origin/main has this value already; nothing was pushed\n"


def test_a_job_without_a_key_sets_no_secret_and_adds_one(free: Crew) -> None:
    ci = free.clone("ci")
    command = f"""sealpy set {PROD} '["stringData"]["TOKEN"]' --value-stdin --commit 'New token' --push"""

    assert ci.types(command, stdin='"t-2"') == (
        128,
        "",
        """\
sealpy: k8s/prod/app/secrets.yaml: stringData.TOKEN is sealed, and no key here opens it: \
it is sealed for olga (age1…olga), leo (age1…leo); no age identity was found
sealpy: hint: "sealpy add k8s/prod/app/secrets.yaml TOKEN" puts a value there without reading what is; \
name your key file in SOPS_AGE_KEY_FILE, or add your key with "sealpy key import"; \
without a key, make one with "sealpy key new" and ask whoever opens it to let you in
""",
    )
    assert (
        ci.does(f"{ci.advice[0]} --value-stdin --commit 'New token' --push", stdin="t-2")
        == """\
sealpy: you can't read prod (it takes the key of olga (age1…olga) or leo (age1…leo)). \
Sealed TOKEN into k8s/prod/app/secrets.d/TOKEN.yaml; nothing else touched
sealpy: warning: TOKEN has a value in k8s/prod/app/secrets.yaml already, which this one replaces
sealpy: hint: kustomize and Flux learn of TOKEN when somebody with the key runs "sealpy fold k8s/prod/app/secrets.yaml"
sealpy: pushed <New token> to origin/main
"""
    )
    free.leo.pulls()
    assert free.leo.does(f"""sealpy decrypt --extract '["stringData"]["TOKEN"]' {PROD}""") == "t-2"


def test_sed_on_a_field_under_the_mac_is_found_named_and_mended(free: Crew) -> None:
    ci, rita, olga, dan = free.clone("ci"), free.rita, free.olga, free.dan

    # In prod the MAC covers clear fields too.
    assert ci.types(deploy("image", "web-2", PROD)) == (
        128,
        "",
        """\
sealpy: k8s/prod/app/secrets.yaml: metadata.labels.image stands in clear, but the MAC covers it, \
and no key here opens it: it is sealed for olga (age1…olga), leo (age1…leo); no age identity was found
sealpy: hint: edit it by hand, and have somebody who can open the file run "sealpy reseal k8s/prod/app/secrets.yaml"; \
"mac_only_encrypted: true" in its rule leaves clear fields to everybody
""",
    )
    reseal = ci.advice[0]

    # So the job edits it by hand; without a key, check names the field.
    ci.does(f"sed -i 's/^  name: app/  name: web/; s/^    name: app/    name: web/' {PROD}")
    assert ci.types("sealpy check") == (
        51,
        """\
error    k8s/prod/app/secrets.yaml:4: metadata.name was edited without a key: \
the MAC covers it and fits no more, so nothing will decrypt this  (SP403)
         to mend it: sealpy reseal k8s/prod/app/secrets.yaml
1 error: 3 files looked at, 3 encrypted, 3 not verified, for no key here is meant for them
""",
        "",
    )
    assert ci.advice == [reseal]
    ci.pushes("Call it web")

    # Once it is committed it takes a key to see it: Rita's check does not, Olga's does.
    rita.pulls()
    assert rita.types("sealpy check").code == 0
    olga.pulls()
    assert (
        olga.types("sealpy check").out
        == """\
error    k8s/prod/app/secrets.yaml:4: metadata.name was edited without a key: \
the MAC covers it and fits no more, so nothing will decrypt this  (SP403)
         to mend it: sealpy reseal k8s/prod/app/secrets.yaml
1 error: 3 files looked at, 3 encrypted, 2 verified with a key
"""
    )
    assert olga.types(f"sops decrypt {PROD}").code == 51
    assert olga.types(f"sealpy decrypt {PROD}") == (
        51,
        "",
        """\
sealpy: k8s/prod/app/secrets.yaml: the MAC does not match the values: metadata.name was edited without the key
sealpy: hint: if that is right, "sealpy reseal k8s/prod/app/secrets.yaml" signs the file as it is now; \
if not, "git checkout <Start> -- k8s/prod/app/secrets.yaml" brings a good version back
""",
    )
    reseal_of_olga, restore = olga.advice
    assert reseal_of_olga == reseal

    # If it is not right: back to what was sealed.
    olga.does(restore)
    assert "name: app\n" in olga.does(f"sealpy decrypt {PROD}")
    olga.git("checkout", "-q", "HEAD", "--", PROD)

    # If it is right: whoever opens the file signs it, after a look.
    dan.pulls()
    assert dan.types(reseal) == (
        128,
        "",
        """\
sealpy: k8s/prod/app/secrets.yaml: no key here opens it: it is sealed for olga (age1…olga), leo (age1…leo); \
tried dan (age1…dan) (~/config/sops/age/keys.txt)
sealpy: hint: ask whoever opens it to let you in, or name the file of another key of yours in SOPS_AGE_KEY_FILE
sealpy: hint: to be let in, ask with a pull request: sealpy grant --request prod dan
""",
    )
    assert olga.types(reseal) == (
        1,
        "",
        """\
sealpy: k8s/prod/app/secrets.yaml: edited without its key:
sealpy:   ~ metadata.name  "app" → "web"
sealpy: sign k8s/prod/app/secrets.yaml as it is now? (y/n): \n\
sealpy: k8s/prod/app/secrets.yaml: nobody answered
sealpy: hint: to answer beforehand: sealpy reseal --yes k8s/prod/app/secrets.yaml
""",
    )
    assert olga.changed() == []
    olga.does(olga.advice[0])
    olga.does("sealpy check")
    olga.pushes("Sign what was edited")
    free.leo.pulls()
    assert "name: web\n" in free.leo.does(f"sops decrypt {PROD}")
