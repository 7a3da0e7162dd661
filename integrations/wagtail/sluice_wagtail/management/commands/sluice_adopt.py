"""`manage.py sluice_adopt organization 17 61`: the page 61 stands for object 17 from now on.

For pages that were there before the integration. The next message makes the page as it is desired; until then nothing
changes on it.
"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from ... import tree
from ...conf import configuration
from ...models import PageRecord


class Command(BaseCommand):
    """See above."""

    help = "Makes a page that is there already stand for an object of an integration."

    def add_arguments(self, parser: CommandParser) -> None:
        """Called by Django."""
        parser.add_argument("integration")
        parser.add_argument("external_id")
        parser.add_argument("page_id")

    @transaction.atomic
    def handle(self, *_: Any, integration: str, external_id: str, page_id: str, **__: Any) -> None:
        """Called by Django."""
        rules = configuration().integrations.get(integration)
        if rules is None:
            raise CommandError(f"The settings know no integration '{integration}'.")
        try:
            page = tree.locked([page_id]).get(tree.page_model()._meta.pk.to_python(page_id))
        except ValueError as error:
            raise CommandError(f"'{page_id}' is no id of a page.") from error
        if page is None:
            raise CommandError(f"There is no page {page_id}.")
        label = page.specific_class._meta.label
        if label not in rules.types:
            raise CommandError(f"The settings don't let '{integration}' write {label}.")
        if other := PageRecord.objects.filter(page_id=page.pk).first():
            raise CommandError(f"The page {page_id} stands for {other} already.")
        record, _new = PageRecord.objects.get_or_create(integration=integration, external_id=external_id)
        if record.page_id is not None:
            raise CommandError(f"{record} has the page {record.page_id} already.")
        record.page_id = page.pk
        record.state = "published" if page.live else "draft"
        record.parent_id = str(tree.parent_id(page))
        # An editor's draft that stands on it stays the editor's.
        record.revision_id = None if page.has_unpublished_changes else page.latest_revision_id
        record.save()
        self.stdout.write(f"{record} is the page {page.pk} “{page.title}”.")
