import JSON

extension LaneEntry {
    /// Carries out the message and writes its reply.
    ///
    /// - Returns: the slow work that the message must wait for, with nothing written; nil if it was carried out.
    func perform(by handler: any RequestHandler, answer: inout JSONWriter) -> SlowWork? {
        let start = answer.count
        guard !isCancelled else { return nil }
        guard let request else {
            answer.errorResponse(refusal ?? .internalError, to: address.id)
            return nil
        }
        if hasNoRoom, let id = request.id {
            answer.errorResponse(handler.shaped(.batchAnswerTooLong, for: request), to: id)
            return nil
        }
        answer.limit(toFurther: Limits.answerBytesMax)
        defer { answer.limit(toFurther: .max - answer.count) }
        answer.beginResponse(to: request.id)
        do throws(RPCError) {
            if let work = try handler.handle(request, from: phase, result: &answer) {
                answer.truncate(to: start)
                return work
            }
            answer.endObject()
            if request.id == nil {
                answer.truncate(to: start)
            } else if answer.isOverrun || answer.count - start > Limits.answerBytesMax {
                // Only reads have long results, so no change is hidden from the caller.
                answer.truncate(to: start)
                end(with: .answerTooLong, by: handler, answer: &answer)
            }
            return nil
        } catch {
            answer.truncate(to: start)
            if let id = request.id { answer.errorResponse(error, to: id) }
            return nil
        }
    }

    /// Writes the reply to a request that was carried out but whose result cannot be sent.
    func end(with failure: RPCError, by handler: any RequestHandler, answer: inout JSONWriter) {
        guard let request, let id = request.id else { return }
        let start = answer.count
        answer.beginResponse(to: id)
        do throws(RPCError) {
            try handler.end(request, with: failure, result: &answer)
            answer.endObject()
        } catch {
            answer.truncate(to: start)
            answer.errorResponse(error, to: id)
        }
    }
}
