/* A network between programs that talk through a socket: passes bytes on after a delay, in order, as many as there are.

   delay LISTEN TARGET MICROSECONDS   listens on the Unix socket LISTEN and connects each client to the Unix socket TARGET;
                                      all bytes arrive MICROSECONDS later, in both directions. Ends at SIGTERM. */

#define _GNU_SOURCE
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { ENDS_MAX = 1024, PIECE = 1 << 16 };

struct piece {
    struct piece *next;
    double due;
    size_t count; /* 0: the end of the stream */
    char bytes[];
};

/* One end of a connection: what it has received waits until it is due at its peer. */
static struct end {
    int descriptor, peer;
    int is_open;
    struct piece *first, *last;
} ends[ENDS_MAX];
static int ends_count;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static int unix_socket(const char *path, int (*use)(int, const struct sockaddr *, socklen_t)) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0 || use(descriptor, (struct sockaddr *)&address, sizeof address) < 0) fail(path);
    return descriptor;
}

static void add(int descriptor, int peer) {
    if (ends_count == ENDS_MAX) fail("too many connections");
    ends[ends_count++] = (struct end){descriptor, peer, 1, NULL, NULL};
}

static void receive(struct end *end, double due) {
    struct piece *piece = malloc(sizeof *piece + PIECE);
    if (!piece) fail("malloc");
    ssize_t count = read(end->descriptor, piece->bytes, PIECE);
    if (count <= 0) end->is_open = 0;
    struct piece *smaller = realloc(piece, sizeof *piece + (count > 0 ? count : 0));
    piece = smaller ? smaller : piece;
    piece->next = NULL;
    piece->due = due;
    piece->count = count > 0 ? count : 0;
    if (end->last) end->last->next = piece;
    else end->first = piece;
    end->last = piece;
}

/* Sends the bytes whose delay is over to the peer. If the sender has closed its stream, closes that to the peer too. */
static void deliver(struct end *end, double time) {
    while (end->first && end->first->due <= time) {
        struct piece *piece = end->first;
        for (size_t sent = 0; sent < piece->count;) {
            ssize_t count = send(end->peer, piece->bytes + sent, piece->count - sent, MSG_NOSIGNAL);
            if (count <= 0) break;
            sent += count;
        }
        if (piece->count == 0) shutdown(end->peer, SHUT_WR);
        if (!(end->first = piece->next)) end->last = NULL;
        free(piece);
    }
}

int main(int count, char **words) {
    if (count != 4) return 2;
    double delay = atof(words[3]) / 1e6;
    /* The wait below has no whole seconds. */
    if (delay < 0 || delay >= 1) return 2;
    int listener = unix_socket(words[1], bind);
    if (listen(listener, 100) < 0) fail("listen");
    /* Timers that are 50 microseconds late would be a tenth of the delay. */
    prctl(PR_SET_TIMERSLACK, 1);
    for (;;) {
        struct pollfd waits[ENDS_MAX + 1] = {{listener, POLLIN, 0}};
        double next = -1;
        for (int index = 0; index < ends_count; index++) {
            /* poll ignores a negative descriptor. */
            waits[index + 1] = (struct pollfd){ends[index].is_open ? ends[index].descriptor : -1, POLLIN, 0};
            if (ends[index].first && (next < 0 || ends[index].first->due < next)) next = ends[index].first->due;
        }
        double left = next - now();
        struct timespec wait = {0, left > 0 ? left * 1e9 : 0};
        int known = ends_count;
        if (ppoll(waits, known + 1, next < 0 ? NULL : &wait, NULL) < 0) continue;
        double time = now();
        if (waits[0].revents) {
            int client = accept(listener, NULL, NULL), server = unix_socket(words[2], connect);
            if (client < 0) fail("accept");
            add(client, server);
            add(server, client);
        }
        for (int index = 0; index < known; index++)
            if (waits[index + 1].revents) receive(&ends[index], time + delay);
        for (int index = 0; index < known; index++) deliver(&ends[index], now());
        /* The two ends of a connection are neighbours. */
        for (int index = 0; index + 1 < ends_count; index += 2) {
            struct end *pair = &ends[index];
            if (pair[0].is_open || pair[1].is_open || pair[0].first || pair[1].first) continue;
            close(pair[0].descriptor);
            close(pair[1].descriptor);
            pair[0] = ends[ends_count - 2];
            pair[1] = ends[ends_count - 1];
            ends_count -= 2;
            index -= 2;
        }
    }
}
