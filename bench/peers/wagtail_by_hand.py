"""What a careful script does with Wagtail's own API: for a page ``add_child`` or a change, ``save_revision`` and ``publish``.

Each page is a transaction. The script keeps the ids of what it has made and the site's districts and areas in memory, but
asks for the parent, as treebeard wants it, and for the page to be changed. Argument: a folder. DATABASE_URL is the
database. One JSON line in, one out, on file 3; see ../pages.ts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "wagtail"


def prepare(folder: str) -> None:
    """Makes the site of the example, and starts this script again in its venv."""
    sys.path.insert(0, str(EXAMPLE))
    from run_site import environment, settings

    command = [sys.executable, EXAMPLE / "run_site.py", "prepare", "--data", folder]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    env = settings(Path(folder), 8000) | {"DJANGO_SETTINGS_MODULE": "mysite.settings", "PYTHONPATH": str(EXAMPLE)}
    python = str(environment())
    os.execve(python, [python, __file__, folder], env)


def serve() -> None:
    """Does what the lines say."""
    import django

    django.setup()
    hand = ByHand()
    say({"ready": True})
    for line in sys.stdin:
        asked = json.loads(line)
        if asked["do"] == "list":
            say({"pages": hand.list()})
            continue
        start = time.perf_counter()
        for wanted in asked["objects"]:
            hand.create(wanted) if asked["do"] == "create" else hand.save(wanted)
        say({"seconds": time.perf_counter() - start})


class ByHand:
    """The site."""

    def __init__(self) -> None:
        from organizations.models import Area, District
        from wagtail.models import Page

        self.districts = {district.ms_id: district for district in District.objects.all()}
        self.areas = {area.ms_id: area for area in Area.objects.all()}
        self.top = Page.objects.get(slug="organizations").pk
        self.ids: dict[str, int] = {}

    def create(self, wanted: dict[str, Any]) -> None:
        """A new page, live."""
        from django.db import transaction
        from organizations.models import OrganizationPage
        from wagtail.models import Page

        above = wanted["parent_ms_id"]
        with transaction.atomic():
            parent = Page.objects.get(pk=self.top if above is None else self.ids[above])
            page = OrganizationPage()
            self._fill(page, wanted)
            parent.add_child(instance=page)
            page.save_revision().publish()
        self.ids[wanted["ms_id"]] = page.pk

    def save(self, wanted: dict[str, Any]) -> None:
        """A page that is there, live with these values, whatever it had before."""
        from django.db import transaction
        from organizations.models import OrganizationPage

        with transaction.atomic():
            page = OrganizationPage.objects.get(pk=self.ids[wanted["ms_id"]])
            self._fill(page, wanted)
            page.save_revision().publish()

    def _fill(self, page: Any, wanted: dict[str, Any]) -> None:
        page.title = wanted["title"]
        page.phone = wanted["phone"]
        page.address = wanted["address"]
        page.district = self.districts[wanted["district_ms_id"]]
        page.areas = [self.areas[each] for each in wanted["area_ms_id_list"]]

    def list(self) -> list[dict[str, Any]]:
        """All pages as they are."""
        from organizations.models import OrganizationPage

        found = []
        for page in OrganizationPage.objects.all():
            parent = page.get_parent()
            found.append(
                {
                    "title": page.title,
                    "slug": page.slug,
                    "parent": None if parent.pk == self.top else parent.title,
                    "phone": page.phone,
                    "areas": sorted(area.ms_id for area in page.areas.all()),
                    "live": page.live,
                    "revisions": page.revisions.count(),
                }
            )
        return found


def say(value: Any) -> None:
    """One line."""
    os.write(3, f"{json.dumps(value)}\n".encode())


if __name__ == "__main__":
    if os.environ.get("DJANGO_SETTINGS_MODULE"):
        serve()
    else:
        prepare(sys.argv[1])
