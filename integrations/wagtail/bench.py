#!/usr/bin/env python3
"""Pages per second through the endpoint, beside a script that does the same by hand with Wagtail's API.

    python3 bench.py [pages]          300 pages by default; Wagtail newest, PostgreSQL as run_tests.py finds it

Both sides write the same fields and publish, in one process, each page in a transaction of its own. They take turns,
fifty pages at a time, and who begins changes too: what slows the machine or a growing site slows both.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

BLOCK = 50
STEPS = ("create", "unchanged", "update")


def main(arguments: list[str]) -> None:
    """Without Django at hand starts itself again in the venv of the tests; with it, measures."""
    if os.environ.get("DJANGO_SETTINGS_MODULE"):
        measure(int(arguments[0]) if arguments else 300)
        return
    from run_tests import HERE, environment, postgres

    with postgres() as url:
        if url is None:
            sys.exit("No PostgreSQL was found: see run_tests.py.")
        env = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.site.settings", "SLUICE_TEST_DATABASE": url}
        subprocess.run([environment("newest"), __file__, *arguments], check=True, cwd=HERE, env=env)


def measure(pages: int) -> None:
    """Prints a table."""
    import django

    django.setup()
    import wagtail
    from django.test import Client
    from django.test.utils import setup_databases, setup_test_environment

    from tests.conftest import Sender, build_site

    setup_test_environment()
    setup_databases(verbosity=0, interactive=False)
    build_site()
    blocks = max(1, pages // BLOCK)
    hands = [by_hand(block) for block in range(blocks)]
    endpoints = [through_the_endpoint(Sender(Client()), block) for block in range(blocks)]
    print(f"Wagtail {wagtail.__version__}, PostgreSQL, {blocks * BLOCK} pages, pages/s")
    print(f"{'':<12}{'by hand':>10}{'endpoint':>10}{'ratio':>8}")
    for step in STEPS:
        hand = endpoint = 0.0
        for block in range(blocks):
            if block % 2:
                endpoint += timed(endpoints[block][step])
                hand += timed(hands[block][step])
            else:
                hand += timed(hands[block][step])
                endpoint += timed(endpoints[block][step])
        count = blocks * BLOCK
        print(f"{step:<12}{count / hand:>10.1f}{count / endpoint:>10.1f}{hand / endpoint:>8.2f}")


def timed(work: Callable[[], None]) -> float:
    """Seconds."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def by_hand(block: int) -> dict[str, Callable[[], None]]:
    """What a careful developer writes: one transaction per page, publish through a revision."""
    from django.db import transaction
    from wagtail.models import Page

    from tests.site.models import Area, District, OrganizationPage

    district, areas = District.objects.first(), list(Area.objects.all()[:2])
    ids: list[int] = []

    def create() -> None:
        for number in range(BLOCK):
            with transaction.atomic():
                parent = Page.objects.select_for_update().get(slug="archive")
                page = OrganizationPage(title=f"By hand {block} {number}", phone="1", address="Road", district=district)
                page.areas = areas
                parent.add_child(instance=page)
                page.save_revision().publish()
            ids.append(page.pk)

    def save(phone: str) -> None:
        for pk in ids:
            with transaction.atomic():
                page = OrganizationPage.objects.select_for_update(of=("self",)).get(pk=pk)
                page.phone = phone
                page.district = district
                page.areas = areas
                page.save_revision().publish()

    return {"create": create, "unchanged": lambda: save("1"), "update": lambda: save("2")}


def through_the_endpoint(sender: Any, block: int) -> dict[str, Callable[[], None]]:
    """One signed request for the block."""
    from tests.conftest import desired
    from tests.site.models import Area, District

    district = str(District.objects.first().pk)
    areas = [str(area.pk) for area in Area.objects.all()[:2]]

    def send(phone: str, expected: str) -> None:
        batch = [
            desired(
                f"{block}-{number}",
                title=f"Endpoint {block} {number}",
                fields={"phone": phone, "address": "Road"},
                references={"district": district},
                sets={"areas": areas},
            )
            for number in range(BLOCK)
        ]
        results = {result["result"] for result in sender.batch(*batch)}
        assert results == {expected}, results

    return {
        "create": lambda: send("1", "created"),
        "unchanged": lambda: send("1", "unchanged"),
        "update": lambda: send("2", "published"),
    }


if __name__ == "__main__":
    main(sys.argv[1:])
