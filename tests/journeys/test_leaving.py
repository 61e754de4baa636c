"""Somebody leaves: what is sealed from then on is closed to them, and nobody believes more than that."""

from tests.cli.team import FILES
from tests.journeys.crew import Crew

DEV, PROD, MAIL = FILES


def test_a_leaver_keeps_what_they_had_and_gets_no_more(crew: Crew) -> None:
    olga, leo, rita = crew.olga, crew.leo, crew.rita

    # Olga began something before Leo left.
    olga.branches("late")
    olga.does(f"""sealpy set {MAIL} '["stringData"]["TOKEN"]' '"late"'""")
    olga.pushes("Change the token of mail", "late")
    olga.git("switch", "-q", "main")

    # The list of what to change comes on stdout, and can be piped into a ticket.
    assert olga.types("sealpy revoke prod leo") == (
        0,
        """\
k8s/prod/app/secrets.yaml: stringData.DB_PASSWORD, stringData.TOKEN
k8s/prod/mail/secrets.yaml: stringData.DB_PASSWORD, stringData.TOKEN
""",
        """\
sealpy: leo could read these values, and may have kept them:
sealpy: leo (age1…leo) cannot read prod any more: 2 files with a new data key; changed .sops.yaml
sealpy: hint: commit and push the change, and change what is listed at its source: git's history still opens
""",
    )
    assert olga.does("sealpy check") == "nothing is wrong: 3 files looked at, 3 encrypted, 3 verified with a key\n"
    assert (
        olga.does("sealpy diff")
        == """\
diff HEAD (<Start>) → worktree
values are hidden, for this is no terminal; --reveal shows them

k8s/prod/app/secrets.yaml
  - recipient leo (age1…leo)
  = 2 values re-encrypted, plaintext unchanged; data key rotated

k8s/prod/mail/secrets.yaml
  - recipient leo (age1…leo)
  = 2 values re-encrypted, plaintext unchanged; data key rotated

without secrets: .sops.yaml

3 changed files looked at: 2 with changes, 1 without secrets
"""
    )
    olga.pushes("Leo leaves")

    # She changes the values where they come from, and then here.
    olga.does(f"sealpy add {PROD} DB_PASSWORD --value-stdin", stdin="changed-at-the-database")
    olga.pushes("Change the password that Leo knew")

    # Leo's clone still opens, and so does git's history; that is what the list is for.
    assert leo.opens(PROD)
    leo.pulls()
    assert not leo.opens(PROD)
    assert not leo.opens(MAIL)
    assert (
        leo.does(f"git show HEAD~2:{PROD} | sops decrypt --input-type yaml --output-type yaml /dev/stdin")
        == """\
apiVersion: v1
kind: Secret
metadata:
    name: app
stringData:
    # rotated in May
    DB_PASSWORD: prod-app-canary
    TOKEN: prod-app-canary-token
"""
    )
    assert leo.types(f"sealpy decrypt {PROD}") == (
        128,
        "",
        """\
sealpy: k8s/prod/app/secrets.yaml: no key here opens it: it is sealed for olga (age1…olga); \
tried leo (age1…leo) (~/config/sops/age/keys.txt)
sealpy: hint: ask whoever opens it to let you in, or name the file of another key of yours in SOPS_AGE_KEY_FILE
sealpy: hint: to be let in, ask with a pull request: sealpy grant --request prod leo
""",
    )

    # The branch of before comes back, with a file that Leo opens; whoever merged it took the whole file.
    merged = olga.types("git merge -q late")
    assert (merged.code, olga.changed()) == (1, [MAIL])
    olga.does(f"git checkout -q --theirs {MAIL}")
    olga.pushes("Merge late")
    leo.pulls()
    assert leo.opens(MAIL)

    # CI has no key and sees it.
    rita.pulls()
    assert rita.types("sealpy check") == (
        1,
        """\
error    k8s/prod/mail/secrets.yaml: leo (age1…leo) can read it, but the rule does not say so  (SP301)
         to mend it: sealpy sync k8s/prod/mail/secrets.yaml
1 error: 3 files looked at, 3 encrypted, 3 not verified, for no key here is meant for them
""",
        "",
    )

    # What it says mends it, under another data key: Leo knows the one of the branch.
    assert olga.answers(rita.advice[0], ("write 1 file? (y/n): ", "y")) == (
        0,
        """\
sealpy: k8s/prod/mail/secrets.yaml:
sealpy:   --- leo (age1…leo)
sealpy:   new data key: who goes knows the old one
sealpy: write 1 file? (y/n): y
sealpy: 1 brought in line, 0 as .sops.yaml says
""",
    )
    assert "  = 2 values re-encrypted, plaintext unchanged; data key rotated\n" in olga.does("sealpy diff")
    olga.pushes("Close mail for Leo again")
    rita.pulls()
    rita.does("sealpy check")
    leo.pulls()
    assert [person.name for person in (olga, leo) if person.opens(MAIL)] == ["olga"]


def test_whoever_cannot_read_prod_asks_for_somebody_to_be_taken_out(crew: Crew) -> None:
    dan, olga, leo = crew.dan, crew.olga, crew.leo

    assert dan.types("sealpy revoke prod leo") == (
        128,
        "",
        """\
sealpy: k8s/prod/app/secrets.yaml: no key here opens it: it is sealed for olga (age1…olga), leo (age1…leo); \
tried dan (age1…dan) (~/config/sops/age/keys.txt)
sealpy: nothing was changed: taking leo out takes a key that opens 2 files of prod; who has one: olga (age1…olga)
sealpy: hint: ask them to do it, or write the change for a pull request: sealpy revoke --request prod leo
""",
    )
    assert dan.changed() == []
    dan.branches("leo-leaves")
    assert dan.types(dan.advice[0]) == (
        0,
        "",
        """\
sealpy: wrote .sops.yaml: leo (age1…leo) may not read prod, but still opens 2 files
sealpy: hint: open a pull request with it, in which another one who reads prod (olga (age1…olga)) \
runs: sealpy revoke prod leo
""",
    )
    request = dan.advice[0]
    assert dan.changed() == [".sops.yaml"]
    dan.pushes("Leo leaves", "leo-leaves")

    olga.takes("leo-leaves")
    assert olga.types(request) == (
        0,
        """\
k8s/prod/app/secrets.yaml: stringData.DB_PASSWORD, stringData.TOKEN
k8s/prod/mail/secrets.yaml: stringData.DB_PASSWORD, stringData.TOKEN
""",
        """\
sealpy: leo could read these values, and may have kept them:
sealpy: leo (age1…leo) cannot read prod any more: 2 files with a new data key
sealpy: hint: commit and push the change, and change what is listed at its source: git's history still opens
""",
    )
    olga.pushes("Close prod for Leo")
    leo.takes("main")
    assert [person.name for person in (olga, leo) if person.opens(PROD)] == ["olga"]
