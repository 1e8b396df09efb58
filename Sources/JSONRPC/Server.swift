internal import Glibc
package import Threads

/// Serves JSON-RPC on a pair of descriptors until the input ends.
///
/// One thread reads, carries out and answers, so that a request alone changes threads nowhere. It waits for input and
/// for wake-ups at once; slow work, and writing that would block, are left to other threads.
package final class Server {
    private let input: Int32
    private let handler: any RequestHandler
    private var connection: Connection
    private let wakeUp: WakeUp
    private let output: OutputWriter
    private let isStopped: @Sendable () -> Bool
    private var hasEnded = false
    /// Why the input ended early.
    private var inputFault: StreamFault?

    /// - Parameters:
    ///   - input: where requests come from.
    ///   - output: where replies go; nobody else may write there.
    ///   - order: how requests are ordered; nil leaves it to the framing.
    ///   - wakeUp: what ends a wait when `isStopped` has changed or the handler wants to tend to something.
    ///   - isStopped: whether to stop reading, as at the end of the input.
    package init(
        input: Int32,
        output: Int32,
        handler: any RequestHandler,
        order: ReplyOrder?,
        framing: Framing,
        wakeUp: WakeUp,
        isStopped: @escaping @Sendable () -> Bool
    ) {
        self.input = input
        self.handler = handler
        self.wakeUp = wakeUp
        self.isStopped = isStopped
        let pool = WorkPool { wakeUp.send() }
        self.output = OutputWriter(descriptor: output) { wakeUp.send() }
        self.connection = Connection(handler: handler, pool: pool, order: order, framing: framing)
    }

    /// Serves until the input ends or the server is stopped, and everything that was read is answered and written; or
    /// until nobody reads the answers any more.
    ///
    /// - Throws: where the input cannot be read to its end, or answers cannot be written for another reason than that
    ///   nobody reads them.
    package func run() throws(StreamFault) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Limits.readBytes, alignment: 8)
        defer { buffer.deallocate() }
        // What came before there was anybody to read it goes before anything else there may be to do.
        var timeout: Int? = 0
        while !isFinished {
            wait(milliseconds: canProceed ? 0 : timeout, into: buffer)
            if canProceed { connection.takeBacklog() }
            connection.resume()
            output.write(connection.takeOutput())
            timeout = handler.tend()
        }
        if let fault = output.fault, !fault.isHangUp { throw fault }
        if let inputFault { throw inputFault }
    }

    private var isFinished: Bool {
        output.fault != nil || hasEnded && connection.isIdle && output.unwrittenBytes == 0
    }

    /// Whether what has been read already can go on.
    private var canProceed: Bool { connection.hasBacklog && !isUnread }

    /// Whether the client has so much to read that its next requests can wait.
    private var isUnread: Bool { output.unwrittenBytes > Limits.unwrittenBytesMax }

    private func wait(milliseconds: Int?, into buffer: UnsafeMutableRawBufferPointer) {
        let readsInput = !hasEnded && !isUnread && !connection.isSaturated && !connection.hasBacklog
        var states = [
            pollfd(fd: wakeUp.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: readsInput ? input : -1, events: Int16(POLLIN), revents: 0),
        ]
        let timeout = Int32(clamping: milliseconds ?? -1)
        guard poll(&states, 2, timeout) > 0 else { return }
        if states[0].revents != 0 {
            wakeUp.clear()
            if isStopped(), !hasEnded { end() }
        }
        if states[1].revents != 0, !hasEnded { readOnce(into: buffer) }
    }

    private func readOnce(into buffer: UnsafeMutableRawBufferPointer) {
        let count = read(input, buffer.baseAddress, buffer.count)
        if count > 0 {
            connection.receive(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        } else if count == 0 {
            end()
        } else if case let fault = StreamFault(call: "read", on: input), ![EINTR, EAGAIN].contains(fault.number) {
            if !fault.isHangUp { inputFault = fault }
            end()
        }
    }

    private func end() {
        hasEnded = true
        connection.receiveEnd()
    }
}
