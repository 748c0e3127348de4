"""Makes generated payloads acceptable in what a JSON schema cannot say: check digits, account ranges, code lists, hosts.

Only values that fit the schema are replaced, so that a bad one stays bad and has to be refused.
"""

import re

from support import enrolment, new_card

# Python and ECMA-262 differ in whether a byte-order mark is white space.
URL = r"\s*[Hh][Tt][Tt][Pp][Ss]?://[^\s\ufeff/][^\s\ufeff]*\s*"
REPLACED = {
    "cardholderName": r".{1,100}",
    "cardNumber": r"[0-9]{16}",
    "cardBaseCurrency": r"[A-Za-z]{3}",
    "expiryInfo.year": r"[0-9]{4}",
    "email.value": r"(?=.{5,100}\Z)[^\s\ufeff\x00-\x1F\x7F-\x9F@]+@([^\s\ufeff\x00-\x1F\x7F-\x9F@.]+\.)+[^\s\ufeff\x00-\x1F\x7F-\x9F@.]{2,}",
    "name.firstName": r".{1,100}",
    "name.lastName": r".{1,100}",
    "billingAddress.countryCode": r"[A-Za-z]{3}",
    "supportedAccountRange": r"[ \t\n\f\r]*[0-9]{4,8}([ \t\n\f\r]*,[ \t\n\f\r]*[0-9]{4,8})*[ \t\n\f\r]*",
    "termsAndConditionURL": URL,
    "privacyNoticeURL": URL,
    "optOutURL": URL,
}
PATTERNS = {path: re.compile(pattern, re.DOTALL) for path, pattern in REPLACED.items()}
PRINTABLE = re.compile(r"[^\x00-\x1F\x7F-\x9F]{0,100}")
# Optional in the schema of an enrolment, required of the issuer that calls: its donation feature is on.
COMPLETED = {"UserProfile": ["name", "billingAddress", "locale"]}


def acceptable(schema, body, issuer):
    """A copy of `body`, which was generated from the schema of this name."""
    if not isinstance(body, dict):
        return body
    url = "https://www.issuer.example/page"
    urls = dict.fromkeys(["termsAndConditionURL", "privacyNoticeURL", "optOutURL"], url)
    good = {**enrolment(new_card(issuer)), **urls, "supportedAccountRange": issuer["account_ranges"][0]}
    changed = replaced(body, good, "")
    if schema == "IssuerConfiguration" and isinstance(changed.get("preferredTheme"), dict):
        changed["preferredTheme"] = without_own_keys(changed["preferredTheme"])
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
            inner = good.get(name)
            changed[name] = replaced(value, inner if isinstance(inner, dict) else {}, f"{path}.")
        elif path in PATTERNS and isinstance(value, str) and PATTERNS[path].fullmatch(value) and name in good:
            changed[name] = good[name]
    return changed


def without_own_keys(theme):
    """Keys of the issuer's own add up to a limit, so those that would be kept are left out."""

    def kept(name, value):
        return name and isinstance(value, str) and PRINTABLE.fullmatch(name) and PRINTABLE.fullmatch(value)

    return {name: value for name, value in theme.items() if re.search("(Color|FontType|FontSize)$", name) or not kept(name, value)}
