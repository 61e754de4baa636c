"""The main job, on an example repository: encrypt, review, merge, reconcile, tamper, and see it put back.

``make demo`` runs it. Everything happens in the folder ``demo/``, which it makes anew; nothing else is touched.
"""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
DEMO = HERE.parent / "demo"
REPOSITORY = DEMO / "repository"
RUNNING = DEMO / "running"
ENVIRONMENTS = ("dev", "qa", "prod")
PROD_SECRET = "k8s/gitops/prod/service1/secrets.yaml"

# Nobody's keys and nobody's git settings: the demo brings its own.
CLEAN = {
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    "HOME": str(DEMO / "home"),
    "LC_ALL": "C.UTF-8",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Dora Developer",
    "GIT_AUTHOR_EMAIL": "dora@example.com",
    "GIT_COMMITTER_NAME": "Dora Developer",
    "GIT_COMMITTER_EMAIL": "dora@example.com",
}


def main() -> None:
    """Tell the story, step by step."""
    shutil.rmtree(DEMO, ignore_errors=True)
    (DEMO / "home").mkdir(parents=True)
    shutil.copytree(HERE / "gitops", REPOSITORY)

    say("Each environment gets a key of its own. The private halves stay where the environments are.")
    recipients = {name: new_key(name) for name in ENVIRONMENTS}

    say("The repository says who may read what: one creation rule for each environment folder.")
    write_rules({name: [recipient] for name, recipient in recipients.items()})
    run("cat", ".sops.yaml")

    say("A developer seals every Secret and ConfigMap with the public keys alone, and commits.")
    run("sealpy", "encrypt", "--in-place", "--recursive", "k8s")
    git("init", "--quiet", "--initial-branch=main")
    git("add", "--all")
    git("commit", "--quiet", "--message", "Sealed secrets for dev, qa and prod")
    run("head", "-n", "9", PROD_SECRET)

    say("A pull request: a changed password, a renamed key, and a new colleague who may read prod.")
    git("checkout", "--quiet", "-b", "rotate-database-password")
    prod = with_key("prod")
    new_password = "prod-new-horse-new-battery"
    run(
        "sealpy", "set", "--value-stdin", PROD_SECRET, '["stringData"]["DB_PASSWORD"]',
        env=prod, given=f'"{new_password}"',
    )  # fmt: skip
    rename = shlex.join([Path(sys.executable).name, str(HERE / "rename_key.py"), "SMTP_PASSWORD", "MAIL_PASSWORD"])
    run("sealpy", "edit", "k8s/gitops/prod/service2/secrets.yaml", env={**prod, "SOPS_EDITOR": rename})
    colleague = new_key("colleague")
    write_rules({**{name: [key] for name, key in recipients.items()}, "prod": [recipients["prod"], colleague]})
    run("sealpy", "updatekeys", "--yes", "--recursive", "k8s/gitops/prod", env=prod)
    git("commit", "--all", "--quiet", "--message", "Rotate the database password; let a colleague in")

    say("A reviewer with the prod key sees what really changes, in plaintext, on her own machine.")
    run("sealpy", "diff", "main...rotate-database-password", "--reveal", env=prod)

    say("A reviewer with the dev key only sees the structure, and whom to ask.")
    run("sealpy", "diff", "main...rotate-database-password", "--reveal", env=with_key("dev"))

    say("Without any key it is the same: who may read, and which keys changed.")
    run("sealpy", "diff", "main...rotate-database-password")

    say("Approved and merged. The reconciler, which holds the prod key, turns the branch into running secrets.")
    git("checkout", "--quiet", "main")
    git("merge", "--quiet", "--no-ff", "--message", "Merge the new password", "rotate-database-password")
    reconcile(prod)
    served = RUNNING / "shop" / "secrets" / "service1-db"
    run("ls", str(served))
    expect(served / "DB_PASSWORD", new_password)

    say("Somebody changes a running secret by hand …")
    password = served / "DB_PASSWORD"
    tampered = password.resolve()
    tampered.chmod(0o600)
    tampered.write_text("planted-by-hand")
    print(f"  {password.relative_to(DEMO)} was overwritten")

    say("… and the next round puts it back.")
    reconcile(prod)
    expect(served / "DB_PASSWORD", new_password)

    say(f"Done. Look around in {DEMO.relative_to(Path.cwd()) if DEMO.is_relative_to(Path.cwd()) else DEMO}/.")


def say(line: str) -> None:
    """Say in one plain line what comes next."""
    print(f"\n— {line}", flush=True)


def run(*command: str, env: dict[str, str] | None = None, given: str | None = None) -> str:
    """Show a command, run it in the repository, show what it printed; stop the demo if it fails."""
    settings = "".join(f"{name}={shlex.quote(value)} " for name, value in (env or {}).items())
    remark = "   # the value comes on standard input" if given else ""
    print(f"  $ {settings}{shlex.join(command)}{remark}".replace(str(HERE.parent) + os.sep, ""), flush=True)
    done = subprocess.run(
        command, cwd=REPOSITORY, env={**CLEAN, **(env or {})}, input=given, text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    for line in done.stdout.splitlines():
        print(f"    {line}", flush=True)
    if done.returncode:
        sys.exit(f"the demo stops here: exit code {done.returncode}")
    return done.stdout


def git(*words: str) -> None:
    """Run git in the repository."""
    run("git", *words)


def new_key(name: str) -> str:
    """Make a key in a file of its own and return its recipient."""
    path = DEMO / "keys" / f"{name}.txt"
    path.parent.mkdir(mode=0o700, exist_ok=True)
    made = run("sealpy", "key", "new", "--output", str(path))
    return next(word for word in made.split() if word.startswith("age1"))


def with_key(name: str) -> dict[str, str]:
    """Return the environment of somebody who has this key."""
    return {"SOPS_AGE_KEY_FILE": str(DEMO / "keys" / f"{name}.txt")}


def write_rules(recipients: dict[str, list[str]]) -> None:
    """Write .sops.yaml: one rule for each environment."""
    lines = ["creation_rules:"]
    for environment, keys in recipients.items():
        lines += [
            f"  - path_regex: ^k8s/gitops/{environment}/",
            "    encrypted_regex: ^(data|stringData)$",
            "    age:",
            *[f"      - {key}" for key in keys],
        ]
    (REPOSITORY / ".sops.yaml").write_text("\n".join(lines) + "\n")


def reconcile(env: dict[str, str]) -> None:
    """Run one round of the reconciler for prod."""
    run(
        "sealpy", "reconcile", "--source", str(REPOSITORY), "--ref", "main", "--path", "k8s/gitops/prod",
        "--to", str(RUNNING), "--once", env=env,
    )  # fmt: skip


def expect(path: Path, content: str) -> None:
    """Check that a running secret is what was merged, and say so without showing it."""
    if path.read_text() != content:
        sys.exit(f"the demo stops here: {path.relative_to(DEMO)} is not what was merged")
    print(f"  {path.relative_to(DEMO)} holds the value that was merged")


if __name__ == "__main__":
    main()
