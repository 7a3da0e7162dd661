"""Carrying out a plan with Wagtail's own operations, so that tree, revisions, signals and indexes stay right."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from wagtail.log_actions import LogContext, log
from wagtail.models import Page

from . import tree
from .decide import Plan, Refused, Standing, conflict
from .models import PageRecord
from .owned import Write
from .wire import DesiredPage, FieldError, PageResult, ResultWord

LOG_ACTION = "sluice_wagtail.apply"


def perform(
    plan: Plan,
    desired: DesiredPage,
    model: Any,
    record: PageRecord,
    standing: Standing | None,
    parent: Any,
    writes: list[Write],
    user: Any,
) -> PageResult:
    """Applies the plan within the caller's transaction and sets the record's fields; saving it is the caller's.

    Raises Refused if the page can't be that way.
    """
    try:
        # Wagtail's move and unpublish check the rights of a user that they are given; the settings have decided here,
        # so they get none, and their log entries take the user from this context.
        with LogContext(user=user):
            if standing is None:
                return _create(plan, desired, model, record, parent, writes, user)
            if plan.action == "unpublish":
                return _unpublish(plan, desired, record, standing, user)
            return _update(plan, desired, record, standing, parent, writes, user)
    except ValidationError as error:
        page_id = None if standing is None else str(standing.page.pk)
        raise Refused(
            PageResult(
                "invalid",
                page_id=page_id,
                code="page_invalid",
                message="The page doesn't pass the site's own checks.",
                errors=_errors(error, writes),
            )
        ) from error


def _create(
    plan: Plan,
    desired: DesiredPage,
    model: Any,
    record: PageRecord,
    parent: Any,
    writes: list[Write],
    user: Any,
) -> PageResult:
    if not model.can_create_at(parent):
        raise invalid("/parent", _not_allowed(model, parent))
    page = model(live=False, owner=user)
    if desired.slug is None:
        page.slug = tree.free_slug(parent, desired.title, desired.key.external_id)
    else:
        _refuse_taken(parent, desired.slug, None)
    _write(page, writes)
    parent.add_child(instance=page)
    # Adding it has just checked the page.
    revision = page.save_revision(user=user, log_action=False, clean=False)
    if plan.publish:
        revision.publish(user=user, skip_permission_checks=True)
    record.page_id = page.pk
    record.revision_id = revision.pk
    url = page.get_full_url()
    changes = {write.owned.name: {"before": None, "after": write.shown} for write in writes}
    changes.setdefault("slug", {"before": None, "after": page.slug})
    result = PageResult(
        "created",
        page_id=str(page.pk),
        url=url,
        urls=[url] if plan.publish and url else [],
        changes=changes,
        drift=plan.drift or None,
    )
    _log(page, desired, result.result, user, revision)
    return result


def _unpublish(plan: Plan, desired: DesiredPage, record: PageRecord, standing: Standing, user: Any) -> PageResult:
    page = standing.page
    url = page.get_full_url()
    # Those that follow the page go with it.
    touched = [url, *tree.alias_urls(page)] if page.live else []
    if page.live:
        page.unpublish()
    for revision in standing.planned:
        # Taking a live page off has cancelled all schedules already.
        revision.approved_go_live_at = None
        revision.save(user=user, update_fields=["approved_go_live_at"])
    result = PageResult(
        "unpublished",
        page_id=str(page.pk),
        url=url,
        urls=[each for each in touched if each],
        changes=plan.changes,
        drift=plan.drift or None,
    )
    _log(page, desired, result.result, user, None)
    return result


def _update(
    plan: Plan,
    desired: DesiredPage,
    record: PageRecord,
    standing: Standing,
    parent: Any,
    writes: list[Write],
    user: Any,
) -> PageResult:
    page, editors = standing.page, standing.latest
    was_live = page.live
    new_slug = plan.changes.get("slug", {}).get("after")
    if plan.move or new_slug is not None:
        siblings_of = parent if plan.move else page.get_parent()
        _refuse_taken(siblings_of, page.slug if new_slug is None else new_slug, page.pk)
    other_urls = plan.move or (plan.publish and new_slug is not None)
    url = page.get_full_url()
    touched = [url] if was_live and url else []
    if other_urls:
        tree.lock_subtree(page)
        touched = tree.live_urls(page)
    if plan.move:
        page = _move(page, parent)
    revision = None
    if plan.write:
        base = page.with_content_json(editors.content) if plan.on_draft else page
        _write(base, writes)
        if plan.clear_dates:
            _clear_dates(base)
        revision = base.save_revision(
            user=user, log_action=False, clean=not (plan.publish and _publishing_checks(base))
        )
        if not (plan.on_draft and standing.editor_draft):
            record.revision_id = revision.pk
        if plan.publish:
            revision.publish(user=user, skip_permission_checks=True)
    result: ResultWord = "moved" if revision is None else "published" if plan.publish else "draft_saved"
    _log(page, desired, result, user, revision)
    if plan.rebase:
        _rebase(page, editors, writes)
    now = page if not other_urls else tree.page_model().objects.get(pk=page.pk).specific_deferred
    url = now.get_full_url()
    if other_urls:
        touched += tree.live_urls(now)
    elif plan.publish and url:
        touched.append(url)
    if plan.publish and plan.write:
        touched += tree.alias_urls(now)
    return PageResult(
        result,
        page_id=str(page.pk),
        url=url,
        urls=list(dict.fromkeys(touched)) if plan.publish or plan.move else [],
        changes=plan.changes,
        drift=plan.drift or None,
    )


def _move(page: Any, parent: Any) -> Any:
    if tree.is_below(parent, page):
        standing = Standing(page, None, PageRecord())
        raise conflict(
            "parent_cycle",
            standing,
            f"The page “{parent.title}” stands below the page that shall move there.",
            "/parent",
        )
    if not page.can_move_to(parent):
        raise invalid("/parent", _not_allowed(type(page), parent, page), page.pk)
    page.move(parent, pos="last-child")
    # treebeard changes the rows and not the objects in memory.
    return type(page).objects.get(pk=page.pk)


def _not_allowed(model: Any, parent: Any, page: Any = None) -> str:
    """Which of the site's rules keeps a new page, or the one that shall move, from standing under the parent."""
    label, under = model._meta.label, f"under “{parent.title}”"
    if not model.can_exist_under(parent):
        return f"The site allows no {label} {under}: see its parent_page_types and the parent's subpage_types."
    if page is not None and page.locale_id != parent.locale_id:
        return f"The page is in another language than “{parent.title}”, and a move doesn't translate it."
    if page is None and not model.is_creatable:
        return f"The site makes no {label}: its is_creatable is off."
    if page is None and model.max_count is not None and model.objects.count() >= model.max_count:
        return f"The site has {model.max_count} of {label} already, its max_count."
    return f"The site allows no more {label} {under}: max_count_per_parent is {model.max_count_per_parent}."


def _rebase(page: Any, editors: Any, writes: list[Write]) -> None:
    """Saves an editor's draft again, upon what is live now: the owned fields new, all else as the editor wrote it."""
    fresh = type(page).objects.get(pk=page.pk)
    draft = fresh.with_content_json(editors.content)
    _write(draft, writes)
    # A draft may be unfinished, so it isn't checked; the author and the date to go live stay the editor's.
    draft.save_revision(
        user=editors.user, approved_go_live_at=editors.approved_go_live_at, log_action=False, clean=False
    )


def _publishing_checks(page: Any) -> bool:
    """Whether publishing checks the page just as saving its revision would, so that once is enough.

    A site's own check may also change the page, and the revision has to hold what is live then.
    """
    checks = ("full_clean", "clean", "clean_fields")
    own = any(getattr(type(page), name) is not getattr(Page, name) for name in checks)
    return not own and bool(page.slug) and page.go_live_at is None


def _clear_dates(page: Any) -> None:
    now = timezone.now()
    if page.go_live_at is not None and page.go_live_at > now:
        page.go_live_at = None
    if page.expire_at is not None and page.expire_at <= now:
        page.expire_at = None


def _write(page: Any, writes: list[Write]) -> None:
    for write in writes:
        write.owned.write(page, write.value)


def _refuse_taken(parent: Any, slug: str, but: Any) -> None:
    other = tree.with_slug(parent, slug, but)
    if other is None:
        return
    ours = PageRecord.objects.filter(page_id=other.pk).first()
    whose = str(ours) if ours else "no integration's"
    raise Refused(
        PageResult(
            "conflict",
            page_id=None if but is None else str(but),
            code="slug_taken",
            message=f"Under “{parent.title}”, the page {other.pk} “{other.title}” ({whose}) has the slug '{slug}'.",
            errors=[FieldError("/slug", f"'{slug}' is taken")],
        )
    )


def invalid(path: str, message: str, page_id: Any = None) -> Refused:
    """A refusal because the desired page can't be one of this site's."""
    return Refused(
        PageResult(
            "invalid",
            page_id=None if page_id is None else str(page_id),
            code="page_invalid",
            message=message,
            errors=[FieldError(path, message)],
        )
    )


def _log(page: Any, desired: DesiredPage, result: str, user: Any, revision: Any) -> None:
    log(
        instance=page,
        action=LOG_ACTION,
        user=user,
        revision=revision,
        data={**desired.key.to_json(), "key": desired.message, "result": result},
    )


def _errors(error: ValidationError, writes: list[Write]) -> list[FieldError]:
    paths = {write.owned.name: write.path for write in writes}
    if not hasattr(error, "error_dict"):
        return [FieldError("", message) for message in error.messages]
    return [
        FieldError("" if name == "__all__" else paths.get(name, f"/fields/{name}"), message)
        for name, messages in error.message_dict.items()
        for message in messages
    ]
