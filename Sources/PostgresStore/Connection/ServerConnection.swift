/// A connection to a PostgreSQL server, on which statements travel in groups: a group takes one round trip however many
/// statements it has.
///
/// Once a call has thrown `ServerFault.lost` or `.timedOut`, the connection is closed and cannot be used any more.
protocol ServerConnection: AnyObject {
    /// Whether the settings of `Statements.sessionSettings` hold on this connection.
    var hasSessionSettings: Bool { get }

    /// Sends a group of statements and waits for their results.
    ///
    /// - Parameter deadline: until when to wait, in milliseconds of `MonotonicClock`; nil for as long as the connection
    ///   lasts.
    /// - Throws: `ServerFault.refused` for the first statement that the server refuses, after which it skips the rest
    ///   of the group; `.lost`; `.timedOut`.
    func run(_ statements: [Statement], before deadline: Int?) throws(ServerFault) -> [StatementResult]

    /// Sends a group of statements without waiting. Their results are dropped before those of the next group.
    func post(_ statements: [Statement])

    /// Closes the connection.
    func close()
}

/// Opens connections to a server.
protocol Connector: Sendable {
    /// Opens a connection. It tries all hosts that are stated.
    ///
    /// - Parameter deadline: when the request fails, in milliseconds of `MonotonicClock`. No try waits much longer for
    ///   a host; more hosts can take longer.
    /// - Throws: `ServerFault.lost` with what the last host answered, or `.unusable`.
    func connect(before deadline: Int) throws(ServerFault) -> any ServerConnection
}

/// Why a group of statements or a connection failed.
enum ServerFault: Error, Equatable {
    /// The server refused a statement.
    case refused(ServerError)
    /// There is no connection, or it ended. The text is for an administrator and has no secrets.
    case lost(String)
    /// The server did not answer in time.
    case timedOut
    /// The server answers, but cannot be used as it is: a wrong password, a database that does not exist, or
    /// a version that is too old.
    case unusable(String)
    /// The store was written by a newer version of the program.
    case newerFormat(Int)

    /// Whether another connection, perhaps to another server, may have no such fault.
    var endsConnection: Bool {
        switch self {
        case .lost: true
        case .refused(let error): error.endsConnection
        case .timedOut, .unusable, .newerFormat: false
        }
    }

    /// The reason as a sentence for people, without the full stop.
    var reason: String {
        switch self {
        case .refused(let error): "\(error.message) (SQLSTATE \(error.state))"
        case .lost(let reason), .unusable(let reason): reason
        case .timedOut: "the server did not answer in time"
        case .newerFormat(let format): "the store has format \(format)"
        }
    }
}

/// An error that the server reports.
struct ServerError: Error, Equatable {
    /// The five characters of SQLSTATE.
    let state: String
    /// The server's message. It may name tables, but the statements here put no values into it.
    let message: String

    /// serialization_failure
    static let conflict = "40001"

    /// Whether the transaction may succeed if it is run again: it conflicts with another one (40001, 40P01), a key that
    /// it assumed to be free exists (23505), or a failed group of statements was to prepare one of its statements
    /// (26000).
    var isConflict: Bool { [Self.conflict, "40P01", "23505", "26000"].contains(state) }

    /// Whether the server could do it at another time: it has too few resources (class 53), or the statement was
    /// cancelled (57014) or waited too long for a lock (55P03).
    var isTransient: Bool { state.hasPrefix("53") || ["57014", "55P03"].contains(state) }

    /// Whether the server ends the connection, or cannot write at present: another server may have taken over, or the
    /// same one comes back.
    var endsConnection: Bool {
        state.hasPrefix("08") || ["25006", "57P01", "57P02", "57P03", "57P05", "25P03"].contains(state)
    }
}
