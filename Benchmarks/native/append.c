/* append LINES FILE COUNT GROUP: appends COUNT lines of the file LINES, repeated as needed, to a new FILE, and syncs it
   after each GROUP lines: the minimum cost of a log. Prints a JSON object. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

int main(int words_count, char **words) {
    if (words_count < 5) return 2;
    FILE *lines = fopen(words[1], "r");
    int file = open(words[2], O_WRONLY | O_CREAT | O_EXCL | O_APPEND, 0600);
    long count = atol(words[3]), group = atol(words[4]), total = 0;
    if (!lines || file < 0) return 1;
    char *bytes = NULL, *line = NULL;
    size_t size = 0, room = 0, line_room = 0;
    double begun = now();
    for (long done = 0; done < count;) {
        ssize_t length = getline(&line, &line_room, lines);
        if (length <= 0) {
            if (done == 0) return 1;
            rewind(lines);
            continue;
        }
        if (size + length > room && !(bytes = realloc(bytes, room = (size + length) * 2))) return 1;
        memcpy(bytes + size, line, length);
        size += length;
        if (++done % group != 0 && done < count) continue;
        if (write(file, bytes, size) != (ssize_t)size || fdatasync(file) != 0) return 1;
        total += size;
        size = 0;
    }
    printf("{\"count\": %ld, \"seconds\": %.9f, \"bytes\": %ld}\n", count, now() - begun, total);
    return 0;
}
