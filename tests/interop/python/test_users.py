"""The users API through `requests`: each document's example request, with the sandbox's own keys."""

import json
import os
import unittest
from pathlib import Path

import requests


class Users(unittest.TestCase):
    def setUp(self):
        data = json.loads(Path(os.environ["INTEROP_SANDBOX"]).read_text())
        self.url = data["base_url"] + "/users"
        self.keys = data["users"]

    def call(self, method, url, key=None, body=None):
        headers = {"Authorization": f"Bearer {self.keys[key]}"} if key else {}
        return requests.request(method, url, headers=headers, json=body, timeout=30)

    def test_update_by_id(self):
        url = f"{self.url}/{self.keys['user_id']}"
        body = {"username": "updatedUser", "email": "updated-user@example.com"}
        answer = self.call("PUT", url, "user_token", body)
        self.assertEqual(answer.status_code, 200)
        expected = {"id": self.keys["user_id"], **body}
        self.assertEqual({name: answer.json()[name] for name in expected}, expected)
        self.assertEqual(self.call("PUT", url, None, body).status_code, 401)

    def test_klaim_profile(self):
        created = self.call("POST", self.url, "app_key", {"user_id": "klaim-user"})
        self.assertEqual(created.status_code, 201)
        body = {"name": "tester", "email": "test@email.com", "user_id": "testUserId", "metadata": {"test": "field"}}
        answer = self.call("PUT", f"{self.url}/klaim-user", "app_key", body)
        self.assertEqual(answer.status_code, 200)
        expected = {
            **body,
            "message": "fetch resource successfully",
            "klaim_id": created.json()["klaim_id"],
            "acquisition_source": "api",
            "credit_balance": 0,
        }
        self.assertEqual({name: answer.json()[name] for name in expected}, expected)
        missing = self.call("PUT", f"{self.url}/klaim-user", "app_key", {})
        self.assertEqual((missing.status_code, missing.json()["message"]),
                         (404, "Can not find user with the given user_id."))
        self.assertEqual(self.call("DELETE", f"{self.url}/testUserId", "app_key").status_code, 200)

    def test_put_by_query(self):
        body = {"lastName": "Renn", "firstName": "David", "email": "david.renn@uw.edu"}
        for status in (201, 200):
            answer = self.call("PUT", f"{self.url}?id=1", None, body)
            self.assertEqual((answer.status_code, answer.json()), (status, {**body, "id": 1}))
        taken = self.call("PUT", f"{self.url}?id=2", None, body)
        self.assertEqual((taken.status_code, taken.json()["message"]), (409, "Email already exists"))
