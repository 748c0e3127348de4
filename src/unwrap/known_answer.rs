//! The self-test of the multi-buffer library: private operations whose results are known.

use openssl::bn::{BigNum, BigNumContext, BigNumRef};
use openssl::error::ErrorStack;
use openssl::pkey::Private;
use openssl::rsa::{Padding, Rsa, RsaPrivateKeyBuilder};

use super::crt::CrtNumbers;
use super::crypto_mb::{LANES, Lane, Library, LoadError};

/// For each size of key two primes, made once for this test and for nothing else.
const PRIMES: [(i32, &str, &str); 3] = [
    (
        2048,
        "\
         f471255d97faa20c94d6acf4c3ac9bdbe949e28ef1291c1396ae1d536b3ed4e871126cdd3f7dc0e3afd501ed77378b4e\
         0cb34076b724f6bcbbf23d6934996898b31813493df09acbc6d218c4f0691c9e8ca18130af58d3bc8ebdb01800df7170\
         2bbdacae16d24dea9e470986e48c4afad312ee9a93881a48b0f76c83ebd9eb7f",
        "\
         c93180cdc704e0350fc40199278c73035e10ee7914b7be6d242394be3a89ac70f46a4dc08b3a3e5764a567a184c7bf5f\
         32ba656b9f09bf2f141c48fb0c7d87b530989ace03b142d075ad0cfc4ceda6a4e1fadbb65e0d7b9c6fdc1c78e0d4c119\
         01db2da1bd98ab98fd0fa039eb8ebddf9ef270cf59b9144d0590ba8a426dc971",
    ),
    (
        3072,
        "\
         f2a1cd9ca23f185e9b50b92decefe4a62c595e3f7a5b7cbbfb6593e7c8e3f903d01162a4b654f028757d3aff9e980103\
         4e61355e3f0937115ff65e2525071a34aeadb83831e670c7c2234a281bd4ecad8de692bae64c6383df27408f20aaf005\
         2376d5aa6c4ad4e63680289ba091f9bf256ddcb231f6e5688f58db77321e278a9d566eeae6295fbff955184271b0c601\
         cf127d3dd58bddd6f62bfb1d15afe566d84aba2add72d6e1c89160b5042584a4af96c27a5ce9658056e2fc5202e77033",
        "\
         e8ada7f8727a1e3b84ec789cae1df56da08164322b276349635f619c2d5f05935df33219ff6f669f5148c88433b46b30\
         c3c0501b689928edb8df78d87fef2e078efddaaa90f776a1d3e342e53e76cf7be495b8845d2f68603a09ae1a162caac4\
         0c40fdad3970fd07d9bf27e15afa334aa71383ebf531ab09cae152949427f250229c98ec1fc9fb6f1133f3cf629b05f6\
         17dd6114bab5744bfb794c5b855120f439d1620e8312f1be324a612c406ee7af6eec8136d1fa870dc997f946b57ae055",
    ),
    (
        4096,
        "\
         f298b3b8efb3fe041d252806ddb1bbe9787f3f374c36ee4c064305bdd35608e3adbe42a7cbe251556977b8b3ff511b4e\
         f5c0fe7abde101a8c224f46761c9f3faddc07d8c47b9b905b0bc60b9d53e6d9dcfe09ed3f682afae471e5dbe02c7fdfc\
         278e04de0a6f4714e383354cde255eb447669e40b0e1070a0763cdebaa5301060ed09dcd95e10c93fa0a9d110ae806b2\
         7a7ac3791a124cf2a17d338188cb2bf0d64a14421b24bdcecf4ad801b39b6e5dd38a8e6a084d91ff7578dfd639456dd2\
         489a27891ae3cd32e344ab3dfe340e171cf183f3430bac97579cea318aaad92cd3c0b7d73aa9245068fa806b43cebb4f\
         61ebdeb45a293a9c9ce8b40819ab4faf",
        "\
         debfe6fc719a3ec667733a96c0c17a430583a23863fac1e110bbeba005a6b66f81df6a8679e85217d40ea8fc3ef2d62c\
         31ac7d63f91cd66bf43c121d3531cd433b938cabe657fad34b4840a34445a47e16c2b05574c441f475f86574a5f25a3e\
         151a3e24a29b8b9bd13ad6a46466ca4a2554bf93af0bdefc12612592c568244f1d30caa7c860eb5d0f76c9c1d5905772\
         55a337460d71045f76d61641da62487922c70f7d347ec9a44375be68621fff13b3a93caccd1d121d80b885f2e1cb8a0d\
         e34a068557b4d0a0cec8415f76e3ba52b72f976423a38fd6febec7220cdf3532db141d876a005fa1bd775a3098e9e0d5\
         5eee9263fa9a5aea8ec56794f5e9e58d",
    ),
];

/// Lets the library find eight messages of each size again, by the same call that does the work.
pub(super) fn test(library: &Library) -> Result<(), LoadError> {
    for (bits, p, q) in PRIMES {
        let rsa = key(&*BigNum::from_hex_str(p)?, &*BigNum::from_hex_str(q)?)?;
        let key = CrtNumbers::of(&rsa)?.ok_or(LoadError::SelfTest(bits))?;
        let messages = messages(&rsa)?;
        let wrapped = messages.iter().map(|message| {
            let mut wrapped = vec![0; message.len()];
            rsa.public_encrypt(message, &mut wrapped, Padding::NONE)?;
            Ok(wrapped)
        });
        let wrapped: Vec<Vec<u8>> = wrapped.collect::<Result<_, ErrorStack>>()?;
        let lanes = wrapped.iter().map(|wrapped| Lane { key: &key, wrapped });
        let found = library.private_crt(&lanes.collect::<Vec<_>>());
        let right = found
            .iter()
            .zip(&messages)
            .filter(|(found, message)| found.as_ref().is_some_and(|found| **found == **message));
        if right.count() != LANES {
            return Err(LoadError::SelfTest(bits));
        }
    }
    Ok(())
}

/// Zero, one, the modulus less one, and five of bytes that run through all values.
fn messages(rsa: &Rsa<Private>) -> Result<[Vec<u8>; LANES], ErrorStack> {
    let size = rsa.size();
    let mut last = rsa.n().to_owned()?;
    last.sub_word(1)?;
    let running = |start: u8| -> Vec<u8> {
        let bytes = (0..size.saturating_sub(1)).map(|at| start.wrapping_add(at.to_le_bytes()[0]));
        std::iter::once(0).chain(bytes).collect()
    };
    let padded = |number: &BigNumRef| number.to_vec_padded(i32::try_from(size).unwrap_or_default());
    Ok([
        padded(&*BigNum::from_u32(0)?)?,
        padded(&*BigNum::from_u32(1)?)?,
        padded(&last)?,
        running(1),
        running(51),
        running(102),
        running(153),
        running(204),
    ])
}

/// The private key of two primes, with 65537 as its public exponent.
fn key(p: &BigNumRef, q: &BigNumRef) -> Result<Rsa<Private>, ErrorStack> {
    let mut context = BigNumContext::new()?;
    let one = BigNum::from_u32(1)?;
    let e = BigNum::from_u32(65_537)?;
    let (below_p, below_q) = (p - &one, q - &one);
    let mut d = BigNum::new()?;
    d.mod_inverse(&e, &(&below_p * &below_q), &mut context)?;
    let (mut dp, mut dq, mut iq) = (BigNum::new()?, BigNum::new()?, BigNum::new()?);
    dp.nnmod(&d, &below_p, &mut context)?;
    dq.nnmod(&d, &below_q, &mut context)?;
    iq.mod_inverse(q, p, &mut context)?;
    let key = RsaPrivateKeyBuilder::new(p * q, e, d)?
        .set_factors(p.to_owned()?, q.to_owned()?)?
        .set_crt_params(dp, dq, iq)?;
    Ok(key.build())
}
