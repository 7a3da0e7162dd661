"""An editor at work on the site of examples/wagtail: reads orders as lines of JSON, answers each with one.

Run by `manage.py shell`, which has Django set up. Ends with its input.
"""

import json
import sys

from organizations.models import OrganizationPage


def page(pk):
    return OrganizationPage.objects.get(pk=pk)


def write(pk, text):
    draft = page(pk).get_latest_revision_as_object()
    draft.introduction = text
    draft.save_revision()


def take_off(pk):
    page(pk).unpublish()


def publish(pk):
    page(pk).latest_revision.publish()


def move(pk, under):
    page(pk).move(page(under), pos="last-child")


def remove(pk):
    page(pk).delete()


def look(pk):
    row = page(pk)
    newest = row.get_latest_revision_as_object()
    return {
        "live": row.live,
        "parent": str(row.get_parent().pk),
        "areas": sorted(row.areas.values_list("ms_id", flat=True)),
        "shown": text_of(row),
        "newest": text_of(newest),
        "revisions": row.revisions.count(),
    }


def text_of(shown):
    return {"title": shown.title, "phone": shown.phone, "text": shown.introduction}


orders = {"write": write, "takeOff": take_off, "publish": publish, "move": move, "remove": remove, "look": look}
for line in sys.stdin:
    name, *arguments = json.loads(line)
    try:
        answer = {"done": orders[name](*arguments)}
    except Exception as error:
        answer = {"failed": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
