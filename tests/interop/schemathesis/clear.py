"""Makes generated clear payloads acceptable in what a JSON schema cannot say: check digits, account ranges, code lists.

Only values that fit the schema are replaced, so that a bad one stays bad and has to be refused.
"""

import re

from support import enrolment, new_card

REPLACED = {
    "cardholderName": r".{1,100}",
    "cardNumber": r"[0-9]{16}",
    "cardBaseCurrency": r"[A-Za-z]{3}",
    "expiryInfo.year": r"[0-9]{4}",
    # Python and ECMA-262 differ in whether a byte-order mark is white space.
    "email.value": r"(?=.{5,100}\Z)[^\s\ufeff\x00-\x1F\x7F-\x9F@]+@([^\s\ufeff\x00-\x1F\x7F-\x9F@.]+\.)+[^\s\ufeff\x00-\x1F\x7F-\x9F@.]{2,}",
    "name.firstName": r".{1,100}",
    "name.lastName": r".{1,100}",
    "billingAddress.countryCode": r"[A-Za-z]{3}",
}
PATTERNS = {path: re.compile(pattern, re.DOTALL) for path, pattern in REPLACED.items()}
# Optional in the schema of an enrolment, required of the issuer that calls: its donation feature is on.
COMPLETED = {"UserProfile": ["name", "billingAddress", "locale"]}


def acceptable(schema, body, issuer):
    """A copy of `body`, which was generated from the schema of this name."""
    good = enrolment(new_card(issuer))
    changed = replaced(body, good, "")
    for name in COMPLETED.get(schema, []):
        if changed.get(name) is None:
            changed[name] = good[name]
    return changed


def replaced(body, good, prefix):
    """A copy of `body` with what PATTERNS names taken from `good`."""
    changed = dict(body)
    for name, value in body.items():
        path = prefix + name
        if isinstance(value, dict):
            changed[name] = replaced(value, good.get(name) or {}, f"{path}.")
        elif path in PATTERNS and isinstance(value, str) and PATTERNS[path].fullmatch(value):
            changed[name] = good[name]
    return changed
