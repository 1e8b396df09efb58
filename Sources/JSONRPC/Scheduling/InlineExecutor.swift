import JSON

/// Executes units of work on the calling thread, and commits them in groups: a thousand requests share one sync.
///
/// If the commit of a group fails, each of its units is executed again and committed alone, so that reads get their
/// usual replies, and each write gets its own result.
final class InlineExecutor: Executor {
    private let handler: any RequestHandler
    /// The units of the group: executed and not committed.
    private var group: [UnitOfWork] = []

    init(_ handler: any RequestHandler) {
        self.handler = handler
    }

    let isInline = true
    var isFull: Bool { false }
    func needsWorker(_ unit: UnitOfWork) -> Bool { false }

    func execute(_ unit: UnitOfWork, _ ticket: Ticket, replies: inout ReplyBuffer) -> Execution {
        if replies.isInPlace(unit.address) {
            if let work = replies.stageInPlace({ unit.execute(by: handler, reply: &$0) }) { return .waits(work) }
            group.append(unit)
        } else {
            var reply = JSONWriter()
            if let work = unit.execute(by: handler, reply: &reply) { return .waits(work) }
            group.append(unit)
            replies.stage(reply.take(), to: unit.address)
        }
        return .done
    }

    func lookAhead(_ unit: UnitOfWork, _ ticket: Ticket) -> Execution {
        unit.request.flatMap { handler.lookAhead($0) }.map { .waits($0) } ?? .done
    }

    func finish() {}

    func takeFinished() -> [(ticket: Ticket, execution: FinishedExecution)] { [] }

    /// Commits the group, also if it is empty or has no writes: the handler may have read the store, and must read it
    /// again for the next group.
    func commit(_ replies: inout ReplyBuffer) {
        do throws(RPCError) {
            try handler.commit()
        } catch {
            handler.rollback()
            repeatOneByOne(after: error, &replies)
        }
        group.removeAll(keepingCapacity: true)
        replies.release()
    }

    private func repeatOneByOne(after fault: RPCError, _ replies: inout ReplyBuffer) {
        for place in group.compactMap(\.address.place) { place.batch.takeBack(at: place.index) }
        replies.discardStaged()
        for unit in group {
            replies.stage(unit.executeAndCommit(by: handler, after: fault), to: unit.address)
        }
    }
}

extension UnitOfWork {
    /// Executes the message again, from the phase that its slow work returned, and commits its writes alone.
    ///
    /// - Parameter fault: why the commit of the group failed. It is the reply if the request waits for more slow work.
    /// - Returns: the reply; empty if the message gets none.
    fileprivate func executeAndCommit(by handler: any RequestHandler, after fault: RPCError) -> [UInt8] {
        var reply = JSONWriter()
        if execute(by: handler, reply: &reply) != nil {
            handler.rollback()
            writeFailure(fault, by: handler, reply: &reply)
        } else {
            commit(by: handler, reply: &reply)
        }
        return reply.take()
    }
}
