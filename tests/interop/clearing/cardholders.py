"""What both suites need: cards, their enrolments, and the counts that an import tells."""


def card_number(chance):
    card = "534403" + "".join(chance.choices("0123456789", k=9))
    doubled = [int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(card))]
    return card + str(-sum(digit // 10 + digit % 10 for digit in doubled) % 10)


def enrolment(card, email):
    return {
        "email": {"type": "home", "value": email},
        "name": {"firstName": "Jane", "lastName": "Sample"},
        "cardholderName": "Jane Sample",
        "cardNumber": card,
        "cardBaseCurrency": "USD",
        "expiryInfo": {"month": "10", "year": "2039"},
        "billingAddress": {
            "countryCode": "USA", "type": "home", "locality": "Rly Station", "postalCode": "11746",
            "state": "New York", "city": "Brooklyn", "line1": "83 Mayfair Street", "line2": "Main Road",
        },
        "locale": "en-US",
    }


def count(told, words):
    lines = [line.split() for line in told.splitlines() if line.rstrip().endswith(words)]
    return int(lines[0][0].replace(",", "")) if lines else 0
