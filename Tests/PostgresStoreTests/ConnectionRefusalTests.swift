import Testing

@testable import PostgresStore

/// The messages are those of libpq 15 with `PQERRORS_VERBOSE`.
struct ConnectionRefusalTests {
    private static let socket = #"connection to server on socket "/run/.s.PGSQL.5432" failed: "#
    private static let host = #"connection to server at "db1" (10.0.0.1), port 5432 failed: "#

    private static func fault(_ message: String, needsPassword: Bool = false) -> ServerFault {
        ConnectionRefusal(message).fault(database: "accounts", user: "app", needsPassword: needsPassword)
    }

    @Test(arguments: [
        (
            #"FATAL:  3D000: database "accounts" does not exist"#,
            "createdb --owner=app accounts creates it"
        ),
        (
            #"FATAL:  3D000: Datenbank „accounts“ existiert nicht"#,
            "createdb --owner=app accounts creates it"
        ),
        (
            #"ВАЖНО:  28P01: пользователь "app" не прошёл проверку подлинности (по паролю)"#,
            "the password is read from the file that PGPASSFILE names, or from ~/.pgpass"
        ),
        (
            #"FATAL:  28000: no pg_hba.conf entry for host "10.0.0.9", user "app", database "accounts", no encryption"#,
            "check the user in the address, and pg_hba.conf on the server"
        ),
        (
            #"FATAL:  42501: permission denied for database "accounts""#,
            "GRANT CONNECT ON DATABASE gives the right"
        ),
    ])
    func saysWhatToDo(message: String, help: String) {
        let text = Self.host + message
        #expect(ConnectionRefusal.isIn(text))
        #expect(Self.fault(text + "\nLOCATION:  InitPostgres, postinit.c:885\n") == .unusable("\(text); \(help)"))
    }

    @Test func saysHowToGiveAPassword() {
        let message = Self.host + "fe_sendauth: no password supplied"
        let help = "the password is read from the file that PGPASSFILE names, or from ~/.pgpass"
        #expect(!ConnectionRefusal.isIn(message))
        #expect(Self.fault(message + "\n", needsPassword: true) == .unusable("\(message); \(help)"))
    }

    /// A server that cannot be used now may be used later, and so may another host.
    @Test(
        arguments: [
            (
                socket
                    + "No such file or directory\n\tIs the server running locally?",
                nil
            ),
            (host + "Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?", nil),
            (host + "timeout expired", nil),
            (host + "session is read-only", nil),
            (host + "server closed the connection unexpectedly", nil),
            (host + "FATAL:  57P03: the database system is starting up\nLOCATION:  ProcessStartupPacket", "57P03"),
            (host + "FATAL:  53300: sorry, too many clients already\nLOCATION:  InitProcess", "53300"),
            (host + "FATAL:  08P01: server login has been failing, try again later", "08P01"),
            (host + "FATAL:  the database system is starting up", nil),
            (host + "FATAL:  3D0: database", nil), (host + "FATAL:  3d000: database", nil),
            (host + "FATAL:  3D000", nil),
        ] as [(String, String?)]
    )
    func waits(message: String, state: String?) {
        #expect(ConnectionRefusal(message).state == state)
        guard case .lost(let reason) = Self.fault(message) else {
            Issue.record("the server is not used later")
            return
        }
        #expect(!reason.contains(where: \.isNewline) && !reason.contains("LOCATION"))
        #expect(reason.hasPrefix(message.prefix { !$0.isNewline }))
    }

    /// A host that was tried before the last one does not decide.
    @Test func takesTheStateOfTheLastHost() {
        let starting = Self.host + "FATAL:  57P03: the database system is starting up\n"
        let missing = Self.socket + "FATAL:  3D000: database \"accounts\" does not exist\n"
        #expect(ConnectionRefusal(starting + missing).state == "3D000")
        #expect(ConnectionRefusal(missing + starting).state == "57P03")
    }
}
