internal import Store
internal import Synchronization

/// What all engines of a process know about the server.
package final class PostgresServer: Sendable {
    let settings: PostgresSettings
    let clocks: Clocks
    private let connector: any Connector
    let breaker: Breaker
    /// The server's clock.
    package let clock: ServerClock
    /// The turn to run a transaction that has conflicted twice.
    ///
    /// Without it, transactions that write the same page of the server's index, as all do in a small store, would
    /// conflict again each time: of 1,000 creations over 32 connections, half were answered with `busy`, and at most
    /// two with it.
    let rerunTurn = Turn()
    /// What has been learned of the transactions that only read.
    let lastGroups = LastGroups()
    private let log: @Sendable (String) -> Void

    /// - Parameter log: takes one line, without secrets, for an administrator.
    init(
        _ settings: PostgresSettings,
        connector: any Connector,
        clocks: Clocks = .system,
        log: @escaping @Sendable (String) -> Void
    ) {
        (self.settings, self.connector, self.clocks, self.log) = (settings, connector, clocks, log)
        (breaker, clock) = (Breaker(clocks), ServerClock(clocks))
    }

    /// When a request has last timed out, in milliseconds of `MonotonicClock`.
    var lastTimeout: Int { timeout.load(ordering: .relaxed) }

    private let timeout = Atomic(-1)

    /// A request has timed out on its connection.
    func recordTimeout() { timeout.store(clocks.milliseconds(), ordering: .relaxed) }

    /// Whether the database is marked as one for tests.
    package var isTest: Bool { foundTest.load(ordering: .relaxed) }

    private let foundTest = Atomic(false)

    /// Opens or creates the store on a connection of its own.
    ///
    /// - Throws: `StoreError.unusable`, for which it does not wait, and what `open` throws.
    func openStore() throws(StoreError) {
        let deadline = clocks.milliseconds() + timeoutMilliseconds
        while true {
            let connection: any ServerConnection
            do throws(ServerFault) {
                connection = try openConnection(before: deadline, isStart: true)
            } catch {
                if case .unusable(let reason) = error { throw .unusable(reason) }
                throw unavailable(error.reason)
            }
            defer { connection.close() }
            do {
                try Layout.open(settings, on: connection, before: deadline)
                let sent = clocks.microseconds()
                let (isTest, time) = try Layout.about(connection, before: deadline)
                // Before the first commit, whose mark begins with the time.
                if let time { clock.take(time, between: sent, and: clocks.microseconds()) }
                foundTest.store(isTest, ordering: .relaxed)
                for line in try Layout.missingSettings(on: connection, before: deadline) { log(line) }
                return
            } catch let error as StoreError {
                throw error
            } catch let fault as ServerFault where fault.endsConnection {
                guard clocks.milliseconds() < deadline else { throw unavailable(fault.reason) }
                clocks.pause(Self.pauseMilliseconds * 1_000)
            } catch ServerFault.timedOut {
                throw unavailable(ServerFault.timedOut.reason)
            } catch let fault as ServerFault {
                throw StoreError(fault)
            } catch {
                throw .serverFailed("\(error)")
            }
        }
    }

    /// When marks of transactions are next deleted, in milliseconds of `MonotonicClock`.
    private let nextMarkDeletion = Mutex(0)

    /// Lets the caller delete marks if that is due.
    ///
    /// - Returns: when it is due again; nil if it is not due now.
    func takeMarkDeletion(at now: Int) -> Int? {
        nextMarkDeletion.withLock { next in
            guard now >= next else { return nil }
            next = now + Self.markDeletionMilliseconds
            return next
        }
    }

    private static let markDeletionMilliseconds = 600_000

    /// A new engine, for the calling thread.
    package func makeEngine() -> PostgresEngine { PostgresEngine(self) }

    var timeoutMilliseconds: Int { settings.timeoutSeconds * 1_000 }

    /// Opens a connection, and waits for one until the deadline.
    ///
    /// - Throws: `StoreError.unavailable`, also if a server refuses connections: another one may take over.
    func connect(before deadline: Int) throws(StoreError) -> any ServerConnection {
        do throws(ServerFault) {
            return try openConnection(before: deadline, isStart: false)
        } catch {
            throw unavailable(error.reason)
        }
    }

    /// Opens a connection. While it is not known whether the server can be reached, one request of the process tries at
    /// a time: when the server is back, it is not met by the tries of all, and what one finds holds for those that
    /// wait.
    ///
    /// - Parameter isStart: whether the process ends with the error, so that the log does not repeat it.
    private func openConnection(
        before deadline: Int,
        isStart: Bool
    ) throws(ServerFault) -> any ServerConnection {
        var admission = breaker.admit(before: deadline)
        if admission == .free {
            if let connection = try? connector.connect(before: deadline) { return connection }
            breaker.noteLoss()
            admission = breaker.admit(before: deadline)
        }
        if case .refused(let reason) = admission {
            if !breaker.isOpen {
                // This one has waited as long as it may, so the next ones need not, however long the try takes.
                log("the server cannot be reached: \(reason)")
                breaker.open(reason)
            }
            throw .lost(reason)
        }
        defer { if admission == .turn { breaker.passTurn() } }
        while true {
            do throws(ServerFault) {
                let connection = try connector.connect(before: deadline)
                if breaker.close() { log("the server can be reached again") }
                return connection
            } catch {
                guard case .lost(let reason) = error, !breaker.isOpen,
                    clocks.milliseconds() + Self.pauseMilliseconds < deadline
                else {
                    if !breaker.isOpen, !isStart { log("the server cannot be reached: \(error.reason)") }
                    breaker.open(error.reason)
                    throw error
                }
                log("waiting for the server: \(reason)")
                clocks.pause(Self.pauseMilliseconds * 1_000)
            }
        }
    }

    func unavailable(_ reason: String) -> StoreError {
        .unavailable(reason, retryAfterSeconds: Breaker.retryMilliseconds / 1_000)
    }

    /// The pause between two tries to connect.
    private static let pauseMilliseconds = 200
}

extension StoreError {
    /// The store's error for a fault after which a transaction is not run again.
    init(_ fault: ServerFault) {
        self =
            switch fault {
            case .refused(let error) where error.state == "53100": .serverDiskFull
            case .refused(let error) where error.isTransient: .unavailable(fault.reason, retryAfterSeconds: 1)
            case .newerFormat(let format): .newerFormat(format)
            case .unusable(let reason): .unusable(reason)
            default: .serverFailed(fault.reason)
            }
    }
}
