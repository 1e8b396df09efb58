import JSON
import Synchronization

/// Answers the requests that the process sends on its own.
final class Deliveries: Sendable {
    private struct State {
        /// How many mails are being delivered.
        var count = 0
        /// Called once all deliveries have ended; nil before `end`.
        var onIdle: (@Sendable () -> Void)?
    }

    private static let methodNotFound = -32601
    private static let failed = -32000

    private let deliverMail: (@Sendable (ServiceMail) async throws -> Void)?
    private let send: @Sendable ([UInt8]) -> Void
    private let state = Mutex(State())

    /// - Parameters:
    ///   - deliverMail: delivers a mail; nil if the client delivers none.
    ///   - send: sends a line to the process.
    init(
        deliverMail: (@Sendable (ServiceMail) async throws -> Void)?,
        send: @escaping @Sendable ([UInt8]) -> Void
    ) {
        self.deliverMail = deliverMail
        self.send = send
    }

    /// Starts the delivery of a mail, refuses another request, and drops a notification.
    func take(_ message: HostMessage) {
        // A notification of a newer service; `Connection` takes the known ones.
        guard let id = message.id else { return }
        guard message.method == "mail.deliver", let deliverMail else {
            return refuse(id, Self.methodNotFound, "Method not found: \(message.method)")
        }
        let (isEnding, isFull) = state.withLock { state in
            let (isEnding, isFull) = (state.onIdle != nil, state.count == Limits.deliveriesMax)
            if !isEnding, !isFull { state.count += 1 }
            return (isEnding, isFull)
        }
        if isFull {
            // Some of the requests were given up by the process. To keep others waiting would deliver them late.
            refuse(id, Self.failed, "\(Limits.deliveriesMax) mails are being delivered")
        } else if !isEnding {
            Task { await deliver(message.params ?? [], id, with: deliverMail) }
        }
    }

    /// Starts no new delivery, and calls `onIdle` once all have ended.
    func end(_ onIdle: @escaping @Sendable () -> Void) {
        let isIdle = state.withLock { state in
            state.onIdle = onIdle
            return state.count == 0
        }
        if isIdle { onIdle() }
    }

    private func deliver(
        _ params: [UInt8],
        _ id: [UInt8],
        with deliverMail: @Sendable (ServiceMail) async throws -> Void
    ) async {
        do {
            try await deliverMail(try ServiceMail(result: params, of: "mail.deliver"))
            respond(id) { writer in
                writer.property("result")
                writer.null()
            }
        } catch {
            refuse(id, Self.failed, "\(error)")
        }
        let onIdle = state.withLock { state in
            state.count -= 1
            return state.count == 0 ? state.onIdle : nil
        }
        onIdle?()
    }

    private func refuse(_ id: [UInt8], _ code: Int, _ message: String) {
        respond(id) { writer in
            writer.property("error")
            writer.beginObject()
            writer.property("code")
            writer.int(code)
            writer.property("message")
            // The process keeps less of it, and refuses a line that is too long.
            writer.string(String(decoding: message.utf8.prefix(Limits.problemBytesMax), as: UTF8.self))
            writer.endObject()
        }
    }

    private func respond(_ id: [UInt8], _ write: (inout JSONWriter) -> Void) {
        var writer = JSONWriter()
        writer.beginObject()
        writer.property("jsonrpc")
        writer.string("2.0")
        writer.property("id")
        writer.raw(id)
        write(&writer)
        writer.endObject()
        writer.newline()
        send(writer.take())
    }
}
