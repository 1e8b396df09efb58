/* sqlite FILE COUNT MARK: adds COUNT rows to a database through SQLite's C API, one a transaction, WAL,
   synchronous=FULL: a minimal hand-written host. MARK distinguishes the rows of one process from those of others.
   If BENCH_WAIT is set, it waits for a byte on stdin before it begins. With COUNT 0 it only creates the database.
   Prints a JSON object. */

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

int main(int words_count, char **words) {
    if (words_count < 4) return 2;
    long count = atol(words[2]);
    check(sqlite3_open(words[1], &database));
    sqlite3_busy_timeout(database, 60000);
    check(sqlite3_exec(database, "pragma journal_mode=wal", NULL, NULL, NULL));
    check(sqlite3_exec(database, "pragma synchronous=full", NULL, NULL, NULL));
    check(sqlite3_exec(database,
                       "create table if not exists client (id integer primary key, operator int, email text, body text);"
                       "create unique index if not exists byemail on client (operator, email)",
                       NULL, NULL, NULL));
    sqlite3_stmt *insert;
    check(sqlite3_prepare_v2(database, "insert into client (operator, email, body) values (1, ?, ?)", -1, &insert, NULL));
    if (getenv("BENCH_WAIT")) {
        char byte;
        if (read(0, &byte, 1) < 0) return 1;
    }
    double begun = now();
    for (long number = 0; number < count; number++) {
        char email[64], body[512];
        snprintf(email, sizeof email, "c%s%ld@bu.edu", words[3], number);
        snprintf(body, sizeof body,
                 "{\"user\": {\"first_name\": \"Michael\", \"last_name\": \"Sorenson\", \"email\": \"%s\"}, "
                 "\"address\": \"14 Barnesdale Rd. Natick, MA 01760\"}",
                 email);
        sqlite3_bind_text(insert, 1, email, -1, SQLITE_STATIC);
        sqlite3_bind_text(insert, 2, body, -1, SQLITE_STATIC);
        check(sqlite3_step(insert));
        check(sqlite3_reset(insert));
    }
    double ended = now();
    printf("{\"count\": %ld, \"seconds\": %.9f, \"begun\": %.9f, \"ended\": %.9f}\n", count, ended - begun, begun, ended);
    sqlite3_finalize(insert);
    return sqlite3_close(database) != SQLITE_OK;
}
