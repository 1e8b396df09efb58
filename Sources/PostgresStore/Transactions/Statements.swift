internal import Store

/// The statements of transactions. All names have their schema, because the role's search path may be anything.
enum Statements {
    // MARK: Beginning and ending

    static func begin(_ kind: TransactionView.Kind) -> Statement {
        switch kind {
        case .reading: beginReading()
        case .writing: beginWriting()
        case .alone: beginAlone()
        }
    }

    private static let beginReading = PreparedStatement(
        "begin reading",
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
    )
    private static let beginWriting = PreparedStatement(
        "begin writing",
        "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE"
    )
    static let beginAlone = PreparedStatement("begin alone", "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
    /// Takes the lock $1 until the end of the transaction; false if another transaction has it.
    static let tryLock = PreparedStatement("try lock", "SELECT pg_try_advisory_xact_lock($1::int8)")
    /// The same, but waits for another transaction that has it.
    static let lock = PreparedStatement("lock", "SELECT true FROM pg_advisory_xact_lock($1::int8)")
    /// Finds out whether the server answers.
    static let probe = PreparedStatement("probe", "SELECT 1")
    /// The settings of all transactions of a session, if the server's process has the number `process`: a row if it
    /// has.
    ///
    /// A sequential scan would read the whole table, and SERIALIZABLE would then regard each write as a conflict.
    /// A plan that cannot avoid one has such a high cost that the server would compile it, which takes long.
    static func sessionSettings(ifProcess process: Int) -> Statement {
        PreparedStatement.once(
            """
            SELECT set_config('enable_seqscan', 'off', false), set_config('jit', 'off', false) \
            WHERE pg_backend_pid() = $1::int8
            """,
            Parameter.number(process)
        )
    }
    /// The settings of the transaction, which PgBouncer does not carry over from an earlier one: $1 is the time in
    /// milliseconds that a statement may take. It returns the format of the store, and the server's time in
    /// microseconds.
    static let prologue = PreparedStatement(
        "prologue",
        """
        SELECT (SELECT format FROM postern.meta WHERE number = 1), (extract(epoch FROM clock_timestamp()) * 1000000)::int8, \
        set_config('enable_seqscan', 'off', true), set_config('statement_timeout', $1::text, true), \
        set_config('idle_in_transaction_session_timeout', $1::text, true)
        """
    )
    /// The same for a transaction that its first group ends, so that it is never idle, in a session that has its
    /// settings. It does not return the time.
    static let shortPrologue = PreparedStatement(
        "short prologue",
        "SELECT format FROM postern.meta WHERE number = 1 AND set_config('statement_timeout', $1::text, true) IS NOT NULL"
    )
    static let commit = PreparedStatement("commit", "COMMIT")
    static let rollback = PreparedStatement("rollback", "ROLLBACK")

    // MARK: Reading

    private static let values = PreparedStatement(
        "values",
        "SELECT key, value FROM postern.entries WHERE key = ANY($1::bytea[])"
    )

    /// Entries from $1 up to, but not including, $2: at most $3.
    static func scan(descending: Bool) -> PreparedStatement { descending ? scanDown : scanUp }
    private static let scanUp = PreparedStatement("scan up", scan("ASC"))
    private static let scanDown = PreparedStatement("scan down", scan("DESC"))

    private static func scan(_ order: String) -> String {
        """
        SELECT key, value FROM postern.entries WHERE key >= $1::bytea AND key < $2::bytea \
        ORDER BY key \(order) LIMIT $3::int8
        """
    }

    /// The same with the records behind the entries: $4 entries are skipped, $5 is the prefix of the records' keys.
    static func scanRecords(descending: Bool) -> PreparedStatement { descending ? scanRecordsDown : scanRecordsUp }
    private static let scanRecordsUp = PreparedStatement("scan records up", scanRecords("ASC"))
    private static let scanRecordsDown = PreparedStatement("scan records down", scanRecords("DESC"))

    /// LIMIT 1 makes the server look up each record by its key. It would otherwise sometimes join the whole table.
    private static func scanRecords(_ order: String) -> String {
        """
        SELECT e.key, e.value, r.key, r.value FROM (SELECT key, value FROM postern.entries \
        WHERE key >= $1::bytea AND key < $2::bytea ORDER BY key \(order) LIMIT $3::int8 OFFSET $4::int8) e \
        LEFT JOIN LATERAL (SELECT key, value FROM postern.entries \
        WHERE key = $5::bytea || \(recordKey) LIMIT 1) r ON true ORDER BY e.key \(order)
        """
    }

    /// The entry of a unique index with the key $1, and the record behind it: $2 is the prefix of the records' keys.
    private static let record = PreparedStatement(
        "record",
        """
        SELECT e.key, e.value, r.key, r.value FROM postern.entries e LEFT JOIN LATERAL (SELECT key, value \
        FROM postern.entries WHERE key = $2::bytea || \(recordKey) LIMIT 1) r ON true WHERE e.key = $1::bytea
        """
    )

    /// The companions of the record behind the entry $1: their keys are the record's key between the elements of $2 and
    /// $3.
    private static let companions = PreparedStatement(
        "companions",
        """
        SELECT c.key, r.value FROM postern.entries e CROSS JOIN unnest($2::bytea[], $3::bytea[]) AS p (before, after) \
        CROSS JOIN LATERAL (SELECT p.before || \(recordKey) || p.after AS key) c \
        LEFT JOIN LATERAL (SELECT value FROM postern.entries WHERE key = c.key LIMIT 1) r ON true WHERE e.key = $1::bytea
        """
    )

    /// The key of a record in its collection, which is the value of the index entry `e`: a JSON string.
    private static let recordKey = "convert_to(convert_from(e.value, 'UTF8')::json #>> '{}', 'UTF8')"

    /// The number of records of a collection.
    static func count(of collection: String) -> Statement {
        let bounds = KeyBounds(collection: collection, index: StoreKey.recordIndex, prefix: nil, from: nil)
        return PreparedStatement.once(
            "SELECT count(*) FROM postern.entries WHERE key >= $1::bytea AND key < $2::bytea",
            bounds.lower.bytes,
            bounds.upper.bytes
        )
    }

    /// The next number of a counter.
    static func nextNumber(of counter: Counter) -> Statement {
        nextNumber(Parameter.text(Layout.sequence(of: counter.name)))
    }
    private static let nextNumber = PreparedStatement("next number", "SELECT nextval($1::text::regclass)")

    /// The next number of the sequence $1, if the key $2 exists, or is null, and the key $3 does not exist.
    private static let numberIf = PreparedStatement(
        "number if",
        """
        SELECT nextval($1::text::regclass) WHERE ($2::bytea IS NULL OR EXISTS (SELECT 1 FROM postern.entries \
        WHERE key = $2::bytea)) AND NOT EXISTS (SELECT 1 FROM postern.entries WHERE key = $3::bytea)
        """
    )

    /// The last number that a counter has given; no row if it has given none.
    static func lastNumber(of counter: String) -> Statement {
        PreparedStatement.once("SELECT last_value FROM \(Layout.sequence(of: counter)) WHERE is_called")
    }

    /// Sets the last number that a counter has given.
    static func setNumber(of counter: String, to number: Int) -> Statement {
        PreparedStatement.once(
            "SELECT setval($1::text::regclass, $2::int8)",
            Parameter.text(Layout.sequence(of: counter)),
            Parameter.number(number)
        )
    }

    /// The statements that read what a transaction has announced, each kind in the order of its list: one for all keys,
    /// then one or two for each entry, and one for each part of an index and each number.
    static func reading(_ announced: Prefetch) -> [Statement] {
        var statements: [Statement] = []
        if !announced.keys.isEmpty { statements.append(values(Parameter.array(announced.keys.map(\.bytes)))) }
        for entry in announced.entries {
            statements.append(record(entry.key.bytes, entry.prefix))
            guard !entry.companions.isEmpty else { continue }
            let (before, after) = (entry.companions.map(\.before), entry.companions.map(\.after))
            statements.append(companions(entry.key.bytes, Parameter.array(before), Parameter.array(after)))
        }
        statements += announced.scans.map { scan in
            scanRecords(descending: scan.descending)(
                scan.bounds.lower.bytes,
                scan.bounds.upper.bytes,
                Parameter.number(scan.limit),
                Parameter.number(scan.offset),
                scan.recordPrefix
            )
        }
        statements += announced.numbers.map { number in
            numberIf(
                Parameter.text(Layout.sequence(of: number.counter.name)),
                number.present?.bytes,
                number.absent?.bytes
            )
        }
        return statements
    }

    // MARK: Writing

    static let delete = PreparedStatement("delete", "DELETE FROM postern.entries WHERE key = ANY($1::bytea[])")
    static let insert = PreparedStatement(
        "insert",
        "INSERT INTO postern.entries SELECT * FROM unnest($1::bytea[], $2::bytea[])"
    )
    static let put = PreparedStatement(
        "put",
        """
        INSERT INTO postern.entries SELECT * FROM unnest($1::bytea[], $2::bytea[]) \
        ON CONFLICT (key) DO UPDATE SET value = excluded.value
        """
    )

    // MARK: Settling commits

    /// Marks the transaction, by the id $1, so that its outcome can be found out later. A COMMIT that waits for a
    /// standby must not be cancelled, so the limit of a statement's time ends here.
    static let mark = PreparedStatement(
        "mark",
        """
        INSERT INTO postern.commits (id, fenced) VALUES ($1::bytea, false) \
        RETURNING set_config('statement_timeout', '0', true)
        """
    )
    /// How long a settlement waits for a transaction that is still running: $1 milliseconds.
    static let settlingTimeout = PreparedStatement(
        "settling timeout",
        "SELECT set_config('lock_timeout', $1::text, true), set_config('statement_timeout', $1::text, true)"
    )
    /// Takes the mark's place, unless the transaction with the id $1 has committed.
    static let fence = PreparedStatement(
        "fence",
        "INSERT INTO postern.commits (id, fenced) VALUES ($1::bytea, true) ON CONFLICT (id) DO NOTHING"
    )
    /// Writes the mark or the fence again, so that the COMMIT of the settlement waits for a standby as that of the
    /// transaction should have: a server whose COMMIT was interrupted has committed, but no standby may know of it.
    static let touch = PreparedStatement("touch", "UPDATE postern.commits SET fenced = fenced WHERE id = $1::bytea")
    /// Whether the transaction with the id $1 can never commit.
    static let isFenced = PreparedStatement(
        "is fenced",
        "SELECT fenced FROM postern.commits WHERE id = $1::bytea"
    )
    /// Deletes the marks that are older than $1 milliseconds by the server's clock: that of this machine may be wrong.
    static let deleteMarks = PreparedStatement(
        "delete marks",
        """
        DELETE FROM postern.commits WHERE id < decode(lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::int8 \
        - $1::int8), 12, '0'), 'hex')
        """
    )
}
