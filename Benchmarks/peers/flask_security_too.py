"""Flask with Flask-Security and Flask-SQLAlchemy, on SQLite."""

import os

from flask import Flask, jsonify, request
from flask_security import Security, SQLAlchemyUserDatastore, auth_required, current_user, hash_password
from flask_security.models import fsqla_v3
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import event, func

import calls

app = Flask(__name__)
app.config.update(
    SECRET_KEY="benchmark",
    SQLALCHEMY_DATABASE_URI="sqlite:///" + os.path.join(os.path.abspath(calls.folder()), "flask.sqlite"),
    SECURITY_PASSWORD_SALT="1",
    SECURITY_PASSWORD_HASH="argon2",
    SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS={
        "argon2__type": "ID",
        "argon2__time_cost": calls.PASSES,
        "argon2__memory_cost": calls.MEMORY_KIB,
        "argon2__parallelism": calls.LANES,
    },
    # A sign-in returns a token and sets no cookie.
    SECURITY_TOKEN_MAX_AGE=86_400,
    WTF_CSRF_ENABLED=False,
)
db = SQLAlchemy(app)
fsqla_v3.FsModels.set_db_info(db)


class Role(db.Model, fsqla_v3.FsRoleMixin):
    pass


class User(db.Model, fsqla_v3.FsUserMixin):
    pass


class Client(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    operator = db.Column(db.ForeignKey("user.id"), nullable=False)
    first_name = db.Column(db.String(200), nullable=False)
    last_name = db.Column(db.String(200), nullable=False)
    email = db.Column(db.String(320), nullable=False)
    address = db.Column(db.String(1000), nullable=False)
    change = db.Column(db.Integer, nullable=False)
    __table_args__ = (db.UniqueConstraint("operator", "email"), db.Index("by_change", "operator", "change"))

    def shown(self):
        return {"id": self.id, "first_name": self.first_name, "last_name": self.last_name, "email": self.email,
                "address": self.address, "change": self.change}  # fmt: skip


app.security = Security(app, SQLAlchemyUserDatastore(db, User, Role))


@app.get("/me")
@auth_required("token")
def me():
    return jsonify(id=current_user.id, email=current_user.email, active=current_user.active)


@app.post("/clients")
@auth_required("token")
def create():
    last = db.session.scalar(db.select(func.max(Client.change)).where(Client.operator == current_user.id))
    client = Client(operator=current_user.id, change=(last or 0) + 1, **request.get_json())
    db.session.add(client)
    db.session.commit()
    return jsonify(client.shown())


@app.get("/clients")
@auth_required("token")
def changed():
    since = int(request.args["since"])
    chosen = db.select(Client).where(Client.operator == current_user.id, Client.change >= since).order_by(Client.change.desc())
    return jsonify([client.shown() for client in db.session.scalars(chosen)])


with app.app_context():

    @event.listens_for(db.engine, "connect")
    def set_policy(connection, _):
        connection.execute("pragma journal_mode=wal")
        connection.execute("pragma synchronous=full")

    db.create_all()
    app.security.datastore.create_user(email=calls.PERSON["email"], password=hash_password(calls.PERSON["password"]))
    db.session.commit()

call = calls.wsgi(app.wsgi_app)
JSON = ("Accept", "application/json")


def sign_in():
    return call("POST", "/login", calls.PERSON, [JSON], query="include_auth_token")


own = [JSON, ("Authentication-Token", sign_in()["response"]["user"]["authentication_token"])]
calls.report(
    who_am_i=lambda: call("GET", "/me", headers=own),
    create=lambda number: call("POST", "/clients", calls.client(number), own),
    changed=lambda: call("GET", "/clients", headers=own, query="since=1000000000"),
    sign_in=sign_in,
)
