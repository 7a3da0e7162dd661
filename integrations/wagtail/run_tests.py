#!/usr/bin/env python3
"""Installs the app beside Wagtail 5.2 and the newest Wagtail, each in a venv of its own, and runs all tests.

    python3 run_tests.py              both, on SQLite and, where there is one, on PostgreSQL (of 5.2 only what needs it)
    python3 run_tests.py 5.2          one of them: 5.2 or newest
    python3 run_tests.py --lint       ruff and mypy, too

PostgreSQL is the URL in SLUICE_TEST_DATABASE, else the binaries that `npm install` put into this repository, else what
stands on the PATH. Without any, the tests that need it are skipped, and the closing line says how many.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
WAGTAILS = {"5.2": "wagtail>=5.2,<5.3", "newest": "wagtail"}
NOBODY = 65534


def main(arguments: list[str]) -> int:
    """Runs what is asked for and returns the exit code."""
    versions = [name for name in arguments if name in WAGTAILS] or list(WAGTAILS)
    unknown = set(arguments) - set(WAGTAILS) - {"--lint"}
    if unknown:
        print(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(WAGTAILS)}, --lint")
        return 2
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    with postgres() as url:
        if url is None:
            print("No PostgreSQL: the tests that need it are skipped.")
        for version in versions:
            python = environment(version)
            if "--lint" in arguments and version == "newest":
                counts["failed"] += lint(python)
            for name, database in (("SQLite", None), ("PostgreSQL", url)):
                if name == "PostgreSQL" and database is None:
                    continue
                print(f"\nWagtail {version} on {name}", flush=True)
                several = ["tests/test_concurrency.py", "tests/test_database.py"]
                if database is None:
                    only = [f"--ignore={name}" for name in several] if url else []
                else:
                    only = [] if version == "newest" else several
                for word, number in run(python, database, only).items():
                    counts[word] += number
    if file := os.environ.get("SLUICE_TEST_COUNTS"):
        # npm test adds up all runs.
        with open(file, "a") as counted:
            counted.write(json.dumps(counts) + "\n")
    else:
        print(f"\n{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if counts["failed"] or not counts["passed"] else 0


def environment(version: str) -> Path:
    """The interpreter of a venv with the app, its test tools and this Wagtail; made anew when what it needs changes."""
    folder = HERE / f".venv-{version}"
    python = folder / "bin" / "python"
    wanted = hashlib.sha256((HERE / "pyproject.toml").read_bytes() + WAGTAILS[version].encode()).hexdigest()
    mark = folder / "installed"
    if not mark.exists() or mark.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, with_pip=True)
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, WAGTAILS[version], "-e", f"{HERE}[test,lint]"], check=True)
        mark.write_text(wanted)
    return python


def run(python: Path, database: str | None, only: list[str]) -> dict[str, int]:
    """One run of pytest, and how many tests passed, failed and were skipped."""
    env = {name: value for name, value in os.environ.items() if name != "SLUICE_TEST_DATABASE"}
    if database is not None:
        env["SLUICE_TEST_DATABASE"] = database
    command = [python, "-m", "pytest", "-q", "--no-header", "-W", "ignore", "-p", "no:cacheprovider", *only]
    done = subprocess.run(command, cwd=HERE, env=env, stdout=subprocess.PIPE, text=True)
    print(done.stdout, end="", flush=True)
    last = done.stdout.strip().splitlines()[-1:] or [""]
    found = {word: int(number) for number, word in re.findall(r"(\d+) (passed|failed|error|skipped)", last[0])}
    failed = found.get("failed", 0) + found.get("error", 0)
    if done.returncode != 0:
        failed = max(failed, 1)
    return {"passed": found.get("passed", 0), "failed": failed, "skipped": found.get("skipped", 0)}


def lint(python: Path) -> int:
    """How many of the linters complain."""
    commands = (["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"])
    return sum(subprocess.run([python, "-m", *command], cwd=HERE).returncode != 0 for command in commands)


@contextlib.contextmanager
def postgres() -> Iterator[str | None]:
    """The URL of a PostgreSQL server with nothing in it, or None."""
    if url := os.environ.get("SLUICE_TEST_DATABASE"):
        yield url
        return
    source = binaries()
    if source is None:
        yield None
        return
    # The server refuses to run as root: another user has to reach program and data, and may not reach this folder.
    as_user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    with tempfile.TemporaryDirectory(prefix="sluice-wagtail-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        programs = reachable(source, folder) / "bin"
        data = folder / "data"
        data.mkdir(mode=0o700)
        if as_user:
            os.chown(data, NOBODY, NOBODY)
        initdb = [programs / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C"]
        subprocess.run([*initdb, "--no-sync"], check=True, stdout=subprocess.DEVNULL, cwd=folder, **as_user)
        port = free_port()
        settings = ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off"]
        with open(folder / "log", "wb") as log:
            command = [programs / "postgres", "-D", data, "-p", str(port), *settings]
            server = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, **as_user)
        try:
            until_open(port, server, folder / "log")
            yield f"postgres://postgres@127.0.0.1:{port}/sluice_wagtail"
        finally:
            server.send_signal(2)
            server.wait(30)


def binaries() -> Path | None:
    """The folder that holds ``bin/postgres``."""
    from_npm = HERE.parent.parent / "node_modules" / "postgres-18" / "native"
    if from_npm.exists():
        return from_npm
    installed = [Path(path) for path in (shutil.which("postgres"),) if path]
    installed += sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), reverse=True)
    return installed[0].resolve().parent.parent if installed else None


def reachable(source: Path, folder: Path) -> Path:
    """A copy of npm's binaries where another user can reach them, with the links that npm leaves out."""
    links = source / "pg-symlinks.json"
    if not links.exists():
        return source
    copy = folder / "postgres"
    shutil.copytree(source, copy, symlinks=True)
    copy.chmod(0o755)
    for link in json.loads(links.read_text()):
        path = copy / re.sub(r"^native/", "", link["target"])
        if not path.exists():
            path.symlink_to(Path(link["source"]).name)
    for program in ("initdb", "postgres"):
        (copy / "bin" / program).chmod(0o755)
    return copy


def free_port() -> int:
    """A port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until_open(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    """Waits until the server takes connections; half a minute at most."""
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()}") from None
            time.sleep(0.1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
