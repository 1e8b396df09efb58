#if Postgres
    internal import CPostgres
    internal import Platform

    /// A connection through libpq, in pipeline mode and without blocking.
    final class LibpqConnection: ServerConnection {
        /// What a connection's notices are collected in. libpq keeps a pointer to it.
        private final class Notices {
            var hasWarning = false
        }

        /// A result that the server still owes.
        private enum Expected {
            /// Of the preparation of the statement with a name.
            case preparation(String)
            /// Of a statement.
            case statement
        }

        /// A group of statements that was sent.
        private struct Group {
            let expected: [Expected]
            /// Whether its results are dropped.
            let isPosted: Bool
        }

        private var connection: OpaquePointer?
        private let descriptor: FileDescriptor
        private let prepares: Bool
        /// The names of the statements that are prepared, or that a group under way prepares.
        private var prepared: Set<String> = []
        private var groups: [Group] = []
        private(set) var hasSessionSettings = false
        private let notices = Notices()

        /// - Parameters:
        ///   - connection: an open connection of libpq, which this object closes.
        ///   - prepares: whether statements are prepared.
        init(_ connection: OpaquePointer, prepares: Bool) throws(ServerFault) {
            self.connection = connection
            self.prepares = prepares
            descriptor = FileDescriptor(rawValue: PQsocket(connection))
            PQsetNoticeReceiver(
                connection,
                { context, result in
                    guard let context, let state = PQresultErrorField(result, postern_pg_diag_sqlstate) else { return }
                    guard String(cString: state) == LibpqConnection.warning else { return }
                    Unmanaged<Notices>.fromOpaque(context).takeUnretainedValue().hasWarning = true
                },
                Unmanaged.passUnretained(notices).toOpaque()
            )
            guard PQsetnonblocking(connection, 1) == 0, PQenterPipelineMode(connection) == 1 else { throw loss() }
        }

        deinit { close() }

        func close() {
            connection.map { PQfinish($0) }
            connection = nil
        }

        func run(_ statements: [Statement], before deadline: Int?) throws(ServerFault) -> [StatementResult] {
            try send(statements, isPosted: false)
            while let group = groups.first {
                let results = try results(of: group, before: deadline)
                groups.removeFirst()
                if !group.isPosted { return try results.get() }
            }
            preconditionFailure("each group that was sent is in the list")
        }

        func post(_ statements: [Statement]) {
            do throws(ServerFault) {
                try send(statements, isPosted: true)
                if let connection { PQflush(connection) }
            } catch {
                // The next group fails with the same error.
            }
        }

        /// Makes the settings of the session, unless a pooler is between: its connection to the server gets the
        /// transactions of other programs too.
        func makeSessionSettings(before deadline: Int) throws(ServerFault) {
            guard let connection else { throw .lost("the connection is closed") }
            // A pooler does not pass on the server's number of the process.
            let statement = Statements.sessionSettings(ifProcess: Int(PQbackendPID(connection)))
            hasSessionSettings = try !run([statement], before: deadline)[0].rows.isEmpty
        }

        // MARK: Sending

        private func send(_ statements: [Statement], isPosted: Bool) throws(ServerFault) {
            guard let connection else { throw .lost("the connection is closed") }
            var expected: [Expected] = []
            for statement in statements {
                let (name, sql) = (statement.prepared.name, statement.prepared.sql)
                let isPrepared = prepares && !name.isEmpty
                if isPrepared, !prepared.contains(name) {
                    guard PQsendPrepare(connection, name, sql, 0, nil) == 1 else { throw loss() }
                    prepared.insert(name)
                    expected.append(.preparation(name))
                }
                guard Self.send(statement, on: connection, isPrepared: isPrepared) == 1 else { throw loss() }
                expected.append(.statement)
            }
            guard PQpipelineSync(connection) == 1 else { throw loss() }
            groups.append(Group(expected: expected, isPosted: isPosted))
        }

        private static func send(_ statement: Statement, on connection: OpaquePointer, isPrepared: Bool) -> Int32 {
            // All parameters in one buffer, so that each has an address while libpq copies them.
            var bytes: [UInt8] = []
            bytes.reserveCapacity(statement.parameters.reduce(1) { $0 + ($1?.count ?? 0) })
            var offsets: [Int?] = []
            for parameter in statement.parameters {
                offsets.append(parameter == nil ? nil : bytes.count)
                bytes.append(contentsOf: parameter ?? [])
            }
            // An empty array has no address, and libpq takes a null pointer for null.
            bytes.append(0)
            let lengths = statement.parameters.map { Int32($0?.count ?? 0) }
            let formats = [Int32](repeating: binary, count: lengths.count)
            return bytes.withUnsafeBytes { bytes in
                let bytes = bytes.assumingMemoryBound(to: CChar.self)
                let values = offsets.map { offset in offset.flatMap { bytes.baseAddress?.advanced(by: $0) } }
                let count = Int32(values.count)
                return isPrepared
                    ? PQsendQueryPrepared(
                        connection,
                        statement.prepared.name,
                        count,
                        values,
                        lengths,
                        formats,
                        binary
                    )
                    : PQsendQueryParams(
                        connection,
                        statement.prepared.sql,
                        count,
                        nil,
                        values,
                        lengths,
                        formats,
                        binary
                    )
            }
        }

        /// The format of parameters and results.
        private static let binary: Int32 = 1
        /// The SQLSTATE of a warning, as the server adds it to a COMMIT that did not wait for a standby.
        private static let warning = "01000"

        // MARK: Receiving

        /// Receives the results of a group, up to its synchronisation point.
        private func results(
            of group: Group,
            before deadline: Int?
        ) throws(ServerFault) -> Result<[StatementResult], ServerFault> {
            var results: [StatementResult] = []
            var refusal: ServerError?
            for expected in group.expected {
                let result = try nextResult(before: deadline)
                defer { PQclear(result) }
                switch PQresultStatus(result) {
                case PGRES_COMMAND_OK, PGRES_TUPLES_OK:
                    if case .statement = expected { results.append(statementResult(of: result)) }
                case PGRES_PIPELINE_ABORTED: forget(expected)
                default:
                    forget(expected)
                    let error = serverError(in: result)
                    guard !error.endsConnection || error.state == "25006" else { throw lost(error.message) }
                    refusal = refusal ?? error
                }
                // A null pointer ends the results of each statement.
                if let rest = try nextResultOrEnd(before: deadline) { PQclear(rest) }
            }
            // The synchronisation point.
            PQclear(try nextResult(before: deadline))
            return refusal.map { .failure(.refused($0)) } ?? .success(results)
        }

        /// A statement whose preparation failed must be prepared again.
        private func forget(_ expected: Expected) {
            if case .preparation(let name) = expected { prepared.remove(name) }
        }

        private func nextResult(before deadline: Int?) throws(ServerFault) -> OpaquePointer {
            guard let result = try nextResultOrEnd(before: deadline) else { throw loss() }
            return result
        }

        private func nextResultOrEnd(before deadline: Int?) throws(ServerFault) -> OpaquePointer? {
            guard let connection else { throw .lost("the connection is closed") }
            while true {
                let unsent = PQflush(connection)
                guard unsent >= 0 else { throw loss() }
                guard PQisBusy(connection) == 1 else { break }
                try wait(toSend: unsent == 1, before: deadline)
                guard PQconsumeInput(connection) == 1 else { throw loss() }
            }
            let result = PQgetResult(connection)
            guard PQstatus(connection) == CONNECTION_OK else {
                let reason = result.map { serverError(in: $0).message }
                PQclear(result)
                throw reason.map { lost($0) } ?? loss()
            }
            return result
        }

        /// Waits until the connection can be read, or written if bytes are still to be sent.
        private func wait(toSend: Bool, before deadline: Int?) throws(ServerFault) {
            var milliseconds: Int?
            if let deadline {
                let rest = deadline - MonotonicClock.milliseconds
                guard rest > 0 else {
                    close()
                    throw .timedOut
                }
                milliseconds = rest
            }
            if toSend {
                _ = Readiness.waitForRoom(descriptor, orInput: descriptor, milliseconds: milliseconds ?? 1_000)
            } else {
                _ = Readiness.wait(descriptor, nil, milliseconds: milliseconds)
            }
        }

        private func statementResult(of result: OpaquePointer) -> StatementResult {
            let columns = PQnfields(result)
            let rows = (0..<PQntuples(result)).map { row in
                (0..<columns).map { column -> [UInt8]? in
                    guard PQgetisnull(result, row, column) == 0, let value = PQgetvalue(result, row, column) else {
                        return nil
                    }
                    return Array(UnsafeRawBufferPointer(start: value, count: Int(PQgetlength(result, row, column))))
                }
            }
            defer { notices.hasWarning = false }
            return StatementResult(
                rows: rows,
                command: String(cString: PQcmdStatus(result)),
                hasWarning: notices.hasWarning
            )
        }

        private func serverError(in result: OpaquePointer) -> ServerError {
            func field(_ code: Int32) -> String? { PQresultErrorField(result, code).map { String(cString: $0) } }
            return ServerError(
                // Without a state it is libpq that reports the error, which is always one of the connection.
                state: field(postern_pg_diag_sqlstate) ?? "08000",
                message: field(postern_pg_diag_message_primary) ?? String(cString: PQresultErrorMessage(result))
            )
        }

        /// Closes the connection; the error says what libpq reports.
        private func loss() -> ServerFault {
            lost(connection.map { String(cString: PQerrorMessage($0)) } ?? "the connection is closed")
        }

        private func lost(_ reason: String) -> ServerFault {
            close()
            return .lost(reason.onOneLine)
        }
    }
#endif
