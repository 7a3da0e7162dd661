"""A batch of desired pages: what is unchanged goes fast, the rest one by one, parents first."""

from __future__ import annotations

import logging
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import DatabaseError, Error, IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import Q

from . import tree
from .conf import Configuration, IntegrationRules, TypeRules, configuration
from .decide import Plan, Refused, Standing, conflict, decide
from .levels import by_level
from .models import PageRecord
from .owned import NotOwnable, Targets, UnknownTarget, Write, differ_plainly, writes_of
from .perform import invalid, perform
from .wire import DesiredPage, FieldError, Key, PageResult, Place, Policy

logger = logging.getLogger(__name__)

#: How often a page is tried again after the database ended its transaction for the sake of another one.
TRIES = 8

T = TypeVar("T")


def apply(pages: Sequence[DesiredPage], policy: Policy) -> list[PageResult]:
    """Applies the pages, each in a transaction of its own, and returns their results in the order of the request.

    Raises a database error that is no page's fault: the database is away, say. What was committed before stays, and the
    same request may come again.
    """
    batch = _Batch(policy, configuration())
    results: dict[int, PageResult] = batch.unchanged(pages)
    levels, cyclic = by_level(pages)
    for index in cyclic - results.keys():
        message = "The parents of this batch go round in a circle, so that none of them can come first."
        results[index] = conflict("parent_cycle", None, message, "/parent").result
    for index in levels:
        if index not in results:
            results[index] = batch.one(pages[index])
    return [results[index] for index in range(len(pages))]


class _Batch:
    """What the pages of one request share."""

    def __init__(self, policy: Policy, config: Configuration) -> None:
        self.policy = policy
        self.config = config
        self._places: dict[str, Any] = {}
        self._users: dict[str, Any] = {}
        self._targets = Targets()
        #: Objects that had no record when the batch began.
        self._new: set[Key] = set()
        #: The result of the page in hand, once its transaction is committed.
        self._committed: PageResult | None = None

    def one(self, desired: DesiredPage) -> PageResult:
        """One page under its locks. A failure that isn't the database's own harms this page only."""
        self._committed = None
        try:
            try:
                return _again(lambda: self._locked(desired))
            except (IntegrityError, Refused) as error:
                if not _dangling(error):
                    raise
                # What the page refers to may have gone since the batch began: then that is to be told.
                self._targets = Targets()
                return _again(lambda: self._locked(desired))
        except Refused as refused:
            return refused.result
        except Exception as error:
            if _of_surroundings(error):
                raise
            if self._committed is not None:
                # Wagtail tells of a new slug after the commit, and the site may do so with other things.
                logger.exception("sluice_wagtail: %s is applied, but what comes after failed", desired.key)
                return self._committed
            # Signal receivers, overridden save methods and constraints of the site run in here.
            logger.exception("sluice_wagtail: %s failed", desired.key)
            kind = "database refused the page" if isinstance(error, DatabaseError) else "code of the site failed"
            return invalid("", f"The {kind}: {type(error).__name__}: {error}").result

    def unchanged(self, pages: Sequence[DesiredPage]) -> dict[int, PageResult]:
        """Those that need no change at all, found with a few queries for the whole batch and without locks."""
        often = Counter(page.key for page in pages)
        single = {index: page for index, page in enumerate(pages) if often[page.key] == 1}
        single_keys = {page.key for page in single.values()}
        records = records_of(single_keys | _parent_keys(single.values()))
        self._new = single_keys - records.keys()
        ids = [record.page_id for key, record in records.items() if record.page_id is not None and key in often]
        stand = {page.pk: page for page in tree.page_model().objects.filter(pk__in=ids).specific()}
        parents = tree.parent_ids(stand.values())
        results: dict[int, PageResult] = {}
        raised: list[tuple[PageRecord, str, str]] = []
        for index, desired in single.items():
            record = records.get(desired.key)
            page = None if record is None else stand.get(record.page_id)
            if record is None or page is None:
                continue
            standing = Standing(page, parents[page.pk], record)
            try:
                parent = self._parent_id(desired, records)
                writes = self._writes(desired, standing)[1]
                if desired.state == "published" and differ_plainly(page, writes):
                    continue
                plan = decide(desired, self.policy, record, standing, parent, writes)
            except Refused as refused:
                if refused.result.result == "superseded":
                    results[index] = refused.result
                continue
            except Exception as error:
                if _of_surroundings(error):
                    raise
                # The page comes again under its locks, where its failure is told and harms it alone.
                continue
            if plan.action != "nothing" or _outdated(record, desired, standing, parent):
                continue
            results[index] = _unchanged(desired, record, page, plan)
            if desired.version is not None:
                column = _version_column(desired)
                if getattr(record, column) < desired.version:
                    raised.append((record, column, desired.version))
        with transaction.atomic():
            for record, column, version in sorted(raised, key=lambda item: item[0].pk):
                older = PageRecord.objects.filter(pk=record.pk, **{f"{column}__lt": version})
                older.update(**{column: version})
        return results

    @transaction.atomic
    def _locked(self, desired: DesiredPage) -> PageResult:
        done: list[PageResult] = []
        # First of all that waits for the commit.
        transaction.on_commit(lambda: setattr(self, "_committed", done[0]))
        record = _locked_record(desired.key, desired.key in self._new)
        wanted = self._parent_id(desired, records_of(_parent_keys([desired])))
        row, current, parent = tree.lock_family(record.page_id, wanted)
        if wanted is not None and parent is None:
            raise _waiting(desired)
        standing = None if row is None else Standing(row.specific, current, record)
        model, writes = self._writes(desired, standing)
        plan = decide(desired, self.policy, record, standing, wanted, writes)
        if plan.action == "nothing":
            page = None if standing is None else standing.page
            result = _unchanged(desired, record, page, plan)
            if record.state == "" and desired.version is None:
                # Taken off before it ever came: there is nothing to remember.
                raise Refused(result)
        else:
            user = self._user(desired.key.integration)
            result = perform(plan, desired, model, record, standing, parent, writes, user)
            record.key, record.result, record.hash = desired.message, result.to_json(), desired.hash()
        if _new_state(record, desired):
            record.state = desired.state
        if plan.action == "create" or plan.move or (standing is not None and standing.parent_id == wanted):
            record.parent_id = str(wanted)
        if desired.version is not None:
            setattr(record, _version_column(desired), desired.version)
        record.save()
        done.append(result)
        return result

    def _writes(self, desired: DesiredPage, standing: Standing | None) -> tuple[Any, list[Write]]:
        """The page's type, and what is to stand in its fields: nothing for a page to be taken off."""
        model, rules = self._type(desired)
        if desired.state == "unpublished":
            return model, []
        page_id = None if standing is None else str(standing.page.pk)
        try:
            writes, errors = writes_of(desired, model, rules, self._targets)
        except UnknownTarget as unknown:
            result = PageResult("invalid", page_id=page_id, code="missing_reference", errors=unknown.errors)
            result.message = "The page refers to something that the site doesn't have."
            raise Refused(result) from unknown
        except NotOwnable as error:
            raise invalid("/type", f"The settings of this site are wrong: {error}") from error
        if errors:
            result = PageResult("invalid", page_id=page_id, code="page_invalid", errors=errors)
            result.message = "The page has values that its fields don't take."
            raise Refused(result)
        return model, writes

    def _type(self, desired: DesiredPage) -> tuple[Any, TypeRules]:
        integration = self.config.integrations.get(desired.key.integration)
        if integration is None:
            name = desired.key.integration
            raise invalid("/integration", f"The settings of this site know no integration '{name}'.")
        rules = integration.types.get(desired.type)
        if rules is None:
            raise invalid("/type", f"The settings of this site don't let '{integration.name}' write {desired.type}.")
        return apps.get_model(desired.type), rules

    def _parent_id(self, desired: DesiredPage, records: dict[Key, PageRecord]) -> Any:
        """The page that shall be the parent; None for a page to be taken off, which stays where it is."""
        if desired.state == "unpublished" or desired.parent is None:
            return None
        if isinstance(desired.parent, Place):
            return self._place(desired.parent.name)
        if desired.parent == desired.key:
            raise conflict("parent_cycle", None, "The page is its own parent.", "/parent")
        record = records.get(desired.parent)
        if record is None or record.page_id is None:
            raise _waiting(desired)
        return record.page_id

    def _place(self, name: str) -> Any:
        if name not in self._places:
            place = self.config.places.get(name)
            if place is None:
                raise invalid("/parent/place", f"The settings of this site know no place '{name}'.")
            column = "pk" if isinstance(place, int) else "url_path"
            found = tree.page_model().objects.filter(**{column: place}).values_list("pk", flat=True).first()
            if found is None:
                raise invalid("/parent/place", f"The place '{name}' is the page {place!r}, which isn't there.")
            self._places[name] = found
        return self._places[name]

    def _user(self, integration: str) -> Any:
        rules: IntegrationRules = self.config.integrations[integration]
        if rules.user is None:
            return None
        if integration not in self._users:
            model = get_user_model()
            user = model._default_manager.filter(**{model.USERNAME_FIELD: rules.user}).first()
            if user is None:
                raise invalid("/integration", f"The user '{rules.user}' that the settings name isn't there.")
            self._users[integration] = user
        return self._users[integration]


def _waiting(desired: DesiredPage) -> Refused:
    assert isinstance(desired.parent, Key)
    return Refused(
        PageResult(
            "waiting",
            code="missing_reference",
            message=f"The parent {desired.parent.integration} {desired.parent.external_id} has no page yet.",
            errors=[FieldError("/parent", "has no page yet")],
            waits_for=[desired.parent],
        )
    )


def _unchanged(desired: DesiredPage, record: PageRecord, page: Any, plan: Plan) -> PageResult:
    repeats = record.result if record.key == desired.message and record.hash == desired.hash() else None
    return PageResult(
        "unchanged",
        page_id=None if page is None else str(page.pk),
        url=None if page is None else page.get_full_url(),
        drift=plan.drift or None,
        repeats=repeats,
    )


def _locked_record(key: Key, likely_new: bool) -> PageRecord:
    """Locks the object's record, made if there is none: also while there is no page, two can't create it twice."""
    where = {"integration": key.integration, "external_id": key.external_id}
    if likely_new:
        PageRecord.objects.bulk_create([PageRecord(**where)], ignore_conflicts=True)
    while True:
        record = PageRecord.objects.select_for_update().filter(**where).first()
        if record is not None:
            return record
        PageRecord.objects.bulk_create([PageRecord(**where)], ignore_conflicts=True)


def _new_state(record: PageRecord, desired: DesiredPage) -> bool:
    if desired.state == "draft":
        return record.state == ""
    return record.state != desired.state and (record.state != "" or record.page_id is not None)


def _outdated(record: PageRecord, desired: DesiredPage, standing: Standing, parent: Any) -> bool:
    """Whether the record has to learn what was asked for, though the page stays as it is."""
    placed = desired.state == "unpublished" or standing.parent_id != parent or record.parent_id == str(parent)
    return _new_state(record, desired) or not placed


def _version_column(desired: DesiredPage) -> str:
    return "draft_version" if desired.state == "draft" else "live_version"


def _parent_keys(pages: Any) -> set[Key]:
    return {page.parent for page in pages if isinstance(page.parent, Key)}


def records_of(keys: set[Key]) -> dict[Key, PageRecord]:
    if not keys:
        return {}
    groups: dict[str, list[str]] = {}
    for key in keys:
        groups.setdefault(key.integration, []).append(key.external_id)
    where = Q()
    for integration, external_ids in groups.items():
        where |= Q(integration=integration, external_id__in=external_ids)
    return {Key(record.integration, record.external_id): record for record in PageRecord.objects.filter(where)}


def _again(step: Callable[[], T]) -> T:
    """Runs a transaction again if the database ended it for the sake of another one."""
    for left in reversed(range(TRIES)):
        try:
            return step()
        except DatabaseError as error:
            if left == 0 or not _contended(error):
                raise
            time.sleep(random.uniform(0.01, 0.05) * (TRIES - left))
    raise AssertionError("the last try returns or raises")


def _contended(error: DatabaseError) -> bool:
    # in_failed_sql_transaction: Wagtail's background tasks keep their errors to themselves, a deadlock's too.
    # MySQL: deadlock, lock wait timeout. SQLite has no code here, only this text.
    return _code(error) in ("40001", "40P01", "25P02", 1213, 1205) or "database is locked" in str(error)


#: Classes of SQLSTATE that are no page's fault: connection, rollback, a schema that isn't migrated yet, resources,
#: intervention, system, internal.
SURROUNDINGS = ("08", "40", "42", "53", "57", "58", "XX")
#: A standby, a transaction or session that was ended for its age, a lock that wasn't to be had.
SURROUNDINGS_TOO = ("25006", "25P03", "25P04", "55P03")


def _of_surroundings(error: Exception) -> bool:
    """Whether another page would have met the same failure, and this one may come again."""
    if not isinstance(error, Error):
        return False
    code = _code(error)
    if isinstance(code, str) and len(code) == 5:
        # Some of Django's OperationalErrors are about a value, such as a text too long for the search index.
        return code.startswith(SURROUNDINGS) or code in SURROUNDINGS_TOO
    return isinstance(error, OperationalError | InterfaceError)


def _dangling(error: IntegrityError | Refused) -> bool:
    """Whether the database, or the page's own check before it, found that a reference points to nothing."""
    if isinstance(error, Refused):
        paths = [item.path for item in error.result.errors]
        return error.result.code == "page_invalid" and any(
            path.startswith(("/references/", "/sets/")) for path in paths
        )
    return _code(error) in ("23503", 1452) or "FOREIGN KEY constraint failed" in str(error)


def _code(error: Error) -> Any:
    """The SQLSTATE, or the number that MySQL gives."""
    cause = error.__cause__
    state = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
    if state is not None:
        return state
    return cause.args[0] if cause is not None and cause.args else None
