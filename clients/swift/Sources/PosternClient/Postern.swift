import JSON

/// A client with its own Postern process.
///
///     let postern = try Postern(data: "accounts")
///     let luke = try await postern.operators.signin(email: "lasoren@bu.edu", password: "a long password")
///     await postern.close()
///
/// Any number of tasks can call at the same time; replies arrive in the order in which they are ready. The client
/// restarts no process and retries no call: once the process has ended, every call throws `PosternError.processEnded`.
///
/// A task that is cancelled gets `PosternError.cancelled` at once, and the reply is dropped when it arrives. A
/// cancelled call may still take effect.
public final class Postern: Sendable {
    private let connection: Connection

    /// Starts the process, and waits until it serves.
    ///
    /// - Parameters:
    ///   - data: the directory of the data, or `:memory:`; nil for the program's default.
    ///   - binary: the binary, as a path or a name to look for on PATH; nil for the one that the environment variable
    ///     POSTERN_BIN names, or else `postern` on PATH.
    ///   - arguments: further flags, see `postern --help`.
    ///   - environment: variables that are added to this process's environment for the program.
    ///   - waitsUntilReady: whether to wait for the reply to a `system.info`, usually a few milliseconds, so that a
    ///     program that cannot serve fails here; otherwise the first call throws.
    ///   - onLog: is called on its own thread with each line that the program writes to stderr; nil writes the lines to
    ///     this process's stderr. If it is slow, the program does not wait: 16 MiB of lines are buffered, and later
    ///     lines are dropped.
    ///   - deliverMail: delivers each mail, in a task of its own; the flag `--mail host` is added. If it throws, or
    ///   takes
    ///     longer than 30 seconds, the program tries again later. Up to four mails are delivered at the same time.
    ///   - events: where the events of the audit trail start that `events` returns; the flag `--events` is added. Nil
    ///     for no events.
    /// - Throws: `PosternError.binaryNotFound` or `PosternError.notStarted`; `PosternError.processEnded`, with the last
    ///   lines of stderr, if the program ended before it served; `PosternError.protocolViolation` if the contract of
    ///   the service is older than that of this client.
    public init(
        data: String? = nil,
        binary: String? = nil,
        arguments: [String] = [],
        environment: [String: String] = [:],
        waitsUntilReady: Bool = true,
        onLog: (@Sendable (String) -> Void)? = nil,
        deliverMail: (@Sendable (ServiceMail) async throws -> Void)? = nil,
        events: EventStart? = nil
    ) throws(PosternError) {
        let command = Command(
            path: try Binary.path(of: binary),
            arguments: (data.map { ["--data", $0] } ?? []) + ["--replies", "as-completed", "--framing", "line"]
                + arguments + (deliverMail == nil ? [] : ["--mail", "host"]) + (events?.flags ?? []),
            environment: environment
        )
        connection = try Connection(
            command,
            onLog: onLog ?? StandardError.write(line:),
            events: events.map { EventQueue(after: $0.number) },
            deliverMail: deliverMail
        )
        guard waitsUntilReady else { return }
        do throws(PosternError) {
            try connection.waitUntilReady()
        } catch {
            connection.beginClosing(within: .zero)
            throw error
        }
    }

    deinit {
        connection.beginClosing(within: .seconds(30))
    }

    /// The process id.
    public var processIdentifier: Int32 { connection.processIdentifier }

    /// Calls a method by its name, for methods that are newer than this client.
    ///
    /// - Parameters:
    ///   - method: the method's name, such as `operators.signin`.
    ///   - params: the params as JSON text, usually an object; nil for none.
    /// - Returns: the result as JSON text.
    /// - Throws: `PosternError`; `PosternError.malformedParams` if `params` is not JSON that the service can parse.
    public func call(_ method: String, params: String? = nil) async throws(PosternError) -> String {
        let bytes = try params.map(Request.oneLine)
        let result = try await connection.result(of: method) { writer in
            if let bytes {
                writer.property("params")
                writer.raw(bytes)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// The events of the audit trail, if the client was opened with `events`.
    public var events: PosternEvents { PosternEvents(postern: self) }

    func nextEvent() async throws(PosternError) -> Event? { try await connection.nextEvent() }

    /// Ends the process, and waits until it has ended.
    ///
    /// New calls are refused; calls in flight get their results, because the process replies to all requests that it
    /// was sent. Deliveries are finished. It is idempotent, and several tasks can call it; the limit of the first call
    /// applies.
    ///
    /// - Parameter limit: how long the process may take; after that it gets SIGTERM, and 5 seconds later SIGKILL.
    public func close(within limit: Duration = .seconds(30)) async {
        await connection.close(within: limit)
    }

    // MARK: Used by the generated methods

    /// Calls a method whose result has that type.
    func result<Value: ResultValue>(
        of method: StaticString,
        params: (inout JSONWriter) -> Void = { _ in }
    ) async throws(PosternError) -> Value {
        let result = try await reply(to: method, params: params)
        return try Value(result: result, of: method)
    }

    /// Calls a method whose result is an object without a fixed type, and returns it as JSON text.
    func json(
        of method: StaticString,
        params: (inout JSONWriter) -> Void = { _ in }
    ) async throws(PosternError) -> String {
        String(decoding: try await reply(to: method, params: params), as: UTF8.self)
    }

    /// Calls a method that has no result.
    func perform(
        _ method: StaticString,
        params: (inout JSONWriter) -> Void = { _ in }
    ) async throws(PosternError) {
        _ = try await reply(to: method, params: params)
    }

    private func reply(
        to method: StaticString,
        params: (inout JSONWriter) -> Void
    ) async throws(PosternError) -> [UInt8] {
        try await connection.result(of: method.description) { writer in
            writer.property("params")
            writer.beginObject()
            params(&writer)
            writer.endObject()
        }
    }
}

/// Opens a client, runs `body` with it, and closes it when `body` returns or throws.
///
/// - Parameters:
///   - data: the directory of the data, or `:memory:`; nil for the program's default.
///   - binary: the binary; see `Postern.init`.
///   - arguments: further flags, see `postern --help`.
///   - onLog: is called with each line that the program writes to stderr; see `Postern.init`.
///   - deliverMail: delivers each mail; see `Postern.init`.
///   - events: where the events start; see `Postern.init`.
///   - body: is called with the client.
/// - Returns: the value that `body` returns.
/// - Throws: the errors of `body` and of `Postern.init`.
public func withPostern<Value>(
    data: String? = nil,
    binary: String? = nil,
    arguments: [String] = [],
    onLog: (@Sendable (String) -> Void)? = nil,
    deliverMail: (@Sendable (ServiceMail) async throws -> Void)? = nil,
    events: EventStart? = nil,
    isolation: isolated (any Actor)? = #isolation,
    _ body: (Postern) async throws -> Value
) async throws -> Value {
    let postern = try Postern(
        data: data,
        binary: binary,
        arguments: arguments,
        onLog: onLog,
        deliverMail: deliverMail,
        events: events
    )
    do {
        let value = try await body(postern)
        await postern.close()
        return value
    } catch {
        await postern.close()
        throw error
    }
}
