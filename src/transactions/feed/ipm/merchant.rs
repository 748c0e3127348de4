//! Who took the payment, and where (DE 43): `name\address\city\`, then 10 characters of postcode,
//! 3 of region, 3 of country.

use crate::footprint::Country;
use crate::transactions::item::Merchant;

/// Characters before the country.
const BEFORE_COUNTRY: usize = 13;

/// The merchant's name, if it has one; the end of a longer one is left out.
pub(super) fn name(element: &[u8]) -> Option<Merchant> {
    let name = element.split(|byte| *byte == b'\\').next()?;
    let letters = name.iter().copied().map(char::from);
    let text: String = letters.filter(|letter| !letter.is_control()).collect();
    let kept: String = text.trim().chars().take(Merchant::LONGEST).collect();
    Merchant::parse(kept.trim_end())
}

/// The merchant's country, if the place is in the usual form and the country one of ISO 3166.
pub(super) fn country(element: &[u8]) -> Option<Country> {
    let end = element.split(|byte| *byte == b'\\').nth(3)?;
    let code = end.get(BEFORE_COUNTRY..BEFORE_COUNTRY + 3)?;
    Country::from_alpha3(std::str::from_utf8(code).ok()?)
}
