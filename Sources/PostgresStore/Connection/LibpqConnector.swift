#if Postgres
    internal import CPostgres
    internal import Platform

    /// Opens connections with libpq, which understands URIs, key words, `PG…` variables, service and password files.
    struct LibpqConnector: Connector {
        /// A URI or key words, as libpq takes them.
        let address: String
        /// Whether statements are prepared.
        let prepares: Bool
        private let order = HostOrder()

        init(address: String, prepares: Bool) {
            (self.address, self.prepares) = (address, prepares)
        }

        /// The oldest version of the server that can be used, as libpq states it.
        private static let oldestVersion: Int32 = 140_000
        /// The most seconds to wait for each host, unless the address or the environment states another number.
        private static let connectSeconds = 3
        /// How a machine that is gone is noticed, unless the address states it: after 5 seconds without an
        /// acknowledgement of what was sent, or of three probes while nothing is sent.
        private static let liveness = [
            ("tcp_user_timeout", "5000"), ("keepalives_idle", "2"), ("keepalives_interval", "1"),
            ("keepalives_count", "3"),
        ]

        /// How a server notices that this machine is gone, within 20 seconds. Without it, a server that has received a
        /// part of a commit waits for the rest, with the locks of the transaction, for two hours on most systems: the
        /// time-outs of the transaction count only between whole groups of statements.
        private static let serverLiveness = [
            ("tcp_keepalives_idle", "5"), ("tcp_keepalives_interval", "5"), ("tcp_keepalives_count", "3"),
            ("tcp_user_timeout", "20000"),
        ].map { name, value in
            PreparedStatement.once(
                "SELECT set_config($1::text, $2::text, false)",
                Parameter.text(name),
                Parameter.text(value)
            )
        }

        func connect(before deadline: Int) throws(ServerFault) -> any ServerConnection {
            try checkAddress()
            // A key word after the address wins over the same one in it.
            var parameters = [("fallback_application_name", "postern")]
            if ProcessEnvironment.value(of: "PGCONNECT_TIMEOUT") == nil {
                let seconds = (deadline - MonotonicClock.milliseconds + 999) / 1_000
                parameters.append(("connect_timeout", "\(max(1, min(seconds, Self.connectSeconds)))"))
            }
            parameters += Self.liveness
            // A standby may be behind, so it is never used.
            parameters += [("dbname", address), ("client_encoding", "UTF8"), ("target_session_attrs", "read-write")]
            let attempt = order.attempt
            parameters += attempt.parameters
            // The form that does not block has no time-out for a host: the next ones would not be tried.
            let connection = Self.withPointers(to: parameters) { PQconnectdbParams($0, $1, 1) }
            guard let connection else { throw .lost("there is not enough memory for a connection") }
            if PQstatus(connection) != CONNECTION_OK,
                ConnectionRefusal.isIn(String(cString: PQerrorMessage(connection)))
            {
                // Only a verbose message says why the server refuses, and only an existing connection can be set to it.
                PQsetErrorVerbosity(connection, PQERRORS_VERBOSE)
                PQreset(connection)
                PQsetErrorVerbosity(connection, PQERRORS_DEFAULT)
            }
            guard PQstatus(connection) == CONNECTION_OK else {
                defer { PQfinish(connection) }
                order.recordFailure(of: attempt, Self.hosts(of: connection))
                throw ConnectionRefusal(String(cString: PQerrorMessage(connection))).fault(
                    database: String(cString: PQdb(connection)),
                    user: String(cString: PQuser(connection)),
                    needsPassword: PQconnectionNeedsPassword(connection) == 1
                )
            }
            guard PQserverVersion(connection) >= Self.oldestVersion else {
                PQfinish(connection)
                throw .unusable("the server is older than PostgreSQL 14")
            }
            order.recordSuccess(
                of: String(cString: PQhost(connection)),
                port: String(cString: PQport(connection)),
                Self.hosts(of: connection)
            )
            // The path of a socket begins with a slash, or with an @ on Linux.
            let isLocal = PQhost(connection).map { [0x2F, 0x40].contains($0.pointee) } ?? true
            let open = try LibpqConnection(connection, prepares: prepares)
            try open.makeSessionSettings(before: deadline)
            // Their reply is read with that of the first transaction. A pooler keeps them for its own connection, where
            // they do no harm.
            if !isLocal { open.post(Self.serverLiveness) }
            return open
        }

        /// The hosts that a connection was tried with, also those that the environment or a service file states; nil
        /// for one.
        private static func hosts(of connection: OpaquePointer) -> HostList? {
            guard let options = PQconninfo(connection) else { return nil }
            defer { PQconninfoFree(options) }
            var values: [String: String] = [:]
            var option = options
            while let keyword = option.pointee.keyword {
                let name = String(cString: keyword)
                // No others: one is the password.
                if ["host", "hostaddr", "port"].contains(name), let value = option.pointee.val {
                    values[name] = String(cString: value)
                }
                option += 1
            }
            return HostList(
                names: values["host"] ?? "",
                addresses: values["hostaddr"] ?? "",
                ports: values["port"] ?? ""
            )
        }

        /// Refuses an address that libpq cannot parse, which would otherwise look like a server that cannot be reached.
        private func checkAddress() throws(ServerFault) {
            // The message of libpq may contain the password.
            guard let options = PQconninfoParse(address, nil) else {
                throw .unusable("the address cannot be parsed; in a password, % is written %25, @ is %40, and / is %2F")
            }
            PQconninfoFree(options)
        }

        /// Calls `body` with the names and the values of parameters, each list with a null pointer at its end.
        private static func withPointers<Value>(
            to parameters: [(name: String, value: String)],
            _ body: (UnsafePointer<UnsafePointer<CChar>?>, UnsafePointer<UnsafePointer<CChar>?>) -> Value
        ) -> Value {
            var bytes: [CChar] = []
            var (names, values): ([Int], [Int]) = ([], [])
            for (name, value) in parameters {
                names.append(bytes.count)
                bytes += SystemString(name).cString
                values.append(bytes.count)
                bytes += SystemString(value).cString
            }
            return bytes.withUnsafeBufferPointer { bytes in
                func pointers(_ offsets: [Int]) -> [UnsafePointer<CChar>?] {
                    offsets.map { bytes.baseAddress?.advanced(by: $0) } + [nil]
                }
                return body(pointers(names), pointers(values))
            }
        }
    }
#endif
