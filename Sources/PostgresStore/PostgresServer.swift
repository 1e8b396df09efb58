internal import Store
internal import Platform
internal import Synchronization

/// What all engines of a process know about the server.
package final class PostgresServer: Sendable {
    let settings: PostgresSettings
    private let connector: any Connector
    let breaker = Breaker()
    /// The server's clock.
    package let clock = ServerClock()
    private let log: @Sendable (String) -> Void

    /// - Parameter log: takes one line, without secrets, for an administrator.
    init(_ settings: PostgresSettings, connector: any Connector, log: @escaping @Sendable (String) -> Void) {
        (self.settings, self.connector, self.log) = (settings, connector, log)
    }

    /// Whether the database is marked as one for tests.
    package var isTest: Bool { foundTest.load(ordering: .relaxed) }

    private let foundTest = Atomic(false)

    /// Opens or creates the store on a connection of its own.
    func openStore() throws(StoreError) {
        let deadline = MonotonicClock.milliseconds + timeoutMilliseconds
        while true {
            let connection = try connect(before: deadline)
            defer { connection.close() }
            do {
                try Layout.open(settings, on: connection, before: deadline)
                let sent = SystemClock.microseconds
                let (isTest, time) = try Layout.about(connection, before: deadline)
                // Before the first commit, whose mark begins with the time.
                if let time { clock.take(time, between: sent, and: SystemClock.microseconds) }
                foundTest.store(isTest, ordering: .relaxed)
                for line in try Layout.missingSettings(on: connection, before: deadline) { log(line) }
                return
            } catch let error as StoreError {
                throw error
            } catch ServerFault.lost(let reason) {
                guard MonotonicClock.milliseconds < deadline else { throw unavailable(reason) }
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
    /// - Throws: `StoreError.unavailable`.
    func connect(before deadline: Int) throws(StoreError) -> any ServerConnection {
        while true {
            if let reason = breaker.refusal(at: MonotonicClock.milliseconds) { throw unavailable(reason) }
            do throws(ServerFault) {
                let connection = try connector.connect()
                if breaker.close() { log("the server can be reached again") }
                return connection
            } catch {
                guard case .lost(let reason) = error, !breaker.isOpen,
                    MonotonicClock.milliseconds + Self.pauseMilliseconds < deadline
                else {
                    let reason = error.reason
                    if !breaker.isOpen { log("the server cannot be reached: \(reason)") }
                    breaker.open(reason, at: MonotonicClock.milliseconds)
                    throw unavailable(reason)
                }
                log("waiting for the server: \(reason)")
                Thread.sleep(microseconds: Self.pauseMilliseconds * 1_000)
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
            case .refused(let error) where error.state == "53100": .diskFull
            case .refused(let error) where error.isTransient: .unavailable(fault.reason, retryAfterSeconds: 1)
            case .newerFormat(let format): .newerFormat(format)
            default: .serverFailed(fault.reason)
            }
    }
}
