"""What schemathesis does to each request and answer: signs, encrypts, decrypts, all with Mastercard's libraries.

Loaded by schemathesis itself (SCHEMATHESIS_HOOKS). INTEROP_CALLER says who calls:
`nobody` signs nothing; `signer` signs what the document's schemas generate, envelopes included; `issuer` also takes the
schema of the clear payload for the body, encrypts what it generates, and opens the answer.
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
SCHEME = "OAuth1"

caller = os.environ["INTEROP_CALLER"]
client = Client(load_sandbox(), "demo")
libraries = itertools.cycle([kind(client.sandbox.certificate, client.issuer) for kind in (Jwe, Fle)])
turns = itertools.count()
enrolled = []  # user ids, for updates that find somebody
USER_ID = re.compile(r"[0-9A-Fa-f-]{36}", re.ASCII)


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
            if any(SCHEME in names for names in case.operation.definition.raw.get("security", [])):
                case._auth = data


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
        if not takes_encrypted(case.operation) or case.media_type != JSON or not isinstance(case.body, dict):
            return
        schema = media(case.operation.definition.raw)[CLEAR_SCHEMA]["$ref"].rsplit("/", 1)[1]
        kwargs["data"] = json.dumps(next(libraries).seal(acceptable(schema, case.body, client.issuer))).encode()
        userid = (case.path_parameters or {}).get("userid")
        # Three user ids of four are of somebody who is enrolled; those of the wrong form stay wrong.
        if enrolled and isinstance(userid, str) and USER_ID.fullmatch(userid) and next(turns) % 4:
            case.path_parameters["userid"] = enrolled[next(turns) % len(enrolled)]

    @schemathesis.hook
    def after_call(context, case, response):
        if response.status_code != 200 or not takes_encrypted(case.operation):
            return
        body = json.loads(response.content)
        library = next(library for library in (Jwe, Fle) if (library is Fle) == ("iv" in body))
        clear = library(client.sandbox.certificate, client.issuer).open(body)
        enrolled.append(clear["userid"])
        response.content = json.dumps(clear).encode()
