"""What schemathesis does to each request and answer: signs, encrypts, decrypts, all with Mastercard's libraries.

Loaded by schemathesis itself (SCHEMATHESIS_HOOKS). INTEROP_CALLER says who calls:
`nobody` signs nothing; `signer` signs what the document's schemas generate, envelopes included, and sends the users API
its app key; `issuer` also takes the
schema of the clear payload for the body, puts right what a schema cannot say (see clear.py), encrypts, and opens the
answer.
"""

import itertools
import json
import os
import re
import sys
from pathlib import Path

import schemathesis

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "python"))
from clear import acceptable  # noqa: E402
from support import Client, Fle, Jwe, load_sandbox  # noqa: E402

CLEAR_SCHEMA = "x-encrypted-schema"
JSON = "application/json"

sandbox = json.loads(Path(os.environ["INTEROP_SANDBOX"]).read_text())
caller = os.environ["INTEROP_CALLER"]
client = Client(load_sandbox(), "demo")
libraries = itertools.cycle([kind(client.sandbox.certificate, client.issuer) for kind in (Jwe, Fle)])
turns = itertools.count()
enrolled = []  # user ids, for updates that find somebody
USER_ID = re.compile(r"[0-9A-Fa-f-]{36}", re.ASCII)


def is_user_id(value):
    return isinstance(value, str) and USER_ID.fullmatch(value) is not None


def media(operation):
    return operation.get("requestBody", {}).get("content", {}).get(JSON, {})


def takes_encrypted(operation):
    return CLEAR_SCHEMA in media(operation.definition.raw)


if caller != "nobody":

    @schemathesis.auth()
    class Signature:
        """The official signer, over the bytes that `requests` is about to send."""

        def get(self, case, context):
            return client.auth

        def set(self, case, data, context):
            schemes = [name for names in case.operation.definition.raw.get("security", []) for name in names]
            if "OAuth1" in schemes:
                case._auth = data
            elif "Bearer" in schemes:
                case.headers = {**(case.headers or {}), "Authorization": f"Bearer {sandbox['users']['app_key']}"}


if caller == "issuer":

    @schemathesis.hook
    def before_load_schema(context, raw_schema):
        """Bodies are generated from the schema of what is inside the envelope."""
        for item in raw_schema["paths"].values():
            for operation in item.values():
                if isinstance(operation, dict) and CLEAR_SCHEMA in media(operation):
                    body = media(operation)
                    body["schema"] = body[CLEAR_SCHEMA]
                    body.pop("examples", None)

    @schemathesis.hook
    def before_call(context, case, kwargs):
        described = media(case.operation.definition.raw).get("schema", {})
        if case.media_type != JSON or "$ref" not in described or not isinstance(case.body, (dict, list)):
            return
        body = acceptable(described["$ref"].rsplit("/", 1)[1], case.body, client.issuer)
        if takes_encrypted(case.operation) and isinstance(body, dict):
            body = next(libraries).seal(body)
        elif isinstance(body, list) and body and len(enrolled) > 5 and next(turns) % 4 == 0:
            body = [enrolled.pop(0), *body[1:]] if is_user_id(body[0]) else body
        kwargs["data"] = json.dumps(body).encode()
        userid = (case.path_parameters or {}).get("userid")
        # Three user ids of four are of somebody who is enrolled; those of the wrong form stay wrong.
        if enrolled and is_user_id(userid) and next(turns) % 4:
            case.path_parameters["userid"] = enrolled[next(turns) % len(enrolled)]

    @schemathesis.hook
    def after_call(context, case, response):
        if response.status_code != 200 or not takes_encrypted(case.operation):
            return
        body = json.loads(response.content)
        library = next(library for library in (Jwe, Fle) if (library is Fle) == ("iv" in body))
        clear = library(client.sandbox.certificate, client.issuer).open(body)
        if "userid" in clear:
            enrolled.append(clear["userid"])
        response.content = json.dumps(clear).encode()
