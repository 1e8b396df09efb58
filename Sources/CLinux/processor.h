// Instructions of the processor that Swift has no names for.
#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__)

/// Whether there is an instruction for CRC-32C (SSE 4.2).
static inline int processor_has_crc32c(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("sse4.2") != 0;
}

/// The check of bytes behind those that gave `crc`, neither of them inverted. Only where the processor has it.
__attribute__((target("sse4.2")))
static inline uint32_t processor_crc32c(uint32_t crc, const void *bytes, size_t count) {
    const unsigned char *next = (const unsigned char *)bytes;
    uint64_t value = crc;
    for (; count >= 8; count -= 8, next += 8) {
        uint64_t word;
        __builtin_memcpy(&word, next, 8);
        value = __builtin_ia32_crc32di(value, word);
    }
    for (; count > 0; count--, next++) value = __builtin_ia32_crc32qi((uint32_t)value, *next);
    return (uint32_t)value;
}

#else

static inline int processor_has_crc32c(void) { return 0; }

static inline uint32_t processor_crc32c(uint32_t crc, const void *bytes, size_t count) {
    (void)bytes, (void)count;
    return crc;
}

#endif
