import JSON

/// A Postern of its own process, and the methods that it serves.
///
///     let postern = try Postern(data: "accounts")
///     let luke = try await postern.operators.signin(email: "lasoren@bu.edu", password: "a long password")
///     await postern.close()
///
/// Any number of tasks may call it at once; replies come as they are ready. Nothing is restarted and no call is tried
/// again: once the process has ended, every call throws `PosternError.processEnded`.
///
/// A task that is cancelled gets `PosternError.cancelled` at once, and the reply is dropped when it comes. A call that
/// was cancelled may still take effect.
public final class Postern: Sendable {
    private let connection: Connection

    /// Starts the program, and waits until it serves.
    ///
    /// - Parameters:
    ///   - data: the directory where the data live, or `:memory:`; nil leaves it to the program.
    ///   - binary: the program, as a path or a name to look for on PATH. Where it is nil, the environment's POSTERN_BIN
    ///     says it, and otherwise it is the `postern` on PATH.
    ///   - arguments: further flags, as `postern --help` lists them.
    ///   - environment: what is added to this process's environment for the program.
    ///   - waitsUntilReady: whether to wait for the reply to a `system.info`, a few milliseconds as a rule, so that a
    ///     program that cannot serve fails here; otherwise the first call throws.
    ///   - onLog: takes each line that the program writes to stderr, on a thread of its own; nil hands them on to this
    ///     process's stderr. It may be slow: the program never waits for it, and past 16 MiB that wait some are left out.
    /// - Throws: `PosternError.binaryNotFound` or `PosternError.notStarted`; `PosternError.processEnded`, with its last
    ///   lines on stderr, where the program has ended before it served.
    public init(
        data: String? = nil,
        binary: String? = nil,
        arguments: [String] = [],
        environment: [String: String] = [:],
        waitsUntilReady: Bool = true,
        onLog: (@Sendable (String) -> Void)? = nil
    ) throws(PosternError) {
        let command = Command(
            path: try Binary.path(of: binary),
            arguments: (data.map { ["--data", $0] } ?? []) + ["--replies", "as-completed", "--framing", "line"]
                + arguments,
            environment: environment
        )
        connection = try Connection(command, onLog: onLog ?? StandardError.write(line:))
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

    /// The number of the process.
    public var processIdentifier: Int32 { connection.processIdentifier }

    /// Calls a method by its name, for what this client does not know yet.
    ///
    /// - Parameters:
    ///   - method: the method's name, such as `operators.signin`.
    ///   - params: the params as JSON text, an object as a rule; nil for none.
    /// - Returns: the result as JSON text.
    /// - Throws: `PosternError`; `PosternError.malformedParams` where `params` is no JSON text that the service could read.
    public func call(_ method: String, params: String? = nil) async throws(PosternError) -> String {
        let bytes = try params.map(Request.oneLine)
        let result = try await connection.result(of: method) { writer in
            if let bytes {
                writer.member("params")
                writer.raw(bytes)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Ends the process, and waits until it has ended.
    ///
    /// From now on no call is taken; those in flight still get their results, as the process answers all that it has
    /// been sent. It may be called more than once, and from several tasks; the first call's limit counts.
    ///
    /// - Parameter limit: how long the process may take; after that it gets SIGTERM, and 5 seconds later SIGKILL.
    public func close(within limit: Duration = .seconds(30)) async {
        await connection.close(within: limit)
    }

    // MARK: What the generated methods are made of

    /// Calls a method that gives an object of that type.
    func result<Value: ResultValue>(
        of method: StaticString,
        params: (inout JSONWriter) -> Void = { _ in }
    ) async throws(PosternError) -> Value {
        let result = try await reply(to: method, params: params)
        return try Value(result: result, of: method)
    }

    /// Calls a method that gives an object of no fixed type, and hands it on as JSON text.
    func json(
        of method: StaticString,
        params: (inout JSONWriter) -> Void = { _ in }
    ) async throws(PosternError) -> String {
        String(decoding: try await reply(to: method, params: params), as: UTF8.self)
    }

    /// Calls a method that gives nothing.
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
            writer.member("params")
            writer.beginObject()
            params(&writer)
            writer.endObject()
        }
    }
}

/// Starts a Postern, runs `body` with it, and ends it however `body` ends.
///
/// - Parameters:
///   - data: the directory where the data live, or `:memory:`; nil leaves it to the program.
///   - binary: the program; see `Postern.init`.
///   - arguments: further flags, as `postern --help` lists them.
///   - onLog: takes each line that the program writes to stderr; see `Postern.init`.
///   - body: what is done with it.
/// - Returns: what `body` gives.
/// - Throws: what `body` throws, or what `Postern.init` does.
public func withPostern<Value>(
    data: String? = nil,
    binary: String? = nil,
    arguments: [String] = [],
    onLog: (@Sendable (String) -> Void)? = nil,
    isolation: isolated (any Actor)? = #isolation,
    _ body: (Postern) async throws -> Value
) async throws -> Value {
    let postern = try Postern(data: data, binary: binary, arguments: arguments, onLog: onLog)
    do {
        let value = try await body(postern)
        await postern.close()
        return value
    } catch {
        await postern.close()
        throw error
    }
}
