"""Somebody new makes a key, asks to be let in, and is; into that environment, and no other."""

import shlex

from tests.cli.team import FILES
from tests.journeys.crew import Crew

DEV, PROD, _ = FILES


def test_a_newcomer_follows_what_is_said_until_dev_opens(crew: Crew) -> None:
    rita, olga, dan = crew.rita, crew.olga, crew.dan
    nina = crew.newcomer("nina")
    before = {person.name: person.does(f"sealpy decrypt {DEV}") for person in (olga, dan)}

    # Nina has nothing yet.
    assert nina.types(f"sealpy decrypt {DEV}") == (
        128,
        "",
        """\
sealpy: k8s/dev/app/secrets.yaml: no key here opens it: it is sealed for olga (age1…olga), dan (age1…dan); \
no age identity was found
sealpy: hint: name your key file in SOPS_AGE_KEY_FILE, or add your key with "sealpy key import"; \
without a key, make one with "sealpy key new" and ask whoever opens it to let you in
""",
    )
    assert (
        nina.types(nina.advice[1]).err
        == """\
sealpy: the key is in ~/config/sops/age/keys.txt, where sops finds it too
sealpy: hint: keep a copy in a safe place: without it, what is encrypted for it is lost
"""
    )
    crew.meet(nina)

    # With a key of her own she is told how to ask.
    assert nina.types(f"sealpy decrypt {DEV}") == (
        128,
        "",
        """\
sealpy: k8s/dev/app/secrets.yaml: no key here opens it: it is sealed for olga (age1…olga), dan (age1…dan); \
tried age1…nina (~/config/sops/age/keys.txt)
sealpy: hint: ask whoever opens it to let you in, or name the file of another key of yours in SOPS_AGE_KEY_FILE
sealpy: hint: to be let in, ask with a pull request: sealpy grant --request dev age1…nina --name $USER
""",
    )
    nina.branches("nina")
    assert nina.types(nina.advice[0]) == (
        0,
        "",
        """\
sealpy: wrote .sealpy.yaml, .sops.yaml: nina (age1…nina) may read dev, but 1 file still cannot be opened by them
sealpy: hint: open a pull request with it, in which one who reads dev (olga (age1…olga), dan (age1…dan)) \
runs: sealpy sync dev
""",
    )
    request = nina.advice[0]
    assert nina.changed() == [".sealpy.yaml", ".sops.yaml"]

    # It needs somebody else now, and says so.
    assert nina.types(f"sealpy decrypt {DEV}").err.splitlines()[-1] == (
        'sealpy: hint: the rules name you already: ask whoever opens it to run "sealpy sync dev"'
    )
    assert nina.types(request) == (
        128,
        "",
        """\
sealpy: k8s/dev/app/secrets.yaml: no key here opens it: it is sealed for olga (age1…olga), dan (age1…dan); \
tried nina (age1…nina) (~/config/sops/age/keys.txt)
sealpy: no key here opens 1 file, so it stays as it is; who has one: olga (age1…olga), dan (age1…dan)
sealpy: hint: ask them to run "sealpy sync dev"
sealpy: 0 as .sops.yaml says, 1 failed
""",
    )
    nina.pushes("Let Nina read dev", "nina")

    # CI has no key, and sees that the branch is not done.
    rita.takes("nina")
    assert rita.types("sealpy check") == (
        1,
        """\
error    k8s/dev/app/secrets.yaml: nina (age1…nina) cannot read it, but the rule says so  (SP302)
         to mend it: sealpy sync k8s/dev/app/secrets.yaml
1 error: 3 files looked at, 3 encrypted, 3 not verified, for no key here is meant for them
""",
        "",
    )
    assert (
        rita.does("sealpy who dev")
        == """\
dev  1 encrypted file
  olga (age1…olga)
  dan (age1…dan)
  ! nina (age1…nina) is named by the rule and cannot read it
"""
    )

    # Olga runs what the request says.
    olga.takes("nina")
    assert olga.answers(request, ("write 1 file? (y/n): ", "y")) == (
        0,
        """\
sealpy: k8s/dev/app/secrets.yaml:
sealpy:   +++ nina (age1…nina)
sealpy: write 1 file? (y/n): y
sealpy: 1 brought in line, 0 as .sops.yaml says
""",
    )
    assert olga.changed() == [DEV]
    assert olga.does("sealpy check") == "nothing is wrong: 3 files looked at, 3 encrypted, 3 verified with a key\n"
    olga.pushes("Open dev for Nina")

    # Everybody reads what they read before, and Nina dev.
    nina.git("switch", "-q", "main")
    for person in (nina, dan, rita, olga):
        person.takes("main")
    assert nina.does(f"sealpy decrypt {DEV}") == before["dan"]
    assert {person.name: person.does(f"sealpy decrypt {DEV}") for person in (olga, dan)} == before
    assert [person.name for person in crew.everybody() if person.opens(DEV)] == ["olga", "dan", "nina"]
    assert [person.name for person in crew.everybody() if person.opens(PROD)] == ["olga", "leo"]
    assert (
        nina.does("sealpy who")
        == """\
dev  1 encrypted file
  olga (age1…olga)
  dan (age1…dan)
  nina (age1…nina)
prod  2 encrypted files
  olga (age1…olga)
  leo (age1…leo)
"""
    )

    # Prod is another matter; now she has a name.
    assert (
        nina.types(f"sealpy decrypt {PROD}").err
        == """\
sealpy: k8s/prod/app/secrets.yaml: no key here opens it: it is sealed for olga (age1…olga), leo (age1…leo); \
tried nina (age1…nina) (~/config/sops/age/keys.txt)
sealpy: hint: ask whoever opens it to let you in, or name the file of another key of yours in SOPS_AGE_KEY_FILE
sealpy: hint: to be let in, ask with a pull request: sealpy grant --request prod nina
"""
    )


def test_an_operator_lets_somebody_in_who_sent_a_recipient(crew: Crew) -> None:
    olga, dan, rita = crew.olga, crew.dan, crew.rita
    nina = crew.clone("nina")

    # A name that nobody has; the recipient is Nina's to tell.
    assert olga.types("sealpy grant prod nina") == (
        1,
        "",
        """\
sealpy: nobody is called nina in .sealpy.yaml, and it is no recipient either
sealpy: hint: there are olga, dan, leo; for anybody else, give their recipient, which "sealpy key list" shows them
""",
    )
    recipient = nina(*shlex.split(olga.advice[0])[1:]).out.split()[0]
    assert olga.types(f"sealpy grant prod {recipient} --name nina") == (
        0,
        "",
        """\
sealpy: nina (age1…nina) can read prod: 2 files re-wrapped; changed .sealpy.yaml, .sops.yaml
sealpy: hint: commit and push the change; no value in it is another one
""",
    )
    assert (
        olga.does("sealpy diff")
        == """\
diff HEAD (<Start>) → worktree
values are hidden, for this is no terminal; --reveal shows them

k8s/prod/app/secrets.yaml
  + recipient age1…nina
  = 2 values unchanged

k8s/prod/mail/secrets.yaml
  + recipient age1…nina
  = 2 values unchanged

without secrets: .sealpy.yaml, .sops.yaml

4 changed files looked at: 2 with changes, 2 without secrets
"""
    )
    olga.pushes("Let Nina read prod")

    for person in (nina, dan, rita):
        person.pulls()
    assert [person.name for person in crew.everybody() if person.opens(PROD)] == ["olga", "leo", "nina"]
    assert [person.name for person in crew.everybody() if person.opens(DEV)] == ["olga", "dan"]

    # Dan cannot let himself in; he can ask.
    assert dan.types("sealpy grant prod dan") == (
        128,
        "",
        """\
sealpy: k8s/prod/app/secrets.yaml: no key here opens it: it is sealed for \
olga (age1…olga), leo (age1…leo), nina (age1…nina); tried dan (age1…dan) (~/config/sops/age/keys.txt)
sealpy: nothing was changed: letting dan in takes a key that opens 2 files of prod; \
who has one: olga (age1…olga), leo (age1…leo), nina (age1…nina)
sealpy: hint: ask them to do it, or write the change for a pull request: sealpy grant --request prod dan
""",
    )
    assert dan.changed() == []
    assert (
        dan.does(dan.advice[0])
        == """\
sealpy: wrote .sops.yaml: dan (age1…dan) may read prod, but 2 files still cannot be opened by them
sealpy: hint: open a pull request with it, in which one who reads prod \
(olga (age1…olga), leo (age1…leo), nina (age1…nina)) runs: sealpy sync prod
"""
    )
    assert not dan.opens(PROD)
