"""A small Wagtail site for the tests."""

import os
from urllib.parse import urlsplit

SECRET_KEY = "only for tests"
DEBUG = False
ALLOWED_HOSTS = ["*"]
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
ROOT_URLCONF = "tests.site.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STATIC_URL = "/static/"
WAGTAIL_SITE_NAME = "Tests"
WAGTAILADMIN_BASE_URL = "http://localhost"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

INSTALLED_APPS = [
    "tests.site",
    "sluice_wagtail",
    "wagtail.contrib.search_promotions",
    "wagtail.contrib.redirects",
    "wagtail.sites",
    "wagtail.users",
    "wagtail.snippets",
    "wagtail.documents",
    "wagtail.images",
    "wagtail.search",
    "wagtail.admin",
    "wagtail",
    "modelcluster",
    "taggit",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

if url := os.environ.get("SLUICE_TEST_DATABASE"):
    parts = urlsplit(url)
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": parts.path.lstrip("/"),
            "USER": parts.username,
            "HOST": parts.hostname,
            "PORT": parts.port,
            # Each view is its own transaction by default; the endpoint must not be.
            "ATOMIC_REQUESTS": True,
        }
    }
else:
    DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:", "ATOMIC_REQUESTS": True}}

WAGTAILSEARCH_BACKENDS = {"default": {"BACKEND": "wagtail.search.backends.database"}}

SLUICE_WAGTAIL = {
    "SECRETS": [
        "whsec_" + "bmV3ZXItc2VjcmV0LW9mLXRoZS10ZXN0LXNpdGUh",
        "whsec_" + "b2xkZXItc2VjcmV0LW9mLXRoZS10ZXN0LXNpdGUh",
    ],
    "PLACES": {
        "organizations": "/home/organizations/",
        "archive": "/home/archive/",
        "nowhere": "/home/nowhere/",
    },
    "INTEGRATIONS": {
        "organization": {
            "TYPES": {
                "site.OrganizationPage": {
                    "FIELDS": [
                        "phone",
                        "address",
                        "founded",
                        "employees",
                        "rate",
                        "extra",
                        "body",
                        "checked_at",
                    ],
                    "REFERENCES": ["district"],
                    "SETS": ["areas", "area_links.area"],
                },
                "site.PickyPage": {},
            }
        },
        "keyed": {
            "TYPES": {
                "site.OrganizationPage": {
                    "REFERENCES": {"district": "code"},
                    "SETS": {"areas": "code", "area_links.area": "code"},
                }
            }
        },
        "named": {"USER": "sluice", "TYPES": {"site.OrganizationPage": {"FIELDS": ["phone"]}}},
    },
}
