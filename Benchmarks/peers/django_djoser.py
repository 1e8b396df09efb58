"""Django with djoser and the REST framework, on SQLite, or on a database of PostgreSQL.

Usage: django_djoser.py FOLDER COUNT [HOST DATABASE]
"""

import os
import sys

import django
from django.conf import settings

import calls

SQLITE = {
    "ENGINE": "django.db.backends.sqlite3",
    "NAME": os.path.join(calls.folder(), "django.sqlite"),
    "OPTIONS": {"init_command": "pragma journal_mode=wal; pragma synchronous=full;"},
}


def postgres(host, name):
    return {"ENGINE": "django.db.backends.postgresql", "HOST": host, "NAME": name, "USER": "postgres"}


settings.configure(
    SECRET_KEY="benchmark",
    ALLOWED_HOSTS=["localhost"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=[
        "django.contrib.auth", "django.contrib.contenttypes", "rest_framework", "rest_framework.authtoken", "djoser",
    ],
    MIDDLEWARE=["django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware"],
    DATABASES={"default": {"CONN_MAX_AGE": None, **(postgres(*sys.argv[3:]) if sys.argv[3:] else SQLITE)}},
    PASSWORD_HASHERS=[__name__ + ".Hasher"],
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.TokenAuthentication"],
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    },
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    USE_TZ=True,
)  # fmt: skip
django.setup()

from django.contrib.auth import get_user_model  # noqa: E402
from django.contrib.auth.hashers import Argon2PasswordHasher  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import connection, models  # noqa: E402
from django.urls import include, path  # noqa: E402
from rest_framework import generics, serializers  # noqa: E402


class Hasher(Argon2PasswordHasher):
    time_cost, memory_cost, parallelism = calls.PASSES, calls.MEMORY_KIB, calls.LANES


class Client(models.Model):
    operator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    first_name = models.CharField(max_length=200)
    last_name = models.CharField(max_length=200)
    email = models.EmailField()
    address = models.CharField(max_length=1000)
    change = models.IntegerField()

    class Meta:
        app_label = "bench"
        constraints = [models.UniqueConstraint(fields=["operator", "email"], name="by_email")]
        indexes = [models.Index(fields=["operator", "change"], name="by_change")]


class ClientSerializer(serializers.ModelSerializer):
    class Meta:
        model = Client
        fields = ["id", "first_name", "last_name", "email", "address", "change"]
        read_only_fields = ["change"]


class Clients(generics.ListCreateAPIView):
    serializer_class = ClientSerializer

    def get_queryset(self):
        since = int(self.request.query_params["since"])
        return Client.objects.filter(operator=self.request.user, change__gte=since).order_by("-change")

    def perform_create(self, serializer):
        last = Client.objects.filter(operator=self.request.user).aggregate(last=models.Max("change"))["last"]
        serializer.save(operator=self.request.user, change=(last or 0) + 1)


urlpatterns = [
    path("auth/", include("djoser.urls")),
    path("auth/", include("djoser.urls.authtoken")),
    path("clients/", Clients.as_view()),
]

call_command("migrate", verbosity=0)
with connection.schema_editor() as editor:
    editor.create_model(Client)
get_user_model().objects.create_user(calls.PERSON["email"], **calls.PERSON)
call = calls.wsgi(get_wsgi_application())
# In this benchmark the user name of Django's user model is the email.
credentials = {"username": calls.PERSON["email"], "password": calls.PERSON["password"]}
token = call("POST", "/auth/token/login/", credentials)["auth_token"]
own = [("Authorization", "Token " + token)]
calls.report(
    who_am_i=lambda: call("GET", "/auth/users/me/", headers=own),
    create=lambda number: call("POST", "/clients/", calls.client(number), own),
    changed=lambda: call("GET", "/clients/", headers=own, query="since=1000000000"),
    sign_in=lambda: call("POST", "/auth/token/login/", credentials),
)
