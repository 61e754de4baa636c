"""One clone of the team belongs to somebody who uses sops, and nothing else."""

from tests.cli.team import FILES
from tests.journeys.crew import Crew

_, PROD, _ = FILES


def test_colleagues_with_sops_and_with_sealpy_change_the_same_files(crew: Crew) -> None:
    leo, olga, dan = crew.leo, crew.olga, crew.dan  # Leo is the one with sops

    leo.does(f"""sops set {PROD} '["stringData"]["TOKEN"]' '"by-sops"'""")
    leo.pushes("Change the token")
    olga.pulls()
    assert (
        olga.does("sealpy diff --reveal HEAD~1 HEAD")
        == """\
diff HEAD~1 (<Start>) → HEAD (<Change the token>)
values are shown, as asked

k8s/prod/app/secrets.yaml  Secret app
  ~ stringData.TOKEN  "prod-app-canary-token" → "by-sops"
  = 1 value unchanged

1 changed file looked at: 1 with changes
"""
    )
    assert olga.does("sealpy check") == "nothing is wrong: 3 files looked at, 3 encrypted, 3 verified with a key\n"

    # sealpy changes the one line, the time and the MAC; sops reads it.
    olga.does(f"""sealpy set {PROD} '["stringData"]["DB_PASSWORD"]' --value-stdin""", stdin='"by-sealpy"')
    changed = [line[1:].split(":")[0].strip() for line in olga.git("diff", "-U0").splitlines() if line[:2] == "+ "]
    assert changed in (["DB_PASSWORD", "lastmodified", "mac"], ["DB_PASSWORD", "mac"])
    olga.pushes("Change the password")
    leo.pulls()
    values = "    # rotated in May\n    DB_PASSWORD: by-sealpy\n    TOKEN: by-sops\n"
    head = "apiVersion: v1\nkind: Secret\nmetadata:\n    name: app\nstringData:\n"
    assert leo.does(f"sops decrypt {PROD}") == head + values

    # A rotation is no change of a value.
    leo.does(f"sops rotate -i {PROD}")
    leo.pushes("Rotate")
    olga.pulls()
    assert "  = 2 values re-encrypted, plaintext unchanged; data key rotated\n" in olga.does("sealpy diff HEAD~1 HEAD")
    assert olga.does(f"sealpy decrypt {PROD}") == head + values

    # Dan's part is a file of sops like any other; Leo opens it, and keeps it in order.
    dan.pulls()
    dan.does(f"sealpy add {PROD} STRIPE_KEY --value-stdin", stdin="sk_live_1")
    dan.pushes("Add the key of Stripe")
    leo.pulls()
    part = "k8s/prod/app/secrets.d/STRIPE_KEY.yaml"
    assert leo.does(f"sops decrypt {part}") == head + "    STRIPE_KEY: sk_live_1\n"
    leo.does(f"sops rotate -i {part} && sops updatekeys -y {part}")
    leo.pushes("Rotate the part")

    # Until somebody folds it in, it is a part for sealpy only.
    olga.pulls()
    assert olga.does(f"sealpy decrypt {PROD}") == head + values + "    STRIPE_KEY: sk_live_1\n"
    assert leo.does(f"sops decrypt {PROD}") == head + values
    olga.does(f"sealpy fold {PROD}")
    olga.pushes("Fold it in")
    leo.pulls()
    assert leo.does(f"sops decrypt {PROD}") == head + values + "    STRIPE_KEY: sk_live_1\n"

    # Edited with sops, checked with sealpy.
    leo.does(f"SOPS_EDITOR='sed -i s/by-sops/edited/' sops {PROD}")
    leo.does(f"""sops unset {PROD} '["stringData"]["STRIPE_KEY"]'""")
    leo.pushes("Do without Stripe")
    olga.pulls()
    assert olga.does(f"sealpy decrypt {PROD}") == head + values.replace("by-sops", "edited")
    olga.does("sealpy check")
