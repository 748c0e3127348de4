"""O1, O5, O6: signatures by the Python signer, through `requests`."""

import json

from oauth1.oauth import OAuth
from oauth1.oauth_ext import OAuth1RSA
from requests.auth import AuthBase

from expect import GatewayTest
from support import GATEWAY_SOURCE, MOUNTS, RSA_PSS, RSA_SHA256, USERS, Client, Jwe, enrolment, new_card, postal_code_update

# wire-formats.md O5. The server ignores query parameters it does not know.
QUERIES = ["lang=en-US", "t=10:30", "t=10%3A30", "q=a+b", "q=a+b&t=%3A", "q=a%20b", "q=AT%26T", "q=caf%C3%A9", "e=", "id=1&id2=2", "a=2&a=1"]


class Misleading(AuthBase):
    """Signs something other than what is sent."""

    def __init__(self, client, method=None, url=None, body=None, key=None, consumer_key=None, edit=None):
        self.client, self.method, self.url, self.body, self.edit = client, method, url, body, edit
        self.key = key or client.key
        self.consumer_key = consumer_key or client.issuer["consumer_key"]

    def __call__(self, request):
        header = OAuth.get_authorization_header(
            self.url or request.url, self.method or request.method, self.body or request.body, self.consumer_key, self.key
        )
        request.headers["Authorization"] = self.edit(header) if self.edit else header
        return request


class Signatures(GatewayTest):
    def setUp(self):
        self.library = Jwe(self.sandbox.certificate, self.demo.issuer)

    def test_O1_post_and_put(self):
        for method in (RSA_SHA256, RSA_PSS):
            client = Client(self.sandbox, "demo", method)
            for mount in MOUNTS:
                with self.subTest(method=method, mount=mount):
                    card = new_card(client.issuer)
                    reference = self.assert_enrolled(client.enrol(self.library, enrolment(card), mount), self.library, card)
                    changed = client.update(self.library, reference["userid"], postal_code_update("11747"), mount)
                    self.assert_enrolled(changed, self.library, card)

    def test_O5_queries(self):
        for query in QUERIES:
            for mount in MOUNTS:
                with self.subTest(query=query, mount=mount):
                    card = new_card(self.demo.issuer)
                    answer = self.demo.enrol(self.library, enrolment(card), mount, query=f"?{query}")
                    self.assert_enrolled(answer, self.library, card)

    def test_O5_queries_with_pss(self):
        client = Client(self.sandbox, "demo", RSA_PSS)
        for query in QUERIES:
            with self.subTest(query=query):
                card = new_card(client.issuer)
                self.assert_enrolled(client.enrol(self.library, enrolment(card), query=f"?{query}"), self.library, card)

    def refuses(self, auth, expected=(401, "AUTHENTICATION_FAILED"), target=USERS):
        """The misled request is refused, and the same card, signed properly, is welcome afterwards."""
        card = new_card(self.demo.issuer)
        body = json.dumps(self.library.seal(enrolment(card)))
        self.assert_error(self.demo.send("POST", target, body, auth=auth), *expected, GATEWAY_SOURCE)
        self.assert_enrolled(self.demo.send("POST", USERS, body), self.library, card)

    def test_O6_body_changed(self):
        self.refuses(Misleading(self.demo, body='{"encryptedData":"something else"}'), (400, "INVALID_BODY_HASH"))

    def test_O6_method_changed(self):
        self.refuses(Misleading(self.demo, method="PUT"))

    def test_O6_path_host_and_query_changed(self):
        for url in (f"{self.sandbox.base_url}/cts{USERS}", f"{self.sandbox.base_url}{USERS}/", f"https://other.example.com{USERS}"):
            with self.subTest(url):
                self.refuses(Misleading(self.demo, url=url))
        url = self.sandbox.base_url + USERS
        self.refuses(Misleading(self.demo, url=f"{url}?lang=en-US"))
        self.refuses(Misleading(self.demo, url=url), target=f"{USERS}?lang=en-US")
        self.refuses(Misleading(self.demo, url=f"{url}?lang=en-US"), target=f"{USERS}?lang=pl-PL")

    def test_O6_key_of_another_consumer(self):
        self.refuses(Misleading(self.demo, key=self.compat.key))

    def test_O6_consumer_key_of_another_issuer(self):
        self.refuses(Misleading(self.demo, consumer_key=self.compat.issuer["consumer_key"]))

    def test_O6_repeated_nonce(self):
        card = new_card(self.demo.issuer)
        body = json.dumps(self.library.seal(enrolment(card)))
        first = self.demo.send("POST", USERS, body)
        self.assert_enrolled(first, self.library, card)
        again = self.demo.send("POST", USERS, body, auth=Misleading(self.demo, edit=lambda _: first.request.headers["Authorization"]))
        self.assert_error(again, 401, "AUTHENTICATION_FAILED", GATEWAY_SOURCE)

    def test_O6_signature_changed(self):
        self.refuses(Misleading(self.demo, edit=lambda header: header.replace('oauth_version="1.0"', 'oauth_version="1.0",oauth_note="x"')))

    def test_O6_signing_key_of_another_issuer_through_OAuth1RSA(self):
        self.refuses(OAuth1RSA(self.demo.issuer["consumer_key"], self.basic.key))
