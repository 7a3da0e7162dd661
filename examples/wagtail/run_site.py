#!/usr/bin/env python3
"""Makes and runs the Wagtail site of this example. Needs Python 3.11 and pip, nothing else.

    python3 run_site.py prepare       a venv, the packages, the database, the section; once, half a minute or so
    python3 run_site.py serve         prepares what is missing, prints where the site is, and serves until it is ended
    python3 run_site.py inspect       what Wagtail itself says of the pages, as JSON
    python3 run_site.py manage ...    Django's own commands

Options: --data FOLDER (default: .site beside this file) holds the database of SQLite and the secrets; --port NUMBER
(default: 8000; prepare and serve need the same one). DATABASE_URL makes it PostgreSQL. SLUICE_SECRET is the secret that
Sluice signs with; without it, one is made and stands in FOLDER/sluice_secret.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import fcntl
import hashlib
import os
import secrets
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
APP = HERE.parent.parent / "integrations" / "wagtail"


def main() -> int:
    """Runs one command and returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=("prepare", "serve", "inspect", "manage"))
    parser.add_argument("--data", type=Path, default=HERE / ".site")
    parser.add_argument("--port", type=int, default=8000)
    arguments, rest = parser.parse_known_args()
    python = environment()
    env = settings(arguments.data.resolve(), arguments.port)
    manage = [str(python), str(HERE / "manage.py")]
    if arguments.command == "manage":
        return subprocess.run([*manage, *rest], env=env).returncode
    if rest:
        parser.error(f"unknown: {' '.join(rest)}")
    if arguments.command == "inspect":
        return subprocess.run([*manage, "inspect_site"], env=env).returncode
    if not env.get("DATABASE_URL"):
        copy_tables(python, arguments.data.resolve() / "site.sqlite3", env)
    subprocess.run([*manage, "build_site"], env=env, check=True, stdout=subprocess.DEVNULL)
    if arguments.command == "serve":
        print(f"ready {env['SITE_URL']}/", flush=True)
        # This process becomes the server: a signal to it reaches Django.
        os.execve(
            python,
            [*manage, "runserver", "--noreload", "--skip-checks", "--insecure", f"127.0.0.1:{arguments.port}"],
            env,
        )
    return 0


def environment() -> Path:
    """The interpreter of the venv, made anew when the requirements change."""
    folder = HERE / ".venv"
    python = folder / "bin" / "python"
    mark = folder / "installed"
    wanted = digest(HERE / "requirements.txt", APP / "pyproject.toml")
    with one_at_a_time():
        if not mark.exists() or mark.read_text() != wanted:
            shutil.rmtree(folder, ignore_errors=True)
            venv.create(folder, with_pip=True)
            install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*install, "-r", "requirements.txt"], cwd=HERE, check=True, stdout=sys.stderr)
            mark.write_text(wanted)
    return python


def copy_tables(python: Path, database: Path, env: dict[str, str]) -> None:
    """A new database of SQLite begins as a copy of one with empty tables: Wagtail's migrations take far longer."""
    if database.exists():
        return
    migrations = sorted([*HERE.glob("*/migrations/*.py"), *APP.glob("*/migrations/*.py")])
    folder = HERE / ".venv" / f"tables-{digest(HERE / '.venv' / 'installed', *migrations)}"
    with one_at_a_time():
        if not folder.exists():
            making = folder.with_suffix(".making")
            shutil.rmtree(making, ignore_errors=True)
            making.mkdir()
            migrate = [python, HERE / "manage.py", "migrate", "--verbosity", "0"]
            subprocess.run(migrate, env=env | {"SITE_DATA": str(making)}, check=True, stdout=subprocess.DEVNULL)
            making.rename(folder)
    shutil.copy(folder / database.name, database)


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Two sites that start at once don't make the same thing twice."""
    folder = os.open(HERE, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def digest(*files: Path) -> str:
    """SHA-256 of the files' bytes."""
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def settings(data: Path, port: int) -> dict[str, str]:
    """The environment that mysite/settings.py reads."""
    data.mkdir(parents=True, exist_ok=True)
    sluice = os.environ.get("SLUICE_SECRET")
    return os.environ | {
        "SITE_DATA": str(data),
        "SITE_PORT": str(port),
        "SITE_URL": f"http://127.0.0.1:{port}",
        "SITE_KEY": kept(data / "site_key"),
        "EDITOR_PASSWORD": kept(data / "editor_password"),
        "SLUICE_SECRET": sluice or kept(data / "sluice_secret"),
    }


def kept(file: Path) -> str:
    """A secret made the first time, and kept in a file that only this user can read."""
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(base64.b64encode(secrets.token_bytes(32)).decode())
    return file.read_text()


if __name__ == "__main__":
    sys.exit(main())
