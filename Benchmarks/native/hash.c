/* hash COUNT: the time of COUNT password checks with Argon2id, one after another, through libsodium alone.
   hash 0 THREADS: hashes on THREADS threads until it is killed, to load the processor. */

#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static char hashed[crypto_pwhash_STRBYTES];

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static void verify(void) {
    if (crypto_pwhash_str_verify(hashed, "password", 8) != 0) abort();
}

static void *go_on(void *nothing) {
    for (;;) verify();
    return nothing;
}

int main(int words_count, char **words) {
    if (words_count < 2 || sodium_init() < 0) return 2;
    if (crypto_pwhash_str(hashed, "password", 8, 2, 19456 * 1024) != 0) return 1;
    long count = atol(words[1]);
    if (count == 0) {
        pthread_t thread;
        for (long number = words_count > 2 ? atol(words[2]) : 1; number > 0; number--)
            if (pthread_create(&thread, NULL, go_on, NULL)) return 1;
        printf("{\"hashing\": true}\n");
        fflush(stdout);
        for (;;) pause();
    }
    double begun = now();
    for (long number = 0; number < count; number++) verify();
    printf("{\"count\": %ld, \"seconds\": %.9f}\n", count, now() - begun);
    return 0;
}
