import JSON

extension UnitOfWork {
    /// Executes the message and writes its reply.
    ///
    /// - Returns: the slow work that the request waits for, with no reply written; nil if the message was executed.
    func execute(by handler: any RequestHandler, reply: inout JSONWriter) -> SlowWork? {
        switch content {
        case .request(let request): return execute(request, by: handler, reply: &reply)
        case .refusal(let error):
            reply.errorReply(error, to: address.id)
            return nil
        case .cancelled: return nil
        }
    }

    private func execute(_ request: Request, by handler: any RequestHandler, reply: inout JSONWriter) -> SlowWork? {
        let start = reply.count
        reply.limit(toFurther: Limits.answerBytesMax)
        defer { reply.limit(toFurther: .max - reply.count) }
        reply.beginReply(to: request.id)
        do throws(RPCError) {
            if let work = try handler.execute(request, from: phase, result: &reply) {
                reply.truncate(to: start)
                return work
            }
            reply.endObject()
            if request.id == nil {
                reply.truncate(to: start)
            } else if reply.isOverrun || reply.count - start > Limits.answerBytesMax {
                // Only reads have long results, so the error hides no write from the caller.
                reply.truncate(to: start)
                writeFailure(.replyTooLong, by: handler, reply: &reply)
            }
            return nil
        } catch {
            reply.truncate(to: start)
            if let id = request.id { reply.errorReply(error, to: id) }
            return nil
        }
    }

    /// Writes the reply to a request that was executed but whose result is not sent.
    func writeFailure(_ error: RPCError, by handler: any RequestHandler, reply: inout JSONWriter) {
        guard let request, let id = request.id else { return }
        let start = reply.count
        reply.beginReply(to: id)
        do throws(RPCError) {
            try handler.writeFailure(error, of: request, result: &reply)
            reply.endObject()
        } catch {
            reply.truncate(to: start)
            reply.errorReply(error, to: id)
        }
    }

    /// Commits the message's writes. If the commit fails, the error replaces the reply.
    func commit(by handler: any RequestHandler, reply: inout JSONWriter) {
        // A refusal has no writes, so a failed commit must not change its reply.
        guard request != nil else { return }
        do throws(RPCError) {
            try handler.commit()
        } catch {
            handler.rollback()
            reply.truncate(to: 0)
            writeFailure(error, by: handler, reply: &reply)
        }
    }
}
