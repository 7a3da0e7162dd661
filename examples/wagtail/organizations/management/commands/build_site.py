"""`manage.py build_site`: tables, a section, districts, areas and an editor. Running it again changes nothing."""

import os
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import transaction
from wagtail.models import Page, Site

from organizations.models import Area, District, SectionPage


class Command(BaseCommand):
    """See above."""

    help = __doc__

    def handle(self, **_: Any) -> None:
        """Called by Django."""
        # Here and not by itself, since most of what a command takes is the start of Django.
        call_command("migrate", verbosity=0)
        self.build()

    @transaction.atomic
    def build(self) -> None:
        """What stands in the tables."""
        root = Page.objects.get(depth=1)
        home = SectionPage.objects.filter(slug="home").first()
        if home is None:
            # Wagtail's migrations leave a page "home" that says welcome.
            root.get_children().delete()
            root = Page.objects.get(depth=1)
            home = root.add_child(instance=SectionPage(title="Home", slug="home"))
            home.add_child(instance=SectionPage(title="Organizations", slug="organizations"))
        Site.objects.all().delete()
        Site.objects.create(
            hostname="127.0.0.1", port=int(os.environ["SITE_PORT"]), root_page=home, is_default_site=True
        )
        for number in range(1, 6):
            District.objects.get_or_create(ms_id=str(number), defaults={"title": f"District {number}"})
        for number in range(1, 21):
            Area.objects.get_or_create(ms_id=str(number), defaults={"title": f"Area {number}"})
        users = get_user_model().objects
        if not users.filter(username="editor").exists():
            users.create_superuser("editor", "editor@example.org", os.environ["EDITOR_PASSWORD"])
