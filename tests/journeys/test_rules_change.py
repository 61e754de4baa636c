"""The platform team changes the rules; files follow, by the hand of somebody who opens them."""

from tests.cli.team import FILES
from tests.journeys.crew import Crew

DEV, PROD, MAIL = FILES


def test_files_follow_their_rules(crew: Crew) -> None:
    platform, rita, olga, dan = crew.clone("platform"), crew.rita, crew.olga, crew.dan

    # One more recipient, one more sealed key, and clear fields for pipelines; without a key of their own.
    platform.branches("rules")
    before, after = (
        "^(data|stringData)$\n    age: {olga},{leo}",
        ("^(data|stringData|binaryData|note)$\n    mac_only_encrypted: true\n    age: {olga},{leo},{nina}"),
    )
    rules = crew.spelt(before), crew.spelt(after)
    assert rules[0] in platform.read(".sops.yaml")
    platform.write(".sops.yaml", platform.read(".sops.yaml").replace(*rules))
    platform.write(".sealpy.yaml", platform.read(".sealpy.yaml") + crew.spelt("  nina: {nina}\n"))
    planned = """\
sealpy: k8s/prod/app/secrets.yaml, k8s/prod/mail/secrets.yaml:
sealpy:   +++ nina (age1…nina)
sealpy:   encrypted: encrypted_regex ^(data|stringData|binaryData|note)$, before encrypted_regex ^(data|stringData)$
sealpy:   the MAC covers encrypted values only
"""
    platform.pushes("New rules for prod", "rules")

    # CI fails, and says which files and what would be done.
    rita.takes("rules")
    assert rita.types("sealpy sync --check") == (
        1,
        "",
        f"""\
{planned}\
sealpy: 2 not as .sops.yaml says, 1 as .sops.yaml says
sealpy: hint: "sealpy sync" brings them in line
""",
    )
    sync = rita.advice[0]

    # Dan runs what it says, and learns who can.
    dan.takes("rules")
    assert dan.types(sync) == (
        128,
        "",
        """\
sealpy: k8s/prod/app/secrets.yaml: no key here opens it: it is sealed for olga (age1…olga), leo (age1…leo); \
tried dan (age1…dan) (~/config/sops/age/keys.txt)
sealpy: no key here opens 2 files, so they stay as they are; who has one: olga (age1…olga), leo (age1…leo)
sealpy: hint: ask them to run "sealpy sync"
sealpy: 1 as .sops.yaml says, 2 failed
""",
    )
    assert dan.advice == [sync]
    assert dan.changed() == []

    # Olga can. She looks at it, says no, looks again in a script, and then does it.
    olga.takes("rules")
    assert olga.answers(sync, ("write 2 files? (y/n): ", "n")) == (
        1,
        f"""\
{planned}\
sealpy: write 2 files? (y/n): n
sealpy: nothing was changed
""",
    )
    assert olga.types(sync) == (
        1,
        "",
        f"""\
{planned}\
sealpy: write 2 files? (y/n): \n\
sealpy: nobody answered, so nothing was changed
sealpy: hint: to answer beforehand: sealpy sync --yes
""",
    )
    assert olga.changed() == []
    assert olga.does(olga.advice[0]) == f"{planned}sealpy: 2 brought in line, 1 as .sops.yaml says\n"
    assert olga.changed() == [PROD, MAIL]
    olga.pushes("Bring prod in line", "rules")

    # CI is content; Nina reads, a job sets a clear field, and sops opens all of it.
    rita.takes("rules")
    assert rita.types("sealpy sync --check") == (0, "", "sealpy: 3 as .sops.yaml says\n")
    assert rita.does("sealpy check") == (
        "nothing is wrong: 3 files looked at, 3 encrypted, 3 not verified, for no key here is meant for them\n"
    )
    nina = crew.clone("nina", "rules")
    ci = crew.clone("ci", "rules")
    ci.does(f"""sealpy set {PROD} '["metadata"]["labels"]["image"]' '"web-2"' --commit 'Deploy web-2' --push""")
    nina.pulls()
    assert (
        nina.does(f"sops decrypt {PROD}")
        == """\
apiVersion: v1
kind: Secret
metadata:
    name: app
    labels:
        image: web-2
stringData:
    # rotated in May
    DB_PASSWORD: prod-app-canary
    TOKEN: prod-app-canary-token
"""
    )


def test_a_rule_that_would_bare_a_secret_is_said_before_it_is_followed(crew: Crew) -> None:
    olga = crew.olga
    olga.does("sed -i '/path_regex: .k8s.prod/,$ s/(data|stringData)/TOKEN/' .sops.yaml")

    assert olga.answers("sealpy sync prod", ("write 2 files? (y/n): ", "n")) == (
        1,
        """\
sealpy: k8s/prod/app/secrets.yaml, k8s/prod/mail/secrets.yaml:
sealpy:   encrypted: encrypted_regex ^TOKEN$, before encrypted_regex ^(data|stringData)$
sealpy:   no longer encrypted: stringData.DB_PASSWORD
sealpy: write 2 files? (y/n): n
sealpy: nothing was changed
""",
    )
    assert olga.changed() == [".sops.yaml"]
