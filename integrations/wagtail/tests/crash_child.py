"""A process that applies a batch, for a test that kills it: `python -m tests.crash_child DATABASE COUNT`."""

import os
import sys

import django


def main(database: str, count: int) -> None:
    """Posts one batch to the endpoint, on the test's own database."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.site.settings"
    django.setup()
    from django.conf import settings
    from django.test import Client

    from tests.conftest import Sender, desired

    settings.DATABASES["default"]["NAME"] = database
    settings.ALLOWED_HOSTS = ["*"]
    Sender(Client()).batch(*(desired(str(number)) for number in range(count)))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
