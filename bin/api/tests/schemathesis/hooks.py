"""Formats of Bindery's API for Schemathesis, and the rules that no JSON Schema can say.

Each strategy makes values that the service accepts; what it must refuse, Schemathesis makes by itself.
"""

import base64
import datetime
import string
import uuid

import schemathesis
from hypothesis import strategies as st

# Plain letters and some that take more than one byte or more than one code unit. Every one of them is in NFC, so that
# a text does not change its length on the way in.
LETTERS = string.ascii_letters + string.digits + "äßçñøłжλ書😀-'.,&!?%_[]\"\\"
DECIMALS = {"EUR": 2, "USD": 2, "GBP": 2, "JPY": 0, "BHD": 3}


def text(max_size, limits, extra=""):
    """Texts that begin and end with something other than white space, and some that reach the limits of length."""
    edge = st.sampled_from(LETTERS)
    middle = st.text(alphabet=LETTERS + " " + extra, max_size=max_size - 2)
    short = st.builds(lambda first, rest, last: first + rest + last, edge, middle, edge) | edge
    return short | st.sampled_from(limits).map(lambda length: "é" * length)


def isbn13(body):
    """The thirteen digits that begin with these twelve."""
    total = sum(int(digit) * (3 if index % 2 else 1) for index, digit in enumerate(body))
    return body + str(-total % 10)


def isbn10(body):
    """The ten characters that begin with these nine digits."""
    total = sum(int(digit) * (10 - index) for index, digit in enumerate(body))
    check = -total % 11
    return body + ("X" if check == 10 else str(check))


DIGITS = "0123456789"
ISBN = st.one_of(
    st.text(DIGITS, min_size=9, max_size=9).map(lambda body: isbn13("978" + body)),
    st.text(DIGITS, min_size=9, max_size=9).map(isbn10),
    # Behind 979, 0 is for printed music.
    st.builds(lambda group, rest: isbn13("979" + group + rest), st.sampled_from("123456789"), st.text(DIGITS, min_size=8, max_size=8)),
    st.text(DIGITS, min_size=9, max_size=9).map(lambda body: isbn13("978" + body)).map(lambda isbn: f"{isbn[:3]}-{isbn[3]}-{isbn[4:12]}-{isbn[12]}"),
)
ATOM = st.text(string.ascii_letters + string.digits + "!#$%&'*+-/=?^_`{|}~", min_size=1, max_size=20)
LABEL = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=20)
EMAIL = st.builds(lambda local, label, top: f"{local}@{label}.{top}", ATOM, LABEL, st.sampled_from(["org", "example", "co.uk"]))
DAY = st.dates(datetime.date(1000, 1, 1), datetime.date(9999, 12, 31)).map(str)

TOKEN = st.builds(
    lambda name, end: base64.urlsafe_b64encode(f"{name}={end}".encode()).decode().rstrip("="),
    st.sampled_from(["users", "books", "elsewhere"]),
    st.sampled_from(["", "pg:7423:23100", "mariadb:0-1-5", "mysql:3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5", "7"]),
)

schemathesis.openapi.format("freshness-token", TOKEN)
schemathesis.openapi.format("display-name", text(60, [199, 200, 499, 500]))
schemathesis.openapi.format("description", text(200, [0, 9_999, 10_000], "\n\t"))
schemathesis.openapi.format("search-term", text(40, [199, 200]))
schemathesis.openapi.format("email", EMAIL)
schemathesis.openapi.format("isbn", ISBN)
schemathesis.openapi.format("currency", st.sampled_from(sorted(DECIMALS)))
schemathesis.openapi.format("amount", st.integers(0, 10**9).map(lambda cents: f"{cents // 100}.{cents % 100:02}"))
schemathesis.openapi.format("language-tag", st.sampled_from(["en", "de", "pt-BR", "zh-Hant-TW", "sr-Latn", "de-1996", "x-private"]))
schemathesis.openapi.format("publication-date", DAY)
schemathesis.openapi.format("audit-instant", st.datetimes(datetime.datetime(1000, 1, 2), datetime.datetime(9999, 12, 30)).map(lambda instant: instant.isoformat() + "Z"))
# Text that is kept as it is; no control characters.
schemathesis.openapi.format("verbatim", text(60, [254, 255]))
schemathesis.openapi.format("connection-password", text(60, [1_023, 1_024], "\n\t"))
# No control characters in a label; a part is called as its engine lets it be.
schemathesis.openapi.format("snapshot-label", text(40, [99, 100]))
schemathesis.openapi.format("part-name", text(40, [199, 200], "\n\t"))
schemathesis.openapi.format("notes", text(200, [9_999, 10_000], "\n\t"))
schemathesis.openapi.format("engine", st.sampled_from(["mysql", "mariadb", "postgres", "sqlserver"]))
NAME = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,20}", fullmatch=True)
schemathesis.openapi.format("connection-host", st.lists(NAME, min_size=1, max_size=4).map(".".join) | st.sampled_from(["127.0.0.1", "2001:db8::1"]))
schemathesis.openapi.format("relative-path", st.lists(NAME, min_size=1, max_size=4).map("/".join))
schemathesis.openapi.format("secret-name", st.lists(NAME, min_size=1, max_size=4).map("/".join))
schemathesis.openapi.format("label-value", text(40, [199, 200]))
schemathesis.openapi.format("label-filter", st.builds(lambda key, value: f"{key}={value}" if value else key, NAME, st.text(LETTERS, max_size=20)))
schemathesis.openapi.format("connection-url", st.builds(lambda scheme, user, host: f"{scheme}://{user}:x%20y@{host}/db", st.sampled_from(["mysql", "postgres", "sqlserver"]), NAME, NAME))


def pem(kind):
    return st.binary(min_size=1, max_size=60).map(lambda content: f"-----BEGIN {kind}-----\n{base64.b64encode(content).decode()}\n-----END {kind}-----\n")


schemathesis.openapi.format("pem-certificates", pem("CERTIFICATE"))
schemathesis.openapi.format("pem-key", pem("PRIVATE KEY"))

# Half of the time `*`, so that changes get past the comparison and to what they are about.
TAGS = ['"r1-v1"', '"r1-v2"', '"r1-v1", "r1-v2"', 'W/"r1-v1"', '"other"']
schemathesis.openapi.format("entity-tags", st.just("*") | st.sampled_from(TAGS))
schemathesis.openapi.format("idempotency-key", st.uuids().map(str))
# No cursor can be made up: each belongs to a list, a sort and filters. `before_call` takes it out of valid requests.
schemathesis.openapi.format("cursor", st.just("made-up"))


@schemathesis.hook
def filter_case(context, case):
    """Leaves out requests that count as invalid for the loss of a format alone while their value is of no format's kind.

    To violate a format, Schemathesis drops the keyword and takes whatever the rest of the schema draws for a violation.
    That is right for text; for `pages`, an integer of `int32` or null, it draws null, and nothing is wrong with null.
    """
    mutations = getattr(case.meta.phase.data, "mutations", ()) if case.meta is not None else ()
    return not any(lost_idle_format(mutation, case.body) for mutation in mutations)


def lost_idle_format(mutation, body):
    """Whether a part of the body lost its format and nothing else, and is no text."""
    if tuple(mutation.keywords) != ("format",) or mutation.parameter_location.value != "body":
        return False
    part = body
    for step in mutation.path:
        if not isinstance(part, (dict, list)) or (isinstance(part, dict) and step not in part):
            return True
        part = part[step]
    return not isinstance(part, str)


@schemathesis.hook
def before_call(context, case, kwargs):
    """Brings valid requests in line with the rules that span several values. Invalid requests stay as they are."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if isinstance(case.body, dict) and isinstance(case.body.get("price"), dict):
        complete_price(case.body["price"])
    if case.path == "/api/v1/users" and case.method == "POST" and isinstance(case.body, dict) and uuid.uuid4().int % 4:
        # Simple addresses are drawn again and again. One in four stays as it is and is perhaps taken.
        case.body["email"] = f"{uuid.uuid4().hex[:8]}.{case.body['email']}"
    if case.path == "/api/v1/books" and case.method == "GET":
        complete_price_filter(case.query)
    if case.path.startswith("/api/v1/connections") and not case.path.endswith("/snapshots") and isinstance(case.body, dict):
        complete_connection(case.body, case.method)
        lead_nowhere(case.body)
    if isinstance(case.query, dict):
        case.query.pop("cursor", None)
    if "Idempotency-Key" in (case.headers or {}):
        # A key belongs to one request, and Schemathesis may draw a value again.
        case.headers["Idempotency-Key"] = str(uuid.uuid4())


def complete_connection(body, method):
    """Brings a connection in line with its engine: what it needs is there, and nothing of another engine."""
    if uuid.uuid4().int % 4 and isinstance(body.get("name"), str):
        # Simple names are drawn again and again.
        body["name"] = f"{uuid.uuid4().hex[:8]} {body['name'][:80]}".strip()
    # There is no folder of files and no secret for connections, and options are an engine's own.
    for part in ("path", "secret", "options"):
        body.pop(part, None)
    if body.get("url") is not None:
        for part in ("engine", "host", "port", "database", "username", "password"):
            body.pop(part, None)
    elif method != "PATCH":
        body.setdefault("engine", "postgres")
        body["host"] = body.get("host") or "db.example"
        body["username"] = body.get("username") or "ann"
    else:
        for part in ("host", "username"):
            if body.get(part, "") is None:
                del body[part]
    tls = body.get("tls")
    if isinstance(tls, dict):
        # A client certificate is of use with its key alone, and its key has to be given again with every change of place.
        tls.pop("client_certificate", None)
        tls.pop("client_key", None)
        if tls.get("mode") == "disabled" or method == "PATCH":
            tls.pop("ca", None)
    labels = body.get("labels")
    if isinstance(labels, dict) and method == "PATCH":
        # With those that are there already they may be too many.
        body["labels"] = dict(list(labels.items())[:2])


def lead_nowhere(body):
    """Has nearly every connection lead to an address that is refused as it is written: of any other, a test takes seconds."""
    if uuid.uuid4().int % 20 == 0:
        return
    if body.pop("url", None) is not None:
        body.update(engine="postgres", username="ann", host="127.0.0.1")
    elif "host" in body:
        body["host"] = "127.0.0.1"


def complete_price(price):
    """Gives the amount as many decimals as its currency has, and both to a patch: a book may have no price yet."""
    currency = price.setdefault("currency", "EUR")
    whole = str(price.get("amount", "1")).split(".")[0]
    price["amount"] = with_decimals(whole, currency)


def complete_price_filter(query):
    """Prices and the order by them need a currency, whose decimals the bounds have."""
    bounds = [name for name in ("price_min", "price_max") if name in query]
    if bounds or str(query.get("sort", "")).lstrip("-") == "price":
        query.setdefault("currency", "EUR")
    for name in bounds:
        query[name] = with_decimals(query[name].split(".")[0], query["currency"])


def with_decimals(whole, currency):
    """An amount of this currency; what does not fit its fifteen digits is cut."""
    decimals = DECIMALS.get(currency, 2)
    whole = whole[: 15 - decimals]
    return f"{whole}.{'5' * decimals}" if decimals else whole
