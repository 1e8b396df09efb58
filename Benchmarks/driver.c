/* Sends request lines to a program and times its replies, with little overhead and in the same way for every program.

   driver send TO FROM FILE COUNT WINDOW      writes the lines of FILE, repeated, to the descriptor TO and reads replies
                                              from FROM, with at most WINDOW requests waiting for a reply (0: as many as
                                              fit into the pipe). Ends after COUNT replies or, if COUNT is 0, at SIGTERM.
   driver storm TO FROM FILE COUNT WINDOW OF  sends the first line of FILE, whose id is 1, COUNT times: every two
                                              milliseconds, or after the previous reply if that is later. Meanwhile
                                              WINDOW lines of the file OF, whose ids are not 1, always wait for replies.
   driver spawn FILE COUNT PROGRAM …          starts the program COUNT times, and times its first reply.

   If BENCH_WAIT is set, send and storm wait for a byte on stdin before they begin. Each mode prints one JSON object, with
   times in microseconds, except begun and ended, which are seconds of the monotonic clock. A reply with an error ends
   the driver with code 1; if BENCH_REFUSAL is set, a reply without that text does. If BENCH_TOLERATED is set, errors with that
   text are counted as refused instead. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PIECE = 1 << 16, REPLY_MAX = 64 << 20 };
/* The interval of the reads in a storm; it spreads them evenly over the storm. */
static const double PAUSE_SECONDS = 0.002;

extern char **environ;

static volatile sig_atomic_t stopped;

static void stop(int signal) { (void)signal; stopped = 1; }

static void fail(const char *what, const char *text, size_t count) {
    fprintf(stderr, "driver: %s: %.*s\n", what, (int)(count < 300 ? count : 300), text);
    exit(1);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

/* Lines to send, repeated until they fill a piece, so that one write sends many. */

struct lines {
    char *bytes;
    size_t *ends;
    size_t count;
};

static struct lines load(const char *name) {
    int file = open(name, O_RDONLY);
    struct stat status;
    if (file < 0 || fstat(file, &status) < 0 || status.st_size == 0) fail("cannot read", name, strlen(name));
    size_t size = status.st_size, times = size < PIECE ? PIECE / size + 1 : 1;
    struct lines lines = {malloc(size * times), NULL, 0};
    for (size_t got = 0; got < size;) {
        ssize_t count = read(file, lines.bytes + got, size - got);
        if (count <= 0) fail("cannot read", name, strlen(name));
        got += count;
    }
    close(file);
    for (size_t turn = 1; turn < times; turn++) memcpy(lines.bytes + turn * size, lines.bytes, size);
    size_t room = 0;
    for (char *at = lines.bytes, *end = lines.bytes + size * times; at < end;) {
        at = (char *)memchr(at, '\n', end - at) + 1;
        if (lines.count == room) lines.ends = realloc(lines.ends, (room = room * 2 + 1024) * sizeof *lines.ends);
        lines.ends[lines.count++] = at - lines.bytes;
    }
    return lines;
}

static const char *line(const struct lines *lines, size_t number, size_t *length) {
    size_t index = number % lines->count, start = index ? lines->ends[index - 1] : 0;
    *length = lines->ends[index] - start;
    return lines->bytes + start;
}

/* Received replies; the last one can be incomplete. */

static char *replies;
static size_t replies_count;

/* Reads the available bytes, and calls take with each complete line. */
static size_t take_replies(int from, void (*take)(const char *, size_t)) {
    static size_t room;
    if (room - replies_count < PIECE && !(replies = realloc(replies, room = room * 2 + 4 * PIECE))) abort();
    ssize_t count;
    do count = read(from, replies + replies_count, room - replies_count);
    while (count < 0 && errno == EINTR);
    if (count < 0 && errno == EAGAIN) return 0;
    if (count <= 0 || room > REPLY_MAX) fail("the program ended early", replies, replies_count);
    char *at = replies, *end = replies + replies_count + count, *found;
    char *search = replies + replies_count;
    size_t lines = 0;
    while ((found = memchr(search, '\n', end - search))) {
        take(at, found + 1 - at);
        search = at = found + 1;
        lines++;
    }
    replies_count = end - at;
    if (replies_count && at != replies) memmove(replies, at, replies_count);
    return lines;
}

/* The text of the error that each reply must be; NULL if each reply must be a result. */
static const char *refusal;
/* The text of errors that are counted; NULL if there are none. */
static const char *tolerated;
static size_t refused;

static void check_reply(const char *reply, size_t count) {
    if (tolerated && count < 1000 && memmem(reply, count, tolerated, strlen(tolerated))) {
        refused++;
        return;
    }
    const char *text = refusal ? refusal : "\"error\":";
    int has_text = memmem(reply, count < 200 ? count : 200, text, strlen(text)) != NULL;
    if (has_text != (refusal != NULL)) fail(refusal ? "not the refusal" : "an error", reply, count);
}

/* Writes all bytes; the descriptor must be blocking. */
static void write_all(int to, const char *bytes, size_t count) {
    while (count > 0) {
        ssize_t written = write(to, bytes, count);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) fail("cannot write", bytes, count);
        bytes += written;
        count -= written;
    }
}

static void set_blocking(int descriptor, int blocks) {
    int flags = fcntl(descriptor, F_GETFL);
    fcntl(descriptor, F_SETFL, blocks ? flags & ~O_NONBLOCK : flags | O_NONBLOCK);
}

/* All times, stored so that quantiles are exact. */

static float *times;
static size_t times_count;

static void keep(double seconds) {
    static size_t room;
    if (times_count == room && !(times = realloc(times, (room = room * 2 + 65536) * sizeof *times))) abort();
    times[times_count++] = seconds * 1e6;
}

static int compare(const void *a, const void *b) {
    float left = *(const float *)a, right = *(const float *)b;
    return (left > right) - (left < right);
}

static double quantile(double part) {
    return times_count ? times[(size_t)(part * (times_count - 1) + 0.5)] : 0;
}

static void report(size_t count, double begun, double ended) {
    qsort(times, times_count, sizeof *times, compare);
    printf("{\"count\": %zu, \"refused\": %zu, \"seconds\": %.9f, \"begun\": %.9f, \"ended\": %.9f, \"p50\": %.3f, \"p99\": %.3f, \"max\": %.3f}\n",
           count, refused, ended - begun, begun, ended, quantile(0.5), quantile(0.99), quantile(1));
}

static void one_at_a_time(int to, int from, const struct lines *lines, size_t count) {
    double begun = now(), ended = begun;
    size_t done = 0;
    for (; (count == 0 || done < count) && !stopped; done++) {
        size_t length;
        const char *bytes = line(lines, done, &length);
        double sent = now();
        write_all(to, bytes, length);
        while (take_replies(from, check_reply) == 0) {}
        keep((ended = now()) - sent);
    }
    report(done, begun, ended);
}

static void pipelined(int to, int from, const struct lines *lines, size_t count, size_t window) {
    set_blocking(to, 0);
    set_blocking(from, 0);
    double begun = now();
    size_t sent = 0, done = 0, within = 0; /* within: how many bytes of line `sent` are written. */
    while (done < count) {
        struct pollfd waits[] = {{from, POLLIN, 0}, {to, POLLOUT, 0}};
        size_t most = window && done + window < count ? done + window : count;
        if (poll(waits, sent < most ? 2 : 1, -1) < 0 && errno != EINTR) fail("poll", "", 0);
        if (waits[0].revents) done += take_replies(from, check_reply);
        if (sent < most && waits[1].revents) {
            size_t first = sent % lines->count, start = (first ? lines->ends[first - 1] : 0) + within;
            size_t last = first + (most - sent) - 1;
            if (last >= lines->count) last = lines->count - 1;
            ssize_t written = write(to, lines->bytes + start, lines->ends[last] - start);
            if (written < 0 && errno != EAGAIN && errno != EINTR) fail("cannot write", "", 0);
            if (written < 0) continue;
            for (start += written; first <= last && lines->ends[first] <= start; first++) sent++;
            within = first > last ? 0 : start - (first ? lines->ends[first - 1] : 0);
        }
    }
    double ended = now();
    set_blocking(to, 1);
    set_blocking(from, 1);
    report(done, begun, ended);
}

static size_t of_storm, of_reads;

static void count_storm(const char *reply, size_t count) {
    check_reply(reply, count);
    const char *id = memmem(reply, count, "\"id\":", 5);
    if (!id) fail("no id", reply, count);
    if (strtol(id + 5, NULL, 10) == 1) of_reads++;
    else of_storm++;
}

static void storm(int to, int from, const struct lines *lines, size_t count, size_t window, const struct lines *others) {
    size_t length, sent = 0;
    const char *bytes;
    double begun = now(), start = 0, next = begun;
    set_blocking(from, 0);
    while (times_count < count) {
        for (; sent < of_storm + window; sent++) bytes = line(others, sent, &length), write_all(to, bytes, length);
        double time = now();
        /* Reads start after the first WINDOW replies of the storm. */
        if (start == 0 && of_storm >= window && time >= next) {
            bytes = line(lines, 0, &length);
            start = now();
            next = start + PAUSE_SECONDS;
            write_all(to, bytes, length);
        }
        double left = next - time;
        struct timespec pause = {0, start == 0 && left > 0 ? left * 1e9 : 50000000};
        struct pollfd wait = {from, POLLIN, 0};
        if (ppoll(&wait, 1, &pause, NULL) <= 0) continue;
        size_t before = of_reads;
        take_replies(from, count_storm);
        if (of_reads != before) keep(now() - start), start = 0;
    }
    double ended = now();
    set_blocking(from, 1);
    while (of_storm < sent) take_replies(from, count_storm);
    report(count, begun, ended);
}

static void spawn(const char *name, size_t count, char **command) {
    struct lines lines = load(name);
    size_t length;
    const char *bytes = line(&lines, 0, &length);
    double begun = now();
    for (size_t turn = 0; turn < count; turn++) {
        int to[2], from[2];
        pid_t child;
        double start = now();
        if (pipe2(to, O_CLOEXEC) < 0 || pipe2(from, O_CLOEXEC) < 0) fail("pipe", "", 0);
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, to[0], 0);
        posix_spawn_file_actions_adddup2(&actions, from[1], 1);
        if (posix_spawn(&child, command[0], &actions, NULL, command, environ)) fail("cannot start", command[0], 200);
        posix_spawn_file_actions_destroy(&actions);
        close(to[0]);
        close(from[1]);
        write_all(to[1], bytes, length);
        while (take_replies(from[0], check_reply) == 0) {}
        keep(now() - start);
        close(to[1]);
        close(from[0]);
        waitpid(child, NULL, 0);
    }
    report(count, begun, now());
}

int main(int count, char **words) {
    signal(SIGTERM, stop);
    signal(SIGPIPE, SIG_IGN);
    refusal = getenv("BENCH_REFUSAL");
    tolerated = getenv("BENCH_TOLERATED");
    if (count > 4 && !strcmp(words[1], "spawn")) {
        spawn(words[2], strtoul(words[3], NULL, 10), words + 4);
        return 0;
    }
    if (count < 7) fail("usage", "see driver.c", 12);
    int to = atoi(words[2]), from = atoi(words[3]);
    struct lines lines = load(words[4]);
    size_t replies = strtoul(words[5], NULL, 10), window = strtoul(words[6], NULL, 10);
    if (getenv("BENCH_WAIT")) {
        char byte;
        if (read(0, &byte, 1) < 0) return 1;
    }
    if (!strcmp(words[1], "storm") && count > 7) {
        struct lines others = load(words[7]);
        storm(to, from, &lines, replies, window, &others);
    } else if (window == 1) {
        one_at_a_time(to, from, &lines, replies);
    } else {
        pipelined(to, from, &lines, replies, window);
    }
    return 0;
}
