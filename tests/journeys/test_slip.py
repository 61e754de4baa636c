"""A Secret is staged in clear; the hook stops it, and one command mends it."""

from tests.cli.team import FILES
from tests.journeys.crew import Crew

DEV, _, _ = FILES
NEW = "k8s/prod/stripe/secrets.yaml"
CLEAR = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: stripe\nstringData:\n  STRIPE_KEY: sk_live_1\n"
PRUNED = (
    "sealpy: hint: what was staged in clear stays in .git/objects until git prunes it; a push does not take it along\n"
)
REFUSED = """\
sealpy: k8s/prod/stripe/secrets.yaml:6: not committed: it is in clear, but a creation rule wants it encrypted
sealpy: hint: sealpy encrypt --staged
"""


def test_a_clone_gets_the_hook_from_init(crew: Crew) -> None:
    assert crew.dan.types("sealpy init") == (
        0,
        "write: dev, prod; read: dev\n",
        """\
sealpy: wrote .git/hooks/pre-commit, which refuses to commit secrets in clear
sealpy: hint: to read more, ask with a pull request, as in: sealpy grant --request prod dan
""",
    )
    assert crew.rita.types("sealpy init") == (
        0,
        "write: dev, prod; read: none\n",
        """\
sealpy: wrote .git/hooks/pre-commit, which refuses to commit secrets in clear
sealpy: hint: to read, make a key with "sealpy key new"; "sealpy init" then says how to ask
""",
    )
    make, again = crew.rita.advice
    crew.rita.does(make)
    assert "sealpy: hint: to read more, ask with a pull request, as in: sealpy grant --request dev " in (
        crew.rita.does(again)
    )
    crew.rita.does(crew.rita.advice[0])
    assert crew.rita.changed() == [".sealpy.yaml", ".sops.yaml"]


def test_what_is_staged_in_clear_is_sealed_by_one_command(crew: Crew) -> None:
    dan = crew.dan
    dan.does("sealpy init")
    dan.write(NEW, CLEAR)
    dan.git("add", NEW)

    assert dan.types("git commit -qm 'Add Stripe'") == (1, "", REFUSED)
    assert dan.does(dan.advice[0]) == f"sealpy: encrypted {NEW}, which was staged in clear\n{PRUNED}"
    dan.does("git commit -qm 'Add Stripe' && git push -q")

    # Nothing of it is in git's history, and who may reads it.
    assert "sk_live_1" not in dan.git("log", "-p")
    assert dan.changed() == []
    crew.leo.pulls()
    assert "STRIPE_KEY: sk_live_1\n" in crew.leo.does(f"sops decrypt {NEW}")


def test_the_index_and_the_worktree_are_told_apart(crew: Crew) -> None:
    dan, leo = crew.dan, crew.leo
    dan.does("sealpy init")
    dan.write(NEW, CLEAR)
    dan.git("add", NEW)
    dan.write(NEW, CLEAR.replace("sk_live_1", "sk_live_2"))

    assert dan.types("git commit -qm 'Add Stripe'") == (1, "", REFUSED)
    assert (
        dan.does(dan.advice[0])
        == f"""\
sealpy: encrypted k8s/prod/stripe/secrets.yaml as it was staged
sealpy: warning: k8s/prod/stripe/secrets.yaml in the worktree is another version, and stays as it is, in clear
{PRUNED}"""
    )
    dan.does("git commit -qm 'Add Stripe' && git push -q")

    # What was staged is committed, sealed; what he typed since lies there, and check says so.
    leo.pulls()
    assert "STRIPE_KEY: sk_live_1\n" in leo.does(f"sops decrypt {NEW}")
    assert dan.read(NEW) == CLEAR.replace("sk_live_1", "sk_live_2")
    assert dan.types("sealpy check") == (
        1,
        """\
error    k8s/prod/stripe/secrets.yaml:6: it is in clear, but a creation rule wants it encrypted  (SP102)
         to mend it: sealpy encrypt -i k8s/prod/stripe/secrets.yaml
1 error: 4 files looked at, 3 encrypted, 1 verified with a key, 2 not verified, for no key here is meant for them
""",
        "",
    )
    dan.does(dan.advice[0])
    dan.does("git commit -qam 'Change the key of Stripe' && git push -q")
    leo.pulls()
    assert "STRIPE_KEY: sk_live_2\n" in leo.does(f"sops decrypt {NEW}")


def test_a_commit_of_a_named_file_is_refused_too(crew: Crew) -> None:
    dan = crew.dan
    dan.does("sealpy init")
    dan.write(NEW, CLEAR)
    dan.git("add", "--intent-to-add", NEW)

    assert dan.types(f"git commit -qm 'Add Stripe' {NEW}") == (
        1,
        "",
        REFUSED.replace("sealpy encrypt --staged", f"git add {NEW} && sealpy encrypt --staged"),
    )
    dan.does(dan.advice[0])
    dan.does("git commit -qm 'Add Stripe'")
    assert "sk_live_1" not in dan.git("log", "-p")


def test_an_edit_under_the_mac_is_stopped_before_it_is_committed(crew: Crew) -> None:
    dan = crew.dan
    dan.does("sealpy init")
    dan.does(f"sed -i 's/name: app/name: web/' {DEV}")

    assert dan.types("git commit -qam 'Call it web'") == (
        1,
        "",
        """\
sealpy: k8s/dev/app/secrets.yaml:4: not committed: metadata.name was edited without a key: \
the MAC covers it and fits no more, so nothing will decrypt this
sealpy: hint: sealpy reseal k8s/dev/app/secrets.yaml && git add k8s/dev/app/secrets.yaml
""",
    )
    mend, _, stage = dan.advice[0].partition(" && ")
    assert dan.answers(mend, ("sign k8s/dev/app/secrets.yaml as it is now? (y/n): ", "y"))[0] == 0
    dan.does(stage)
    dan.does("git commit -qam 'Call it web'")
    assert dan.opens(DEV)
