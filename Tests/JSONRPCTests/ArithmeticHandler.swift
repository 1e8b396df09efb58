import JSON
@testable import JSONRPC

/// The methods of the specification's examples, and some that do slow work or write.
final class ArithmeticHandler: RequestHandler {
    /// The values that the last successful commit made durable.
    private(set) var durable: [Int] = []
    private var staged: [Int] = []
    /// Commits of more writes than this fail.
    var writesMax = Int.max

    /// The result of a slow request's work.
    final class SlowOutcome: RequestPhase {
        let value: Int

        init(value: Int) {
            self.value = value
        }
    }

    /// Only `foo.get`, which does not exist, needs no store.
    func needsStore(_ request: Request) -> Bool { request.method.string != "foo.get" }

    func execute(
        _ request: Request,
        from phase: (any RequestPhase)?,
        result: inout JSONWriter
    ) throws(RPCError) -> SlowWork? {
        let params = request.params.flatMap { try? JSONValue(parsing: $0) }
        switch request.method.string {
        case "subtract":
            let numbers = params?.array ?? [params?["minuend"], params?["subtrahend"]].compactMap { $0 }
            result.int((numbers[0].int ?? 0) - (numbers[1].int ?? 0))
        case "sum":
            result.int(params?.array?.compactMap(\.int).reduce(0, +))
        case "get_data":
            result.raw(Array(#"["hello",5]"#.utf8))
        case "update", "notify_hello", "notify_sum":
            result.null()
        case "write":
            staged.append(params?["value"]?.int ?? 0)
            result.bool(true)
        case "large":
            result.string(String(repeating: "x", count: params?["bytes"]?.int ?? 0))
        case "slow":
            guard let outcome = phase as? SlowOutcome else {
                let value = params?["value"]?.int ?? 0
                if params?["writes"]?.bool == true { staged.append(value) }
                return { SlowOutcome(value: value * 2) }
            }
            result.int(outcome.value)
        default:
            throw .methodNotFound
        }
        return nil
    }

    func lookAhead(_ request: Request) -> SlowWork? {
        defer { rollback() }
        var discarded = JSONWriter()
        return try? execute(request, from: nil, result: &discarded)
    }

    func mayWait(_ request: Request) -> Bool { request.method.equals("slow") }

    func cancelledID(by notification: Request) -> UnsafeRawBufferPointer? {
        guard notification.method.equals("cancel"), let params = notification.params else { return nil }
        var reader = JSONReader(params)
        do {
            try reader.beginArray()
            return try reader.nextElement() ? reader.raw() : nil
        } catch {
            return nil
        }
    }

    func endGroup() {}

    func isCancellable(_ request: Request) -> Bool { request.method.equals("slow") }

    func lane(of request: Request) -> Lane? {
        guard let params = request.params, let value = try? JSONValue(parsing: params) else { return nil }
        return value["lane"]?.string.map { Lane($0) }
    }

    func commit() throws(RPCError) {
        guard staged.count <= writesMax else { throw RPCError(code: 507, message: "full") }
        durable += staged
        staged = []
    }

    func formatted(_ error: RPCError, for request: Request) -> RPCError {
        RPCError(code: error.code, message: "\(request.method.string): \(error.message)", data: error.data)
    }

    func writeFailure(_ error: RPCError, of request: Request, result: inout JSONWriter) throws(RPCError) {
        guard request.params.flatMap({ try? JSONValue(parsing: $0) })?["tells"]?.bool == true else {
            throw formatted(error, for: request)
        }
        result.string(error.message)
    }

    func rollback() {
        staged = []
    }
}

/// Sends input through a connection until all replies are out.
final class Exchange {
    let handler = ArithmeticHandler()
    /// The largest number of bytes that came out at once.
    private(set) var longestOutput = 0
    private var connection: Connection

    init(order: ReplyOrder? = .inOrder, framing: Framing = .line) {
        connection = Connection(handler: handler, pool: WorkPool {}, order: order, framing: framing)
    }

    /// The reply lines to pieces of input, which are received one after another.
    func lines(for pieces: [[UInt8]]) -> [String] {
        text(for: pieces).split(separator: "\n").map { String($0) }
    }

    /// The whole output.
    func text(for pieces: [[UInt8]]) -> String {
        var output: [UInt8] = []
        func take() {
            let taken = connection.takeOutput()
            longestOutput = max(longestOutput, taken.count)
            output += taken
        }
        for piece in pieces {
            piece.withUnsafeBytes { connection.receive($0) }
            take()
        }
        connection.receiveEnd()
        while !connection.isIdle {
            connection.executeReadMessages()
            connection.resume()
            take()
        }
        take()
        return String(decoding: output, as: UTF8.self)
    }

    func lines(for text: String) -> [String] {
        lines(for: [Array(text.utf8)])
    }
}
