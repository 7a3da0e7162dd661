"""What has to be done so that a page is as it is desired. Reads, never writes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone
from wagtail.models import Revision

from . import tree
from .models import PageRecord
from .owned import Write, differences
from .wire import DesiredPage, ErrorCode, FieldError, PageResult, Policy

#: Parts of a revision that belong to the page as a whole and not to what an editor wrote.
HOUSEKEEPING = frozenset(
    {
        "pk",
        "path",
        "depth",
        "numchild",
        "url_path",
        "content_type",
        "live",
        "has_unpublished_changes",
        "latest_revision",
        "live_revision",
        "latest_revision_created_at",
        "first_published_at",
        "last_published_at",
        "draft_title",
        "locked",
        "locked_at",
        "locked_by",
        "owner",
        "expired",
        "translation_key",
        "locale",
        "alias_of",
        "wagtail_admin_comments",
    }
)

DELETED = "an editor deleted the page"
TAKEN_OFF = "an editor took the page off"
EXPIRED = "the page passed the expiry date that an editor set"
MOVED = "an editor moved the page"
PUT_BACK = "an editor published the page again"
SCHEDULED = "an editor scheduled the page to be published again"


class Refused(Exception):
    """The page can't be applied: nothing is written, the result says why."""

    def __init__(self, result: PageResult) -> None:
        super().__init__(result.message)
        self.result = result


@dataclass
class Standing:
    """A page as it stands now, and what is remembered of it."""

    page: Any
    parent_id: Any
    record: PageRecord

    @cached_property
    def latest(self) -> Any:
        """The newest revision if it isn't what the page's row holds, else None."""
        if not self.page.has_unpublished_changes or self.page.latest_revision_id is None:
            return None
        return Revision.objects.filter(pk=self.page.latest_revision_id).first()

    @cached_property
    def draft(self) -> Any:
        """The page as its newest draft has it; without a draft, the page's row."""
        return self.page if self.latest is None else self.page.with_content_json(self.latest.content)

    @cached_property
    def editor_draft(self) -> bool:
        """Whether a draft stands that an editor wrote. Taking a page off leaves none: the text is the same."""
        if self.latest is None or self.latest.pk == self.record.revision_id:
            return False
        return _content(self.draft) != _content(self.page)

    @property
    def planned(self) -> Any:
        """The revisions that an editor scheduled."""
        return self.page.revisions.filter(approved_go_live_at__isnull=False)

    @property
    def with_editors(self) -> bool:
        """Whether something of an editor's stands on the page that a writer has to respect."""
        return bool(self.page.locked or self.editor_draft or self.scheduled or self.page.workflow_in_progress)

    @property
    def scheduled(self) -> datetime | None:
        """When the page itself is to go live, if an editor set a date that hasn't come."""
        at = self.page.go_live_at
        return at if at is not None and at > timezone.now() else None


@dataclass
class Plan:
    """What to do. ``create``, ``update`` and ``unpublish`` change the page; ``nothing`` doesn't."""

    action: str
    #: The owned fields become live; else they are saved as a draft.
    publish: bool = False
    #: A revision is written; else the page is only moved.
    write: bool = False
    #: Write upon the standing draft instead of upon the page's row.
    on_draft: bool = False
    #: After publishing, an editor's draft is saved again with the owned fields in it.
    rebase: bool = False
    #: Dates that an editor set and that would undo what is desired are emptied.
    clear_dates: bool = False
    move: bool = False
    changes: dict[str, dict[str, Any]] = field(default_factory=dict)
    drift: list[str] = field(default_factory=list)


def decide(
    desired: DesiredPage,
    policy: Policy,
    record: PageRecord | None,
    standing: Standing | None,
    wanted_parent_id: Any,
    writes: list[Write],
) -> Plan:
    """The plan for one page. Raises Refused: superseded or conflict."""
    _refuse_older(desired, record)
    if standing is None:
        return _without_page(desired, policy, record)
    _refuse_foreign(desired, standing)
    if desired.state == "unpublished":
        return _off(policy, standing)
    drift: list[str] = []
    move = _wants_move(desired, policy, standing, wanted_parent_id, drift)
    publish = desired.state == "published"
    undo_off = False
    if publish and not standing.page.live and standing.record.state == "published":
        drift.append(EXPIRED if standing.page.expired else TAKEN_OFF)
        undo_off = policy.drift == "undo"
        publish = undo_off
    plan = _publication(standing, writes) if publish else _draft(policy, standing, writes)
    plan.drift = drift
    plan.move = move
    if move:
        plan.action = "update"
        plan.changes["parent"] = {"before": str(standing.parent_id), "after": str(wanted_parent_id)}
    if plan.action == "update":
        plan.clear_dates = publish and (undo_off or policy.editor_draft == "overwrite")
        _respect_editors(policy, standing, plan)
    return plan


def _refuse_older(desired: DesiredPage, record: PageRecord | None) -> None:
    if desired.version is None or record is None:
        return
    applied = record.draft_version if desired.state == "draft" else record.live_version
    if desired.version < applied:
        raise Refused(PageResult("superseded", page_id=None if record.page_id is None else str(record.page_id)))


def _without_page(desired: DesiredPage, policy: Policy, record: PageRecord | None) -> Plan:
    deleted = record is not None and record.state != ""
    # A page that the master system had taken off, and an editor then cleared away, may come again.
    by_editor = deleted and record is not None and record.state != "unpublished"
    drift = [DELETED] if by_editor else []
    if desired.state == "unpublished":
        return Plan("nothing", drift=drift)
    if by_editor and policy.drift == "tell":
        raise Refused(
            PageResult(
                "conflict",
                code="page_trashed",
                message="An editor deleted this page. It is made anew only with the policy drift 'undo'.",
                drift=drift,
            )
        )
    return Plan("create", publish=desired.state == "published", write=True, drift=drift)


def _refuse_foreign(desired: DesiredPage, standing: Standing) -> None:
    label = standing.page._meta.label
    if label != desired.type:
        raise conflict(
            "not_ours",
            standing,
            f"The page is a {label}, and a page's type can't be changed to {desired.type}.",
        )
    if standing.page.alias_of_id is not None:
        raise conflict("not_ours", standing, "The page is an alias of another page, and follows that one.")


def _off(policy: Policy, standing: Standing) -> Plan:
    again = standing.record.state == "unpublished"
    changes: dict[str, dict[str, Any]]
    if standing.page.live:
        changes, word = {"live": {"before": True, "after": False}}, PUT_BACK
    else:
        at = standing.planned.order_by("approved_go_live_at").values_list("approved_go_live_at", flat=True).first()
        if at is None:
            return Plan("nothing")
        # It would come back by itself.
        changes, word = {"scheduled": {"before": at, "after": None}}, SCHEDULED
    if again and policy.drift == "tell":
        return Plan("nothing", drift=[word])
    return Plan("unpublish", changes=changes, drift=[word] if again else [])


def _wants_move(
    desired: DesiredPage, policy: Policy, standing: Standing, wanted_parent_id: Any, drift: list[str]
) -> bool:
    if wanted_parent_id is None or standing.parent_id == wanted_parent_id:
        return False
    if standing.record.parent_id == str(wanted_parent_id):
        drift.append(MOVED)
        if policy.drift == "tell":
            return False
    # A draft changes nothing that visitors see, and the place in the tree is the URL of all that is live below.
    return desired.state == "published" or not (standing.page.live or tree.has_live_below(standing.page))


def _publication(standing: Standing, writes: list[Write]) -> Plan:
    """Starts from the row, never from the newest revision: that would make an editor's draft live."""
    changes = differences(standing.page, writes)
    if not standing.page.live:
        changes["live"] = {"before": False, "after": True}
    return Plan("update" if changes else "nothing", publish=True, write=bool(changes), changes=changes)


def _draft(policy: Policy, standing: Standing, writes: list[Write]) -> Plan:
    changes = differences(standing.draft, writes)
    on_draft = standing.latest is not None and not (standing.editor_draft and policy.editor_draft == "overwrite")
    return Plan("update" if changes else "nothing", write=bool(changes), on_draft=on_draft, changes=changes)


def _respect_editors(policy: Policy, standing: Standing, plan: Plan) -> None:
    if policy.editor_draft == "overwrite":
        return
    page, publishes = standing.page, plan.publish and plan.write
    if page.locked:
        raise conflict("editor_draft", standing, "An editor locked the page.")
    if publishes and standing.scheduled and not plan.clear_dates:
        at = standing.scheduled.isoformat()
        raise conflict("editor_draft", standing, f"An editor scheduled the page for {at}.")
    if plan.write and page.workflow_in_progress:
        # Publishing would end that, and who moderates would decide upon something else than stands there then.
        raise conflict("editor_draft", standing, "The page is in moderation.")
    if standing.latest is None:
        return
    if standing.editor_draft and policy.editor_draft == "conflict":
        raise conflict("editor_draft", standing, "An editor's draft that isn't published yet stands on the page.")
    if not publishes:
        return
    plan.rebase = standing.editor_draft
    # Publishing cancels every schedule; only that of the draft that is saved again stays.
    if standing.planned.exclude(pk=standing.latest.pk if plan.rebase else None).exists():
        raise conflict("editor_draft", standing, "An editor scheduled a draft, and publishing would cancel that.")


def conflict(code: ErrorCode, standing: Standing | None, message: str, path: str | None = None) -> Refused:
    """A refusal that a person, or time, has to settle."""
    page = None if standing is None else standing.page
    return Refused(
        PageResult(
            "conflict",
            page_id=None if page is None else str(page.pk),
            url=None if page is None else page.get_full_url(),
            code=code,
            message=message,
            errors=[] if path is None else [FieldError(path, message)],
        )
    )


def _content(page: Any) -> Any:
    """What an editor wrote of a page, in one form, whichever version of the model stored it."""
    plain = json.loads(json.dumps(page.serializable_data(), cls=DjangoJSONEncoder))
    return {name: _rows(value) for name, value in plain.items() if name not in HOUSEKEEPING}


def _rows(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    if all(isinstance(row, dict) for row in value):
        return [{name: part for name, part in row.items() if name != "pk"} for row in value]
    # The keys of a many-to-many relation.
    return sorted(value, key=str)
