//! The yardstick: bare RSA-2048 private operations of OpenSSL, on every core at once, with nothing
//! else to do.

use openssl::pkey::Private;
use openssl::rsa::{Padding, Rsa};
use std::thread;
use std::time::{Duration, Instant};

/// How long each sample takes.
const SAMPLE: Duration = Duration::from_secs(1);
/// Operations before the clock starts: the first one sets up blinding.
const WARM_UP: usize = 20;

/// Samples taken between the other runs.
pub(crate) struct Yardstick {
    key: Vec<u8>,
    threads: usize,
    samples: Vec<f64>,
}

impl Yardstick {
    /// A key of its own; one thread for each core.
    pub(crate) fn new() -> anyhow::Result<Self> {
        Ok(Self {
            key: Rsa::generate(2_048)?.private_key_to_der()?,
            threads: cores(),
            samples: Vec::new(),
        })
    }

    /// Takes one more sample.
    pub(crate) fn measure(&mut self) -> anyhow::Result<()> {
        let key = self.key.as_slice();
        let rates = thread::scope(|scope| {
            let running: Vec<_> = (0..self.threads)
                .map(|_| scope.spawn(move || one_thread(key)))
                .collect();
            running
                .into_iter()
                .map(|thread| {
                    thread
                        .join()
                        .unwrap_or_else(|_| anyhow::bail!("a thread panicked"))
                })
                .collect::<anyhow::Result<Vec<f64>>>()
        })?;
        self.samples.push(rates.iter().sum());
        Ok(())
    }

    /// Operations per second of all cores together: the median of the samples.
    pub(crate) fn per_second(&self) -> f64 {
        median(&self.samples)
    }

    /// How long one operation takes on one core, in milliseconds.
    pub(crate) fn operation_ms(&self) -> f64 {
        self.threads as f64 * 1_000.0 / self.per_second()
    }

    /// The slowest and the fastest sample, as shares of the median.
    pub(crate) fn spread(&self) -> (f64, f64) {
        let low = self.samples.iter().copied().fold(f64::MAX, f64::min);
        let high = self.samples.iter().copied().fold(0.0, f64::max);
        (low / self.per_second(), high / self.per_second())
    }

    pub(crate) fn samples(&self) -> usize {
        self.samples.len()
    }

    pub(crate) fn threads(&self) -> usize {
        self.threads
    }
}

/// How many threads run at once.
pub(crate) fn cores() -> usize {
    thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// The one in the middle, or between the two in the middle.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let upper = sorted.get(middle).copied().unwrap_or(f64::NAN);
    match middle.checked_sub(1).and_then(|at| sorted.get(at)) {
        Some(lower) if sorted.len().is_multiple_of(2) => (lower + upper) / 2.0,
        _ => upper,
    }
}

/// A key of its own, so that threads do not wait for each other's blinding.
fn one_thread(der: &[u8]) -> anyhow::Result<f64> {
    let key: Rsa<Private> = Rsa::private_key_from_der(der)?;
    // Below the modulus, whose highest bit is set.
    let sealed = [0x55; 256];
    let mut opened = [0; 256];
    for _ in 0..WARM_UP {
        key.private_decrypt(&sealed, &mut opened, Padding::NONE)?;
    }
    let started = Instant::now();
    let mut operations = 0.0;
    loop {
        key.private_decrypt(&sealed, &mut opened, Padding::NONE)?;
        operations += 1.0;
        let elapsed = started.elapsed();
        if elapsed >= SAMPLE {
            return Ok(operations / elapsed.as_secs_f64());
        }
    }
}
