/// A server's refusal of a connection, read from the message of libpq, which has no other place for it.
///
/// A verbose message has the state in any language of the server:
///
///     connection to server at "db1" (10.0.0.1), port 5432 failed: FATAL:  3D000: database "accounts" does not exist
///     LOCATION:  InitPostgres, postinit.c:885
struct ConnectionRefusal: Equatable {
    /// The five characters of SQLSTATE; nil if the message has none.
    let state: String?
    /// The message on one line, without the places in the server's source.
    let reason: String

    /// Whether a message of libpq is of a server, whose severity is followed by two spaces. Messages of libpq have
    /// none.
    static func isIn(_ message: String) -> Bool { message.contains(":  ") }

    /// - Parameter message: a verbose message of libpq about one or several hosts. The last one ended the try.
    init(_ message: String) {
        let lines = message.split(whereSeparator: \.isNewline).filter { !$0.hasPrefix("LOCATION:") }
        reason = lines.joined(separator: "\n").onOneLine
        state = lines.compactMap(Self.state).last
    }

    private static func state(in line: Substring) -> String? {
        guard let mark = line.firstRange(of: ":  ") else { return nil }
        let (state, rest) = (line[mark.upperBound...].prefix(5), line[mark.upperBound...].dropFirst(5))
        guard state.count == 5, rest.hasPrefix(":"), state.allSatisfy({ $0.isASCII && ($0.isNumber || $0.isUppercase) })
        else { return nil }
        return String(state)
    }

    /// The fault, with what to do about it. A server that only starts, stops, or has too many connections is used
    /// later.
    ///
    /// - Parameter needsPassword: whether libpq had no password.
    func fault(database: String, user: String, needsPassword: Bool) -> ServerFault {
        switch state {
        case "3D000": .unusable("\(reason); createdb --owner=\(user) \(database) creates it")
        case "28P01": .unusable("\(reason); \(Self.passwordHelp)")
        case "28000": .unusable("\(reason); check the user in the address, and pg_hba.conf on the server")
        case "42501": .unusable("\(reason); GRANT CONNECT ON DATABASE gives the right")
        case nil where needsPassword: .unusable("\(reason); \(Self.passwordHelp)")
        default: .lost(reason)
        }
    }

    private static let passwordHelp = "the password is read from the file that PGPASSFILE names, or from ~/.pgpass"
}

extension String {
    /// The text with its lines joined by spaces.
    var onOneLine: String {
        split(whereSeparator: \.isNewline).map { $0.trimmingPrefix { $0.isWhitespace } }.joined(separator: " ")
    }
}
