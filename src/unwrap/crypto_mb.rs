//! Intel's multi-buffer library `crypto_mb`, loaded at run time, and OpenSSL's check of OAEP: one
//! of three files with unsafe code (docs/threat-model.md).
//!
//! # The contract
//!
//! Signatures and behaviour are those of the library's public headers `crypto_mb/rsa.h`, `status.h`
//! and `cpu_features.h`, unchanged over its sonames 11 to 13, and of OpenSSL's `rsa.h`.
//!
//! - **Loading** runs the library's initializers: that it can be trusted is the operator's word,
//!   given by `crypto.multi_buffer`. It is never unloaded, so its functions stay valid for as long
//!   as the process runs.
//! - **The processor.** No function that uses its vector instructions is called before
//!   `mbx_is_crypto_mb_applicable(0)` has answered that this processor and operating system have
//!   them.
//! - **`mbx_rsa_private_crt_mb8`** reads eight pointers from each of seven arrays. Each `from` and
//!   `to` points to as many bytes as the modulus has, big-endian; each of the five numbers to half
//!   as many, as 64-bit words, the least first, aligned as `u64` is. It writes to the eight `to`
//!   and to the work buffer, reads everything else, and keeps no pointer after its return. `from`
//!   may be shared by lanes, `to` may not. Null lanes are allowed; we pass none: unused lanes
//!   repeat the first one, with a `to` of their own.
//! - **The work buffer** has `mbx_RSA_Method_BufSize(method)` bytes; the library aligns within it.
//!   It clears primes and exponents there before it returns, not the residues; so the buffer is
//!   ours, and zeroized. With a null buffer it would allocate one and free it as it is.
//! - **The status** has four bits for each lane, the first lane lowest; 0 is success. `to` of
//!   another lane means nothing.
//! - **Threads.** The functions share nothing but the choice of code path, which each makes at its
//!   first call: that is within the self-test, on one thread, before a [`Library`] is handed out.
//! - **`RSA_padding_check_PKCS1_OAEP_mgf1`** reads `from` and both digests, which are static, and
//!   writes at most `tlen` bytes to `to`. Its time does not depend on where the padding is wrong.

#![expect(
    unsafe_code,
    reason = "foreign functions: the contract is above, and every call is in this file"
)]

use libloading::os::unix::{Library as Handle, RTLD_LOCAL, RTLD_NOW};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use std::error::Error;
use std::ffi::{CStr, OsStr, c_int, c_uchar, c_void};
use std::mem::ManuallyDrop;
use std::ptr;
use zeroize::Zeroizing;

use super::crt::{CrtNumbers, SIZES};

/// How many operations one call does.
pub(super) const LANES: usize = 8;

/// Why the library cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The dynamic loader does not find or take it, or it lacks a function.
    #[error("it cannot be loaded: {0}")]
    Loader(String),
    /// The library says so of this processor, or of the operating system.
    #[error(
        "this processor lacks the vector instructions that it needs (AVX-512 IFMA or AVX-IFMA)"
    )]
    Processor,
    /// It has no method for a size of key.
    #[error("it does not know RSA-{0}")]
    Size(i32),
    /// The self-test failed.
    #[error("its self-test with RSA-{0} failed")]
    SelfTest(i32),
    /// OpenSSL could not make what the self-test compares with.
    #[error("OpenSSL could not prepare its self-test")]
    OpenSsl(#[from] ErrorStack),
}

impl From<libloading::Error> for LoadError {
    fn from(error: libloading::Error) -> Self {
        // The error itself says which call failed; its source says why.
        let why = error.source().map(ToString::to_string);
        Self::Loader(why.unwrap_or_else(|| error.to_string()))
    }
}

/// A method of the library: a pointer to something static that only the library looks into.
type Method = *const c_void;
type Pointers<T> = [*const T; LANES];
type IsApplicable = unsafe extern "C" fn(features: u64) -> c_int;
type CrtMethod = unsafe extern "C" fn(bits: c_int) -> Method;
type BufferSize = unsafe extern "C" fn(Method) -> c_int;
type PrivateCrt = unsafe extern "C" fn(
    from: *const *const u8,
    to: *const *mut u8,
    p: *const *const u64,
    q: *const *const u64,
    dp: *const *const u64,
    dq: *const *const u64,
    iq: *const *const u64,
    bits: c_int,
    method: Method,
    buffer: *mut u8,
) -> u32;

unsafe extern "C" {
    fn RSA_padding_check_PKCS1_OAEP_mgf1(
        to: *mut c_uchar,
        tlen: c_int,
        from: *const c_uchar,
        flen: c_int,
        num: c_int,
        param: *const c_uchar,
        plen: c_int,
        md: *const c_void,
        mgf1md: *const c_void,
    ) -> c_int;
}

/// The loaded library.
pub struct Library {
    crt_method: CrtMethod,
    buffer_size: BufferSize,
    private_crt: PrivateCrt,
}

/// One operation: a key, and a wrapped key that it [takes](CrtNumbers::takes).
#[derive(Clone, Copy)]
pub(super) struct Lane<'a> {
    pub(super) key: &'a CrtNumbers,
    pub(super) wrapped: &'a [u8],
}

impl Library {
    /// Loads the library by its path, or by a name that the dynamic loader looks up. The caller
    /// must run the self-test before using it.
    pub(super) fn load(name: &OsStr) -> Result<Self, LoadError> {
        // SAFETY: "Loading" above. Its names stay its own (RTLD_LOCAL); what it needs itself is
        // there, or it is refused now instead of in the middle of a call (RTLD_NOW).
        let handle = unsafe { Handle::open(Some(name), RTLD_NOW | RTLD_LOCAL)? };
        let handle = ManuallyDrop::new(handle);
        // SAFETY: the types are those of the headers, and the handle is never closed.
        let (is_applicable, library) = unsafe {
            (
                function::<IsApplicable>(&handle, c"mbx_is_crypto_mb_applicable")?,
                Self {
                    crt_method: function(&handle, c"mbx_RSA_private_crt_Method")?,
                    buffer_size: function(&handle, c"mbx_RSA_Method_BufSize")?,
                    private_crt: function(&handle, c"mbx_rsa_private_crt_mb8")?,
                },
            )
        };
        // SAFETY: a query of the processor, allowed on every one.
        if unsafe { is_applicable(0) } == 0 {
            return Err(LoadError::Processor);
        }
        for bits in SIZES {
            library.method(bits).ok_or(LoadError::Size(bits))?;
        }
        Ok(library)
    }

    /// The method for a size of key, and how many bytes its work buffer needs.
    fn method(&self, bits: i32) -> Option<(Method, usize)> {
        // SAFETY: the first takes any number and answers null if it does not know the size; the
        // second takes what the first gave.
        unsafe {
            let method = (self.crt_method)(bits);
            let bytes = (!method.is_null()).then(|| (self.buffer_size)(method))?;
            let bytes = usize::try_from(bytes).ok().filter(|bytes| *bytes > 0)?;
            Some((method, bytes))
        }
    }

    /// The raw private operation in up to eight lanes, all of one size of modulus: messages as long
    /// as it, in the lanes' order. `None` is a lane of which the library says that it failed, or
    /// that does not have the size of the first.
    pub(super) fn private_crt(&self, lanes: &[Lane<'_>]) -> Vec<Option<Zeroizing<Vec<u8>>>> {
        let failed = || lanes.iter().map(|_| None).collect();
        let Some(first) = lanes.first() else {
            return Vec::new();
        };
        let bits = first.key.bits();
        let Some((bytes, (method, buffer))) = usize::try_from(bits / 8).ok().zip(self.method(bits))
        else {
            return failed();
        };
        // The lengths that the contract asks for are looked at here, whatever the caller has
        // promised.
        let fits = |lane: &Lane<'_>| {
            let numbers = lane.key.numbers();
            lane.wrapped.len() == bytes && numbers.iter().all(|n| n.len() == bytes / 16)
        };
        if lanes.len() > LANES || !lanes.iter().all(fits) {
            return failed();
        }

        let lane = |at: usize| lanes.get(at).unwrap_or(first);
        let from: Pointers<u8> = std::array::from_fn(|at| lane(at).wrapped.as_ptr());
        let number = |pick: fn(&CrtNumbers) -> &[u64]| -> Pointers<u64> {
            std::array::from_fn(|at| pick(lane(at).key).as_ptr())
        };
        let (p, q) = (number(|key| &key.p), number(|key| &key.q));
        let (dp, dq, iq) = (
            number(|key| &key.dp),
            number(|key| &key.dq),
            number(|key| &key.iq),
        );
        let mut messages: [_; LANES] = std::array::from_fn(|_| Zeroizing::new(vec![0_u8; bytes]));
        let to = messages.each_mut().map(|message| message.as_mut_ptr());
        let mut buffer = Zeroizing::new(vec![0_u64; buffer.div_ceil(size_of::<u64>())]);
        // SAFETY: eight pointers in each array; what they lead to has the lengths checked above and
        // lives until the end of this function; the `to` are eight vectors of their own; the buffer
        // has the size that the method asks for.
        let status = unsafe {
            (self.private_crt)(
                from.as_ptr(),
                to.as_ptr(),
                p.as_ptr(),
                q.as_ptr(),
                dp.as_ptr(),
                dq.as_ptr(),
                iq.as_ptr(),
                bits,
                method,
                buffer.as_mut_ptr().cast(),
            )
        };
        let of_lane = |at: usize| (status >> (4 * at)) & 0xf;
        messages
            .into_iter()
            .take(lanes.len())
            .enumerate()
            .map(|(at, message)| (of_lane(at) == 0).then_some(message))
            .collect()
    }
}

/// A function of the library by its name.
///
/// # Safety
/// `T` must be the function's type, and the library must outlive what is done with it.
unsafe fn function<T: Copy>(library: &Handle, name: &CStr) -> Result<T, LoadError> {
    // SAFETY: the caller's word.
    Ok(*unsafe { library.get::<T>(name.to_bytes_with_nul())? })
}

/// Takes the content key out of a padded message (RFC 8017, 7.1.2, step 3; empty label), which is
/// as long as the modulus with its leading zero. `None` is any fault of the padding.
pub fn unpad_oaep(digest: MessageDigest, message: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let length = c_int::try_from(message.len()).ok()?;
    let mut content = Zeroizing::new(vec![0; message.len()]);
    let md = digest.as_ptr().cast::<c_void>();
    // SAFETY: both buffers have `length` bytes, an empty label may be null, and the digests are
    // static.
    let found = unsafe {
        RSA_padding_check_PKCS1_OAEP_mgf1(
            content.as_mut_ptr(),
            length,
            message.as_ptr(),
            length,
            length,
            ptr::null(),
            0,
            md,
            md,
        )
    };
    // A fault stays in this thread's queue of errors, for the next call to stumble over.
    let _ = ErrorStack::get();
    content.truncate(usize::try_from(found).ok()?);
    Some(content)
}
