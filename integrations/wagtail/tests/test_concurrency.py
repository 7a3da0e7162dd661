"""Several writers at once; needs PostgreSQL, since SQLite has one writer anyway."""

import random
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection, connections
from django.test import Client
from wagtail.models import Page, Revision

from sluice_wagtail.models import PageRecord
from tests.conftest import Sender, assert_whole_tree, build_site, desired, under
from tests.site.models import OrganizationPage

WRITERS = 8

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="set SLUICE_TEST_DATABASE to a PostgreSQL URL"),
]


@pytest.fixture(autouse=True)
def built(transactional_db):
    build_site()
    yield
    assert_whole_tree()


def at_once(work):
    """Runs ``work(number, sender)`` on as many threads as there are writers, each with its own connection."""
    gate = Barrier(WRITERS)

    def run(number):
        try:
            gate.wait()
            return work(number, Sender(Client()))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(WRITERS) as pool:
        return list(pool.map(run, range(WRITERS)))


def test_creations_under_one_parent():
    def work(number, sender):
        # The same title everywhere: slugs are derived one after the other, too.
        return [sender.one(desired(f"{number}-{index}", title="Same"))["result"] for index in range(10)] + [
            entry["result"] for entry in sender.batch(*(desired(f"{number}-b{index}") for index in range(5)))
        ]

    results = Counter(result for results in at_once(work) for result in results)
    assert results == {"created": WRITERS * 15}
    parent = Page.objects.get(slug="organizations")
    assert parent.numchild == parent.get_children().count() == WRITERS * 15
    assert len(set(parent.get_children().values_list("slug", flat=True))) == WRITERS * 15


def test_one_object_from_all_sides():
    results = Counter(result["result"] for result in at_once(lambda _, sender: sender.one(desired())))
    assert results == {"created": 1, "unchanged": WRITERS - 1}
    assert OrganizationPage.objects.count() == 1 and Revision.objects.count() == 1


def test_changes_of_one_page_and_creations_below_it():
    sender = Sender(Client())
    sender.one(desired("top"))

    def work(number, sender):
        if number % 2:
            return [sender.one(desired("top", title=f"{number}.{index}"))["result"] for index in range(8)]
        return [sender.one(desired(f"{number}-{index}", parent=under("top")))["result"] for index in range(8)]

    results = at_once(work)
    assert Counter(result for results in results for result in results) == {"published": 32, "created": 32}
    assert Page.objects.get(pk=PageRecord.objects.get(external_id="top").page_id).numchild == 32


def test_moves_creations_and_renames_all_over_a_tree():
    sender = Sender(Client())
    names = [f"n{number}" for number in range(12)]
    sender.batch(*(desired(name) for name in names))

    def work(number, sender):
        chance = random.Random(number)
        results = []
        for index in range(12):
            name, parent = chance.sample(names, 2)
            page = chance.choice(
                [
                    desired(name, parent=under(parent)),
                    desired(name, slug=f"s-{number}-{index}", parent=under(parent)),
                    desired(f"c-{number}-{index}", parent=under(name)),
                    desired(name),
                ]
            )
            results.append(sender.one(page, drift="undo"))
        return results

    results = [result for results in at_once(work) for result in results]
    words = Counter(result["result"] for result in results)
    assert set(words) <= {"created", "published", "moved", "unchanged", "conflict"}, [
        result for result in results if result["result"] == "invalid"
    ]
    assert {result["error"]["code"] for result in results if result["result"] == "conflict"} <= {"parent_cycle"}
    assert OrganizationPage.objects.count() == len(names) + words["created"]
    assert connection.vendor == "postgresql"


def test_killed_in_the_middle_of_a_batch():
    count = 60
    child = subprocess.Popen([sys.executable, "-m", "tests.crash_child", connection.settings_dict["NAME"], str(count)])
    deadline = time.monotonic() + 60
    while PageRecord.objects.count() < 5 and child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    child.kill()
    child.wait()
    assert_whole_tree()
    done = OrganizationPage.objects.count()
    assert 0 < done < count
    results = Sender(Client()).batch(*(desired(str(number)) for number in range(count)))
    words = Counter(result["result"] for result in results)
    # What was done before says now what its lost answer would have said.
    assert words == {"unchanged": done, "created": count - done}
    assert all(result["repeats"]["result"] == "created" for result in results if result["result"] == "unchanged")
    assert OrganizationPage.objects.count() == Revision.objects.count() == count
