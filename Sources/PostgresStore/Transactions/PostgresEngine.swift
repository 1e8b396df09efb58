internal import Platform
package import Store

/// The engine over PostgreSQL: one connection, which belongs to one thread.
///
/// A transaction costs round trips, so it reads and writes in groups of statements:
///
///     read     the first read brings BEGIN with it, and the last one COMMIT; which one that is, `LastGroups` guesses
///     write    the first read brings BEGIN with it; all writes are sent last, with a mark and COMMIT, together
///
/// Each write transaction is committed when `write` returns, so nothing is ever staged.
package final class PostgresEngine: Engine {
    let server: PostgresServer
    var connection: (any ServerConnection)?
    /// When the connection has last answered, in milliseconds of `MonotonicClock`.
    var lastAnswer = 0
    /// The transaction under way.
    var view = TransactionView(.reading, deadline: 0)

    /// The most times that a transaction is run because of conflicts.
    static let runsMax = 10
    /// Later runs need a turn.
    static let runsWithoutTurnMax = 2

    /// The first transaction opens a connection.
    init(_ server: PostgresServer) {
        self.server = server
    }

    package let kind = "postgres"
    package let ordersNumbers = false

    // MARK: Transactions

    package func read<Value>(_ body: (any EngineTransaction) throws -> Value) throws -> Value {
        var conflicts = 0
        var mayEndEarly = true
        let deadline = server.clocks.milliseconds() + server.timeoutMilliseconds
        while true {
            try begin(TransactionView(.reading, deadline: deadline, mayEndEarly: mayEndEarly))
            let result = Result { try body(self) }
            if view.hasEndedEarly {
                mayEndEarly = false
                continue
            }
            guard let fault = view.fault else {
                end()
                return try result.get()
            }
            try recover(from: fault, &conflicts)
        }
    }

    package func write<Value>(
        _ body: (any EngineTransaction) throws -> Value,
        keeping: (any Error, any EngineTransaction) throws -> Void
    ) throws -> Value {
        guard let value = try write(.writing, { try body($0) }, keeping) else {
            preconditionFailure("only a transaction that runs alone may have to wait")
        }
        return value
    }

    package func writeAlone<Value>(
        lock: Int,
        waits: Bool,
        _ body: (any EngineTransaction) throws -> Value
    ) throws -> Value? {
        try write(
            .alone,
            { transaction in
                let statement = waits ? Statements.lock : Statements.tryLock
                let hasLock = try fetch([statement(Parameter.number(lock))])[0].rows.first?.bool(0)
                return hasLock == true ? try body(transaction) : nil
            },
            { _, _ in }
        )
    }

    private func write<Value>(
        _ kind: TransactionView.Kind,
        _ body: (any EngineTransaction) throws -> Value?,
        _ keeping: (any Error, any EngineTransaction) throws -> Void
    ) throws -> Value? {
        var conflicts = 0
        var wanted: Set<StoreKey> = []
        let deadline = server.clocks.milliseconds() + server.timeoutMilliseconds
        var hasTurn = false
        defer { if hasTurn { server.rerunTurn.pass() } }
        while true {
            if conflicts >= Self.runsWithoutTurnMax, !hasTurn {
                hasTurn = server.rerunTurn.take(milliseconds: deadline - server.clocks.milliseconds())
                guard hasTurn else { throw StoreError.contended(runs: conflicts, retryAfterSeconds: 1) }
            }
            try begin(TransactionView(kind, deadline: deadline, wanted: wanted))
            let result = run(body, keeping)
            if view.fault == nil {
                guard !view.changes.isEmpty else {
                    end()
                    return try result.get()
                }
                if try commit() { return try result.get() }
            }
            // A key that was assumed to be free may exist, so the next run reads it first.
            wanted.formUnion(view.guesses)
            if let fault = view.fault { try recover(from: fault, &conflicts) }
        }
    }

    private func run<Value>(
        _ body: (any EngineTransaction) throws -> Value,
        _ keeping: (any Error, any EngineTransaction) throws -> Void
    ) -> Result<Value, any Error> {
        do {
            return .success(try body(self))
        } catch let refusal {
            guard view.fault == nil else { return .failure(refusal) }
            view.dropChanges()
            do {
                try keeping(refusal, self)
                return .failure(refusal)
            } catch {
                view.dropChanges()
                return .failure(error)
            }
        }
    }

    private func begin(_ view: TransactionView) throws(StoreError) {
        self.view = view
        _ = try usableConnection(before: view.deadline)
    }

    /// Ends a transaction without writes. Its snapshot was consistent, so the reply need not be awaited.
    private func end() {
        if view.progress == .underWay { connection?.post([Statements.commit()]) }
        view.progress = .ended
    }

    /// Prepares the next run of a transaction.
    ///
    /// - Throws: the error that ends the request, if the transaction cannot be run again.
    private func recover(from fault: ServerFault, _ conflicts: inout Int) throws(StoreError) {
        let now = server.clocks.milliseconds()
        switch fault {
        case .refused(let error) where error.isConflict:
            connection?.post([Statements.rollback()])
            conflicts += 1
            guard conflicts < Self.runsMax, now < view.deadline else {
                throw .contended(runs: conflicts, retryAfterSeconds: 1)
            }
            server.clocks.pause(Int.random(in: 0...(500 << min(conflicts, 6))))
        case .refused(let error) where !error.endsConnection:
            connection?.post([Statements.rollback()])
            throw StoreError(fault)
        case .refused, .lost:
            disconnect()
            server.breaker.noteLoss()
            guard now < view.deadline else { throw server.unavailable(fault.reason) }
            server.clocks.pause(Self.reconnectMicroseconds)
        case .timedOut:
            disconnect()
            server.breaker.noteLoss()
            throw server.unavailable(fault.reason)
        case .newerFormat, .unusable:
            disconnect()
            throw StoreError(fault)
        }
    }

    /// The pause before the next connection: one that was just lost is often lost again at once.
    private static let reconnectMicroseconds = 20_000

    func disconnect() {
        connection?.close()
        connection = nil
    }

    // MARK: Statements

    /// Runs statements within the transaction, which they begin if they are the first. The keys that are wanted are
    /// read with them.
    ///
    /// - Returns: the results of `statements`.
    func fetch(_ statements: [Statement]) throws(StoreError) -> [StatementResult] {
        guard view.fault == nil, let connection else { throw server.unavailable("the transaction was interrupted") }
        if let group = view.lastGroup { server.lastGroups.noteContinuation(after: group) }
        guard view.progress != .ended else {
            view.hasEndedEarly = true
            throw server.unavailable("the transaction was interrupted")
        }
        let announced = view.takeAnnounced()
        let (isFirst, reading) = (view.progress == .notBegun, Statements.reading(announced))
        view.progress = .underWay
        let ending = ending(reading: announced, statements)
        let beginning = isFirst ? beginning(endsAtOnce: !ending.isEmpty) : []
        var results: [StatementResult]
        let sent = server.clocks.microseconds()
        do throws(ServerFault) {
            results = try run(beginning + reading + statements + ending, on: connection, before: view.deadline)
            server.breaker.noteAnswer()
            if !beginning.isEmpty { try checkPrologue(results[1], sent: sent) }
        } catch {
            view.fault = error
            throw server.unavailable("the transaction was interrupted")
        }
        results.removeFirst(beginning.count)
        results.removeLast(ending.count)
        try learn(announced, from: results.prefix(reading.count))
        return Array(results.dropFirst(reading.count))
    }

    /// Keeps what the statements of `Statements.reading` have read.
    private func learn(_ announced: Prefetch, from results: ArraySlice<StatementResult>) throws(StoreError) {
        var results = results
        if !announced.keys.isEmpty, let result = results.popFirst() {
            learnValues(result.rows)
            for key in announced.keys { view.learn(nil, of: key) }
        }
        for entry in announced.entries {
            _ = try learnPairs(results.popFirst()?.rows ?? [])
            view.learn(nil, of: entry.key)
            if !entry.companions.isEmpty { learnValues(results.popFirst()?.rows ?? []) }
        }
        for scan in announced.scans {
            view.learn(try learnPairs(results.popFirst()?.rows ?? []), of: scan)
        }
        for number in announced.numbers {
            if let drawn = results.popFirst()?.rows.first?.number(0) { view.learn(drawn, of: number.counter) }
        }
    }

    /// The statements that begin the transaction.
    private func beginning(endsAtOnce: Bool) -> [Statement] {
        let milliseconds = Parameter.text("\(server.timeoutMilliseconds)")
        let isShort = endsAtOnce && connection?.hasSessionSettings == true && server.clock.isRecent
        return [
            Statements.begin(view.kind),
            isShort ? Statements.shortPrologue(milliseconds) : Statements.prologue(milliseconds),
        ]
    }

    /// COMMIT, if the transaction only reads and the group is likely its last.
    private func ending(reading announced: Prefetch, _ statements: [Statement]) -> [Statement] {
        guard view.kind == .reading, view.groups < LastGroups.depth else { return [] }
        let kind = LastGroups.kind(after: view.lastGroup, reading: announced, statements)
        view.lastGroup = kind
        view.groups += 1
        guard view.mayEndEarly, server.lastGroups.isLikelyLast(kind) else { return [] }
        view.progress = .ended
        return [Statements.commit()]
    }

    private func checkPrologue(_ result: StatementResult, sent: Int) throws(ServerFault) {
        guard let row = result.rows.first, let format = row.number(0) else {
            throw .unusable("the table postern.meta is empty")
        }
        guard format <= Layout.format else {
            throw .newerFormat(format)
        }
        if row.count > 1, let time = row.number(1) {
            server.clock.take(time, between: sent, and: server.clocks.microseconds())
        }
    }

    package func makeDurable() throws(StoreError) {}
    package func discardStaged() {}
    /// Deletes the marks of transactions whose outcome no process asks for any more. One engine of the process does it.
    package func maintain() -> Int? {
        let now = server.clocks.milliseconds()
        guard let time = server.takeMarkDeletion(at: now) else { return nil }
        // If it fails, later marks are deleted with these.
        _ = try? run([Statements.deleteMarks(Parameter.number(CommitID.retentionSeconds * 1_000))])
        return time - now
    }

    /// Runs statements outside of `read` and `write`, on an engine that no transaction uses.
    ///
    /// - Parameter waits: whether to wait as long as the connection lasts.
    @discardableResult
    func run(_ statements: [Statement], waits: Bool = false) throws(StoreError) -> [StatementResult] {
        let deadline = server.clocks.milliseconds() + server.timeoutMilliseconds
        let connection = try usableConnection(before: deadline)
        do throws(ServerFault) {
            return try run(statements, on: connection, before: waits ? nil : deadline)
        } catch {
            switch error {
            case .lost, .timedOut:
                disconnect()
                throw server.unavailable(error.reason)
            case .refused, .newerFormat, .unusable: throw StoreError(error)
            }
        }
    }

    package func close() { disconnect() }
}
