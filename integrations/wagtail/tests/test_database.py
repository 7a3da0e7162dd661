"""The database fails, or goes away: whose fault that is, and how all goes on. Needs PostgreSQL for its codes."""

import logging

import pytest
from django.db import connection, transaction
from django.test import Client
from wagtail.models import Revision
from wagtail.signals import page_published, page_slug_changed

from tests.conftest import Sender, assert_whole_tree, build_site, desired
from tests.site.models import OrganizationPage

pytestmark = pytest.mark.skipif(
    "connection.vendor != 'postgresql'", reason="set SLUICE_TEST_DATABASE to a PostgreSQL URL"
)


@pytest.fixture
def committing(transactional_db):
    """A sender whose pages are really committed."""
    build_site()
    yield Sender(Client())
    assert_whole_tree()


@pytest.fixture
def receiver():
    """Connects code of the site to a signal for the length of the test."""
    connected = []

    def connect(signal, code):
        signal.connect(code, weak=False)
        connected.append((signal, code))

    yield connect
    for signal, code in connected:
        signal.disconnect(code)


def failing_with(sqlstate):
    def fail(instance, **_):
        if instance.title == "Organization 2":
            with connection.cursor() as cursor:
                cursor.execute(f"DO $$ BEGIN RAISE EXCEPTION 'so it is' USING ERRCODE = '{sqlstate}'; END $$")

    return fail


@pytest.mark.parametrize("sqlstate", ["08006", "25006", "42P01", "42703", "53100", "57P03", "57014", "58030", "XX000"])
def test_what_is_no_pages_fault_is_503(sluice, receiver, sqlstate):
    receiver(page_published, failing_with(sqlstate))
    response = sluice.post("apply", {"pages": [desired("1"), desired("2"), desired("3")]})
    assert response.status_code == 503 and response["Retry-After"] == "5"
    assert "so it is" in response.json()["error"]["message"]
    assert OrganizationPage.objects.count() == 1


@pytest.mark.parametrize("sqlstate", ["22023", "23514", "54000", "P0001"])
def test_what_is_the_pages_fault_harms_it_alone(sluice, receiver, sqlstate):
    receiver(page_published, failing_with(sqlstate))
    results = sluice.batch(desired("1"), desired("2"), desired("3"))
    assert [result["result"] for result in results] == ["created", "invalid", "created"]
    assert "so it is" in results[1]["error"]["message"]


def test_a_deadlock_that_other_code_kept_to_itself_is_tried_again(sluice, receiver):
    once = failing_with("40P01")
    left = [1]

    def swallow(instance, **_):
        if left and left.pop():
            try:
                once(instance)
            except Exception:
                logging.getLogger(__name__).info("as background tasks of Wagtail do")

    receiver(page_published, swallow)
    assert sluice.one(desired("2"))["result"] == "created"


def test_what_fails_after_the_commit_does_not_make_the_page_fail(committing, receiver):
    def fail(instance, **_):
        raise RuntimeError("the cache is away")

    committing.one(desired())
    receiver(page_slug_changed, fail)
    result = committing.one(desired(slug="other", key="2.0.0"))
    assert (result["result"], result["error"]) == ("published", None)
    assert OrganizationPage.objects.get().slug == "other"
    receiver(page_published, lambda **_: transaction.on_commit(lambda: fail(None)))
    results = committing.batch(desired("2"), desired("3"))
    assert [result["result"] for result in results] == ["created", "created"]


def ended():
    """The server ends the connection that the site has in hand, as it does when it is started anew."""
    with connection.copy().cursor() as other:
        other.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])


def test_a_connection_that_ends_in_the_middle_of_a_page(committing, receiver):
    once = [1]

    def end(**_):
        if once:
            once.pop()
            ended()

    pages = [desired("1"), desired("2"), desired("3")]
    receiver(page_published, end)
    assert committing.post("apply", {"pages": pages}).status_code == 503
    # As Django does when a request ends.
    connection.close_if_unusable_or_obsolete()
    assert [result["result"] for result in committing.batch(*pages)] == ["created"] * 3
    assert Revision.objects.count() == OrganizationPage.objects.count() == 3


@pytest.mark.parametrize("checked", [False, True])
def test_a_kept_connection_that_ended_meanwhile(committing, monkeypatch, checked):
    """Without CONN_HEALTH_CHECKS one request fails, and is sent again; with it none does."""
    for name, value in {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": checked}.items():
        monkeypatch.setitem(connection.settings_dict, name, value)
    connection.close()
    committing.one(desired())
    ended()
    connection.health_check_enabled = checked
    connection.health_check_done = False
    response = committing.post("apply", {"pages": [desired()]})
    assert response.status_code == (200 if checked else 503)
    connection.close_if_unusable_or_obsolete()
    assert committing.one(desired())["result"] == "unchanged"
    connection.close()
