#include <libpq-fe.h>

// Swift does not import macros that are characters.
static const int postern_pg_diag_sqlstate = PG_DIAG_SQLSTATE;
static const int postern_pg_diag_message_primary = PG_DIAG_MESSAGE_PRIMARY;
