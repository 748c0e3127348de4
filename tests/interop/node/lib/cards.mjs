// Sample cardholders. Card numbers are made up, Luhn-valid and never repeat within one run.
import { randomInt } from "node:crypto";

/** Completes 15 digits with the Luhn check digit. */
export function withCheckDigit(digits) {
  let sum = 0;
  for (let i = 0; i < digits.length; i += 1) {
    // The rightmost of the 15 is doubled: it stands next to the check digit.
    const digit = Number(digits[digits.length - 1 - i]) * (i % 2 === 0 ? 2 : 1);
    sum += digit > 9 ? digit - 9 : digit;
  }
  return digits + ((10 - (sum % 10)) % 10);
}

/** The `serial`-th card number of an account range. */
export function cardNumber(range, serial) {
  return withCheckDigit(range + String(serial).padStart(15 - range.length, "0"));
}

// The Node suite draws from the lower half of the serials, the Python suite from the upper half; a random start keeps
// the suites usable against a sandbox that has been used before.
let serial = randomInt(0, 200_000_000);

/** A card number nobody used in this run, in one of the issuer's account ranges (all of them take their turn). */
export function newCard(issuer) {
  serial += 1;
  const ranges = issuer.account_ranges;
  return cardNumber(ranges[serial % ranges.length], serial);
}

/** A complete enrolment (cce-api.md 3.1), which donation ON demands. */
export function enrolment(cardNumber, changes = {}) {
  return {
    email: { type: "home", value: "ada.lovelace@example.com" },
    name: { firstName: "Ada", lastName: "Lovelace" },
    cardholderName: "Ada Lovelace",
    cardNumber,
    cardBaseCurrency: "EUR",
    expiryInfo: { month: "11", year: "2099" },
    billingAddress: {
      countryCode: "USA",
      type: "home",
      locality: "Rly Station",
      postalCode: "11746",
      state: "New York",
      city: "Brooklyn",
      line1: "83 Mayfair Street",
    },
    locale: "en-US",
    ...changes,
  };
}

/** The least that donation OFF demands: no name, address or locale. */
export function shortEnrolment(cardNumber) {
  const { name, billingAddress, locale, ...rest } = enrolment(cardNumber);
  return rest;
}

/** Accents, CJK and emoji where the rules allow them: in the address, and a curly apostrophe in a name. */
export function foreignEnrolment(cardNumber) {
  return enrolment(cardNumber, {
    name: { firstName: "Aoife", lastName: "O\u2019Neil" },
    billingAddress: {
      countryCode: "POL",
      type: "home",
      postalCode: "00950",
      city: "Łódź, Żabieniec",
      state: "東京都千代田区",
      line1: 'Café "Zoë" \\ A/B & C',
      line2: "Wohnung 🌱 3",
    },
    locale: "pl-PL",
  });
}

/** An update that changes nothing but the postal code: name, locale and the address with the new code (cce-api.md 3.2). */
export function postalCodeUpdate(postalCode) {
  const { name, locale, billingAddress } = enrolment("");
  return { name, locale, billingAddress: { ...billingAddress, postalCode } };
}
