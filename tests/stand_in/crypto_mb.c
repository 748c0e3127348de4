/* A stand-in for Intel's libcrypto_mb, for tests alone: the same functions with the same meaning of their arguments,
 * by plain arithmetic. It is slow, its time depends on the keys, and it needs no particular processor.
 *
 * Faults to be built in (-D):
 *   NOT_APPLICABLE        no processor is good enough
 *   LACKS_PRIVATE_CRT     the main function is missing
 *   SOUND_CALLS=n         the faults below begin after n calls (the self-test makes 3)
 *   WRONG_LANES=mask      these lanes get a wrong result
 *   FAILED_LANES=mask     these lanes get a right result and the status of a failure
 */
#include <stdint.h>
#include <string.h>

#ifndef SOUND_CALLS
#define SOUND_CALLS 0
#endif
#ifndef WRONG_LANES
#define WRONG_LANES 0
#endif
#ifndef FAILED_LANES
#define FAILED_LANES 0
#endif

#ifdef LACKS_PRIVATE_CRT
#define mbx_rsa_private_crt_mb8 another_name
#endif

#define MOST 32 /* words of half a modulus: RSA-4096 */

typedef uint64_t word;
typedef unsigned __int128 wide;

/* What is in the arguments of the modular functions: an odd modulus of n words, and -1/m mod 2^64. */
typedef struct {
    const word *m;
    int n;
    word inverse;
    word square[MOST]; /* 2^(128 n) mod m */
} modulus;

static word subtract(word *r, const word *a, const word *b, int n) {
    word borrow = 0;
    for (int i = 0; i < n; i++) {
        wide d = (wide)a[i] - b[i] - borrow;
        r[i] = (word)d;
        borrow = (word)(d >> 64) & 1;
    }
    return borrow;
}

/* r = a mod m, where a < 2m has one more bit in `top`. */
static void reduce_once(word *r, const word *a, word top, const modulus *m) {
    word less[MOST];
    word borrow = subtract(less, a, m->m, m->n);
    memcpy(r, top >= borrow ? less : a, sizeof(word) * m->n);
}

/* r = a b / 2^(64 n) mod m, for a < 2^(64 n) and b < m */
static void multiply(word *r, const word *a, const word *b, const modulus *m) {
    word t[MOST + 2] = {0};
    int n = m->n;
    for (int i = 0; i < n; i++) {
        wide carry = 0;
        for (int j = 0; j < n; j++) {
            carry += (wide)a[i] * b[j] + t[j];
            t[j] = (word)carry;
            carry >>= 64;
        }
        carry += t[n];
        t[n] = (word)carry;
        t[n + 1] = (word)(carry >> 64);
        word q = t[0] * m->inverse;
        carry = (wide)q * m->m[0] + t[0];
        carry >>= 64;
        for (int j = 1; j < n; j++) {
            carry += (wide)q * m->m[j] + t[j];
            t[j - 1] = (word)carry;
            carry >>= 64;
        }
        carry += t[n];
        t[n - 1] = (word)carry;
        t[n] = t[n + 1] + (word)(carry >> 64);
    }
    reduce_once(r, t, t[n], m);
}

static void prepare(modulus *m, const word *number, int n) {
    m->m = number;
    m->n = n;
    word inverse = 1;
    for (int i = 0; i < 6; i++)
        inverse *= 2 - number[0] * inverse;
    m->inverse = -inverse;
    word r[MOST] = {1};
    for (int bit = 0; bit < 128 * n; bit++) {
        word top = 0;
        for (int i = 0; i < n; i++) {
            word next = r[i] >> 63;
            r[i] = r[i] << 1 | top;
            top = next;
        }
        reduce_once(r, r, top, m);
    }
    memcpy(m->square, r, sizeof r);
}

/* r = c^e mod m, for a c of 2n words */
static void power(word *r, const word *c, const word *e, const modulus *m) {
    const word one[MOST] = {1};
    int n = m->n;
    word low[MOST], base[MOST], result[MOST];
    multiply(base, c + n, m->square, m); /* c_high 2^(64 n) mod m */
    multiply(low, c, m->square, m);
    multiply(low, low, one, m); /* c_low mod m */
    word carry = 0;
    for (int i = 0; i < n; i++) {
        wide sum = (wide)base[i] + low[i] + carry;
        base[i] = (word)sum;
        carry = (word)(sum >> 64);
    }
    reduce_once(base, base, carry, m);
    multiply(base, base, m->square, m); /* to Montgomery's form */
    multiply(result, one, m->square, m);
    for (int bit = 64 * n; bit-- > 0;) {
        multiply(result, result, result, m);
        if (e[bit / 64] >> (bit % 64) & 1)
            multiply(result, result, base, m);
    }
    multiply(r, result, one, m);
}

static void private_operation(const uint8_t *from, uint8_t *to, const word *p, const word *q, const word *dp,
                              const word *dq, const word *iq, int n) {
    word c[2 * MOST] = {0}, x[2 * MOST] = {0}, by_p[MOST], by_q[MOST];
    modulus mp, mq;
    for (int i = 0; i < 16 * n; i++)
        c[i / 8] |= (word)from[16 * n - 1 - i] << (8 * (i % 8));
    prepare(&mp, p, n);
    prepare(&mq, q, n);
    power(by_p, c, dp, &mp);
    power(by_q, c, dq, &mq);
    memcpy(x, by_q, sizeof(word) * n);
    word h[MOST];
    reduce_once(h, by_q, 0, &mp); /* q < 2p: both have their highest bit */
    if (subtract(h, by_p, h, n)) {
        word carry = 0;
        for (int i = 0; i < n; i++) {
            wide sum = (wide)h[i] + p[i] + carry;
            h[i] = (word)sum;
            carry = (word)(sum >> 64);
        }
    }
    multiply(h, h, mp.square, &mp);
    multiply(h, h, iq, &mp);
    for (int i = 0; i < n; i++) {
        wide carry = 0;
        for (int j = 0; j < n; j++) {
            carry += (wide)h[i] * q[j] + x[i + j];
            x[i + j] = (word)carry;
            carry >>= 64;
        }
        for (int j = i + n; carry; j++) {
            carry += x[j];
            x[j] = (word)carry;
            carry >>= 64;
        }
    }
    for (int i = 0; i < 16 * n; i++)
        to[16 * n - 1 - i] = (uint8_t)(x[i / 8] >> (8 * (i % 8)));
}

int mbx_is_crypto_mb_applicable(uint64_t features) {
    (void)features;
#ifdef NOT_APPLICABLE
    return 0;
#else
    return 1;
#endif
}

static const int sizes[] = {1024, 2048, 3072, 4096};

const void *mbx_RSA_private_crt_Method(int bits) {
    for (int i = 0; i < 4; i++)
        if (sizes[i] == bits)
            return &sizes[i];
    return 0;
}

int mbx_RSA_Method_BufSize(const void *method) { return *(const int *)method * 8; }

uint32_t mbx_rsa_private_crt_mb8(const uint8_t *const from[8], uint8_t *const to[8], const word *const p[8],
                                 const word *const q[8], const word *const dp[8], const word *const dq[8],
                                 const word *const iq[8], int bits, const void *method, uint8_t *buffer) {
    static _Atomic int calls;
    int faulty = calls++ >= SOUND_CALLS;
    uint32_t status = 0;
    memset(buffer, 0xa5, mbx_RSA_Method_BufSize(method)); /* all of it may be written */
    for (int lane = 0; lane < 8; lane++) {
        private_operation(from[lane], to[lane], p[lane], q[lane], dp[lane], dq[lane], iq[lane], bits / 128);
        if (faulty && (WRONG_LANES >> lane & 1))
            to[lane][bits / 16] ^= 1;
        if (faulty && (FAILED_LANES >> lane & 1))
            status |= 1u << (4 * lane);
    }
    return status;
}
