package import Platform

/// Background work of the loop. It runs after each turn and each wake-up, and must be short.
///
/// It returns in how many milliseconds it wants to be run again; nil for not before the next request or wake-up.
package typealias LoopTask = () -> Int?

/// Serves JSON-RPC on a pair of descriptors until the input ends.
///
/// One thread reads, carries out and answers, so that a request alone changes threads nowhere. It waits for input and
/// for wake-ups at once; slow work, and writing that would block, are left to other threads.
package final class Server {
    private let input: FileDescriptor
    private let tasks: [LoopTask]
    private var connection: Connection
    private let wakeUp: WakeUp
    private let output: OutputWriter
    private let isStopped: @Sendable () -> Bool
    private var hasEnded = false
    /// What was lost as stdout was not read to the end; nil where nothing was.
    package private(set) var loss: String?
    /// Why the input ended early.
    private var inputFault: StreamFault?
    /// When output was last seen to go on, in milliseconds of the monotonic clock, and how much was unwritten then.
    private var lastProgress: (time: Int, unwrittenBytes: Int)?

    /// - Parameters:
    ///   - input: where requests come from.
    ///   - output: where replies go; nobody else may write there.
    ///   - order: how requests are ordered; nil leaves it to the framing.
    ///   - tasks: the background work.
    ///   - wakeUp: what ends a wait when `isStopped` has changed or a task has something to do.
    ///   - isStopped: whether to stop reading, as at the end of the input.
    package init(
        input: FileDescriptor,
        output: FileDescriptor,
        handler: any RequestHandler,
        order: ReplyOrder?,
        framing: Framing,
        tasks: [LoopTask],
        wakeUp: WakeUp,
        isStopped: @escaping @Sendable () -> Bool
    ) {
        self.input = input
        self.tasks = tasks
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
        defer { reportLoss() }
        // What came before there was anybody to read it goes before anything else there may be to do.
        var timeout: Int? = 0
        while !isFinished {
            wait(milliseconds: canProceed ? 0 : shorter(timeout, millisecondsToGivingUp), into: buffer)
            if canProceed { connection.takeBacklog() }
            connection.resume()
            output.write(connection.takeOutput())
            timeout = runTasks()
        }
        if let fault = output.fault, !fault.isHangUp { throw fault }
        if let inputFault { throw inputFault }
    }

    /// Runs the background work. Returns the milliseconds until the next task is due; nil if none is.
    private func runTasks() -> Int? {
        var earliest: Int?
        for task in tasks { earliest = shorter(earliest, task()) }
        return earliest
    }

    private var isFinished: Bool {
        output.fault != nil || hasEnded && connection.isIdle && output.unwrittenBytes == 0
            || millisecondsToGivingUp == 0
    }

    /// How long an end that was asked for still waits for stdout to be read; nil while there is no such wait. At the end of
    /// the input there is none: a pager may read the rest an hour later.
    private var millisecondsToGivingUp: Int? {
        let unwrittenBytes = output.unwrittenBytes
        guard hasEnded, unwrittenBytes > 0, isStopped() else { return nil }
        let now = MonotonicClock.milliseconds
        guard let last = lastProgress, last.unwrittenBytes == unwrittenBytes else {
            lastProgress = (now, unwrittenBytes)
            return Limits.lastWriteSeconds * 1_000
        }
        return max(0, last.time + Limits.lastWriteSeconds * 1_000 - now)
    }

    private func shorter(_ left: Int?, _ right: Int?) -> Int? {
        guard let left, let right else { return left ?? right }
        return min(left, right)
    }

    /// Says what is lost where stdout was not read to the end.
    private func reportLoss() {
        guard output.fault == nil, output.unwrittenBytes > 0 else { return }
        var text =
            "stdout was not read for \(Limits.lastWriteSeconds) seconds: \(output.unwrittenBytes) bytes of replies are lost"
        let requests = connection.unansweredMessages
        if requests > 0 { text += ", and \(requests) requests were read and not answered" }
        loss = text
    }

    /// Whether what has been read already can go on.
    private var canProceed: Bool { connection.hasBacklog && !isUnread }

    /// Whether the client has so much to read that its next requests can wait.
    private var isUnread: Bool { output.heldBytes > Limits.unreadBytesMax }

    private func wait(milliseconds: Int?, into buffer: UnsafeMutableRawBufferPointer) {
        let readsInput = !hasEnded && !isUnread && !connection.isSaturated && !connection.hasBacklog
        let ready = Readiness.wait(wakeUp.descriptor, readsInput ? input : nil, milliseconds: milliseconds)
        if ready.first {
            wakeUp.clear()
            if isStopped(), !hasEnded { end() }
        }
        if ready.second, !hasEnded { readOnce(into: buffer) }
    }

    private func readOnce(into buffer: UnsafeMutableRawBufferPointer) {
        let count: Int
        do throws(SystemError) {
            count = try input.readOnce(into: buffer)
        } catch .interrupted, .wouldBlock {
            return
        } catch {
            let fault = StreamFault(call: "read", on: input, error)
            if !fault.isHangUp { inputFault = fault }
            return end()
        }
        if count > 0 {
            connection.receive(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            // It may hold a password.
            UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]).wipe()
        } else {
            end()
        }
    }

    private func end() {
        hasEnded = true
        connection.receiveEnd()
    }
}
