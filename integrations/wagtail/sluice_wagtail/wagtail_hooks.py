"""How the page's history in Wagtail's admin words what an integration did."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.log_actions import LogFormatter

from .perform import LOG_ACTION

DONE = {
    "created": _("created the page"),
    "published": _("published the page"),
    "draft_saved": _("saved a draft"),
    "unpublished": _("took the page off"),
    "moved": _("moved the page"),
}


@hooks.register("register_log_actions")
def register_log_actions(actions: Any) -> None:
    """Called by Wagtail."""

    @actions.register_action(LOG_ACTION)
    class ApplyFormatter(LogFormatter):
        """Names the integration, the external ID and the message."""

        label = _("Applied by an integration")

        def format_message(self, log_entry: Any) -> str:
            """One sentence for the history."""
            data = log_entry.data
            return _("Integration “%(integration)s” %(done)s: external ID %(external_id)s, message %(key)s") % {
                "integration": data.get("integration"),
                "done": DONE.get(data.get("result"), data.get("result")),
                "external_id": data.get("externalId"),
                "key": data.get("key"),
            }
