/* sqlite FILE COUNT MARK: adds COUNT rows to a database through SQLite's C API, one a transaction, WAL,
   synchronous=FULL: a minimal hand-written host. MARK distinguishes the rows of one process from those of others.
   If BENCH_WAIT is set, it waits for a byte on stdin before it begins. With COUNT 0 it only creates the database.
   Prints a JSON object.

   sqlite FILE serve: adds such a row for each request line of its input, and answers each with a line after the commit.
   A request line must arrive alone and as a whole. */

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static sqlite3 *database;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static void check(int status) {
    if (status == SQLITE_OK || status == SQLITE_DONE) return;
    fprintf(stderr, "sqlite: %s\n", sqlite3_errmsg(database));
    exit(1);
}

static sqlite3_stmt *insert;

static void add(const char *mark, long number) {
    char email[64], body[512];
    snprintf(email, sizeof email, "c%s%ld@bu.edu", mark, number);
    snprintf(body, sizeof body,
             "{\"user\": {\"first_name\": \"Michael\", \"last_name\": \"Sorenson\", \"email\": \"%s\"}, "
             "\"address\": \"14 Barnesdale Rd. Natick, MA 01760\"}",
             email);
    sqlite3_bind_text(insert, 1, email, -1, SQLITE_STATIC);
    sqlite3_bind_text(insert, 2, body, -1, SQLITE_STATIC);
    check(sqlite3_step(insert));
    check(sqlite3_reset(insert));
}

static int serve(void) {
    static const char reply[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n";
    static char request[1 << 16];
    for (long number = 0; read(0, request, sizeof request) > 0; number++) {
        add("", number);
        if (write(1, reply, sizeof reply - 1) < 0) return 1;
    }
    sqlite3_finalize(insert);
    return sqlite3_close(database) != SQLITE_OK;
}

int main(int words_count, char **words) {
    int serves = words_count == 3 && strcmp(words[2], "serve") == 0;
    if (words_count < 4 && !serves) return 2;
    long count = atol(words[2]);
    check(sqlite3_open(words[1], &database));
    sqlite3_busy_timeout(database, 60000);
    check(sqlite3_exec(database, "pragma journal_mode=wal", NULL, NULL, NULL));
    check(sqlite3_exec(database, "pragma synchronous=full", NULL, NULL, NULL));
    check(sqlite3_exec(database,
                       "create table if not exists client (id integer primary key, operator int, email text, body text);"
                       "create unique index if not exists byemail on client (operator, email)",
                       NULL, NULL, NULL));
    check(sqlite3_prepare_v2(database, "insert into client (operator, email, body) values (1, ?, ?)", -1, &insert, NULL));
    if (serves) return serve();
    if (getenv("BENCH_WAIT")) {
        char byte;
        if (read(0, &byte, 1) < 0) return 1;
    }
    double begun = now();
    for (long number = 0; number < count; number++) add(words[3], number);
    double ended = now();
    printf("{\"count\": %ld, \"seconds\": %.9f, \"begun\": %.9f, \"ended\": %.9f}\n", count, ended - begun, begun, ended);
    sqlite3_finalize(insert);
    return sqlite3_close(database) != SQLITE_OK;
}
