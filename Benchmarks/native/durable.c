/* durable LINES FILE: answers each request line of its input with a line of constant text, after it has appended the
   next line of the file LINES to FILE and synced it: the minimum work of a program that is told of durable writes
   behind two pipes. A request line must arrive alone and as a whole, as those of a caller that waits for each reply. */

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static const char reply[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n";

int main(int words_count, char **words) {
    if (words_count < 3) return 2;
    FILE *lines = fopen(words[1], "r");
    int file = open(words[2], O_WRONLY | O_CREAT | O_EXCL | O_APPEND, 0600);
    if (!lines || file < 0) return 1;
    static char request[1 << 16];
    char *line = NULL;
    size_t room = 0;
    while (read(0, request, sizeof request) > 0) {
        ssize_t length = getline(&line, &room, lines);
        if (length <= 0) {
            rewind(lines);
            length = getline(&line, &room, lines);
        }
        if (length <= 0 || write(file, line, length) != length || fdatasync(file) != 0) return 1;
        if (write(1, reply, sizeof reply - 1) < 0) return 1;
    }
    return 0;
}
