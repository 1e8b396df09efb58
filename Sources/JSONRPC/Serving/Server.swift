package import Platform

/// Background work of the loop. It runs after each group of requests and each wake-up, and must be short.
///
/// It returns the milliseconds until it must run again; nil if it need not run before the next request or wake-up.
package typealias LoopTask = () -> Int?

/// Serves JSON-RPC on a pair of descriptors until the input ends.
///
/// One thread reads and executes requests and writes replies, so a single request never changes threads. The thread
/// polls the input and the wake-up pipe together. Slow work and writes that would block run on other threads.
package final class Server {
    private let input: FileDescriptor
    private let tasks: [LoopTask]
    private let host: HostMessages?
    private var connection: Connection
    private let wakeUp: WakeUp
    private let output: OutputWriter
    private let isStopped: @Sendable () -> Bool
    private var hasEnded = false
    /// A message about replies that were lost because stdout was not read to the end; nil if none were lost.
    package private(set) var loss: String?
    /// Why the input ended early.
    private var inputFault: StreamFault?
    /// When the number of unwritten bytes last changed, in milliseconds of the monotonic clock, and that number.
    private var lastProgress: (time: Int, unwrittenBytes: Int)?

    /// - Parameters:
    ///   - input: the descriptor that requests are read from.
    ///   - output: the descriptor that replies are written to. Nothing else may write to it.
    ///   - executor: executes the requests.
    ///   - order: how requests are ordered; nil if the framing decides.
    ///   - tasks: the background work.
    ///   - host: what tasks send messages with that the host has not requested; nil if they send none.
    ///   - wakeUp: ends a wait when `isStopped` has changed or a task has work to do.
    ///   - isStopped: whether to stop reading, as at the end of the input.
    package init(
        input: FileDescriptor,
        output: FileDescriptor,
        executor: ExecutorChoice,
        order: ReplyOrder?,
        framing: Framing,
        tasks: [LoopTask],
        host: HostMessages? = nil,
        wakeUp: WakeUp,
        isStopped: @escaping @Sendable () -> Bool
    ) {
        self.input = input
        self.tasks = tasks
        self.host = host
        self.wakeUp = wakeUp
        self.isStopped = isStopped
        let pool = WorkPool { wakeUp.send() }
        self.output = OutputWriter(descriptor: output) { wakeUp.send() }
        self.connection = Connection(
            policy: executor.policy,
            executor: executor.make(wake: { wakeUp.send() }),
            pool: pool,
            order: order,
            framing: framing,
            host: host
        )
    }

    /// Serves until the input ends or the server is stopped, then executes all requests that were read, and writes the
    /// replies. Returns early if the reader of the replies is gone.
    ///
    /// - Throws: `StreamFault` if reading the input fails, or if writing replies fails for another reason than that
    ///   their reader is gone.
    package func run() throws(StreamFault) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Limits.readBytes, alignment: 8)
        defer { buffer.deallocate() }
        defer { reportLoss() }
        defer { connection.finish() }
        defer { host?.end() }
        // The first wait does not block, so requests that arrived before the start are read before any task runs.
        var timeout: Int? = 0
        while !isFinished {
            waitAndRead(milliseconds: canProceed ? 0 : shorter(timeout, millisecondsToGivingUp), into: buffer)
            if canProceed { connection.executeReadMessages() }
            connection.resume()
            output.write(connection.takeOutput())
            timeout = runTasks()
        }
        if let fault = output.fault, !fault.isHangUp { throw fault }
        if let inputFault { throw inputFault }
    }

    /// Runs the background work, and writes the messages that it sends. Returns the milliseconds until the next task is
    /// due; nil if none is.
    private func runTasks() -> Int? {
        let stream = HostMessages.Stream(
            framing: connection.reader.framing,
            unwrittenBytes: output.unwrittenBytes,
            isInputOpen: !hasEnded
        )
        host?.beginTasks(stream, hasReadAll: hasEnded && connection.reader.isEmpty)
        var earliest: Int?
        for task in tasks { earliest = shorter(earliest, task()) }
        if let host {
            output.write(host.takeOutput())
            earliest = shorter(earliest, host.millisecondsToDeadline)
        }
        return earliest
    }

    private var isFinished: Bool {
        output.fault != nil
            || hasEnded && connection.isIdle && output.unwrittenBytes == 0 && !(host?.delaysEnd ?? false)
            || millisecondsToGivingUp == 0
    }

    /// How long a server that was stopped still waits for stdout to be read; nil if it is not waiting for that. After
    /// the end of the input there is no such limit: a pager may read the rest an hour later.
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

    /// Sets `loss` if stdout was not read to the end.
    private func reportLoss() {
        guard output.fault == nil, output.unwrittenBytes > 0 else { return }
        var text =
            "stdout was not read for \(Limits.lastWriteSeconds) seconds: \(output.unwrittenBytes) bytes of replies are lost"
        let requests = connection.messagesWithoutReply
        if requests > 0 { text += ", and \(requests) requests were read and not answered" }
        loss = text
    }

    /// Whether requests that were read already can be executed now.
    private var canProceed: Bool { connection.hasBacklog && !isUnread }

    /// Whether the host has so many unread replies that its next requests must wait.
    private var isUnread: Bool { output.heldBytes > Limits.unreadBytesMax }

    /// Waits for input or a wake-up, then reads once and executes what was read.
    private func waitAndRead(milliseconds: Int?, into buffer: UnsafeMutableRawBufferPointer) {
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
            // The bytes may contain a password.
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
