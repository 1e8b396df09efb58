import Accounts
package import JSON
package import JSONRPC
import Store

/// Answers the contract's methods with what the account APIs do.
package final class Service: RequestHandler {
    let operators: OperatorsHandlers
    let care: CareHandlers
    let sales: SalesHandlers
    let system: SystemHandlers
    let mcp: MCPHandlers

    private let backend: Backend
    private let isRehearsal: Bool
    private let refusesUnknownParams: Bool
    private let log: (String) -> Void
    /// Sees to what goes on beside requests; gives the milliseconds until it is to be called again.
    package var beside: () -> Int? = { nil }

    /// - Parameters:
    ///   - backend: the account APIs and what they stand on.
    ///   - system: the methods of the service itself.
    ///   - tools: which methods are offered as tools.
    ///   - refusesUnknownParams: whether a property that a method does not take is an error; for a tool it always is.
    ///   - log: takes one line, without secrets, of what its operator should know.
    package init(
        backend: Backend,
        system: SystemHandlers,
        tools: ToolSelection = .all,
        refusesUnknownParams: Bool = false,
        log: @escaping (String) -> Void
    ) {
        self.refusesUnknownParams = refusesUnknownParams
        self.backend = backend
        self.system = system
        self.operators = OperatorsHandlers(operators: backend.operators)
        self.care = CareHandlers(care: backend.care)
        self.sales = SalesHandlers(sales: backend.sales)
        self.isRehearsal = system.rehearsal != nil
        self.mcp = MCPHandlers(
            serverVersion: system.version,
            offer: ToolOffer(tools, isRehearsal: isRehearsal)
        )
        self.log = log
    }

    package func handle(
        _ request: Request,
        run: any RequestRun,
        result: inout JSONWriter
    ) throws(RequestInterruption) {
        if let method = method(of: request) {
            try perform(method, params: request.params, isStrict: refusesUnknownParams, run: run, result: &result)
        } else if let method = MCPMethod.named(request.method) {
            let perform: MCPHandlers.Run = { method, params, result throws(RequestInterruption) in
                // A model that misspells an argument would otherwise take the success for what it asked for.
                try self.perform(method, params: params, isStrict: true, run: run, result: &result)
            }
            try mcp.handle(method, params: request.params, run: perform, result: &result)
        } else {
            throw .refused(.methodNotFound(request.method, isRehearsal: isRehearsal))
        }
    }

    private func perform(
        _ method: Method,
        params: UnsafeRawBufferPointer?,
        isStrict: Bool,
        run: any RequestRun,
        result: inout JSONWriter
    ) throws(RequestInterruption) {
        let params = params ?? Self.noParams
        guard Self.isObject(params) else { throw .refused(method.wantsObject.told(by: method)) }
        if isStrict, let property = UnknownProperty(in: params, of: method) { throw .refused(method.hasNo(property)) }
        var reader = JSONReader(params)
        // Nearly all requests run once, and have no outcome to look through.
        if !run.outcomes.isEmpty { run.outcomes.removeAll { $0 is LockPause } }
        backend.rerun.begin(method.hashesPassword ? run : nil)
        // The run keeps the request's bytes, a password among them.
        defer { if method.hashesPassword { backend.rerun.begin(nil) } }
        do {
            try self.run(method, params: &reader, result: &result)
        } catch let pending as PasswordWorkPending {
            throw .waits { PasswordOutcome(of: pending.work) }
        } catch let error as JSONError where error.reason == .duplicateMember {
            throw .refused(.duplicateProperty(at: error.offset, in: params).told(by: method))
        } catch is AnswerTooLong {
            throw .refused(RPCError.answerTooLong.told(by: method))
        } catch StoreError.locked {
            throw .waits { LockPause() }
        } catch {
            var refusal = RPCError(error, method: method, log: log)
            if error is AccountError, let property = UnknownProperty(in: params, of: method), property.standsForRequired
            {
                let name = property.path + property.hint
                // Messages of the documents are sentences, those of the service are clauses.
                let hint =
                    refusal.message.hasSuffix(".") ? " There is no property \(name)." : "; there is no property \(name)"
                refusal = RPCError(code: refusal.code, message: refusal.message + hint, data: refusal.data)
            }
            throw .refused(refusal)
        }
    }

    package func mayWait(_ request: Request) -> Bool {
        !isRehearsal && called(by: request)?.method.hashesPassword == true
    }

    package func cancelledID(by notification: Request) -> UnsafeRawBufferPointer? {
        MCPCancellation(notification)?.id
    }

    package func isCancellable(_ request: Request) -> Bool {
        MCPMethod.named(request.method) != nil
    }

    package func commit() throws(RPCError) {
        do throws(StoreError) {
            try backend.store.makeDurable()
        } catch {
            log("store: \(error)")
            throw RPCError(error)
        }
    }

    package func shaped(_ error: RPCError, for request: Request) -> RPCError {
        method(of: request).map { error.told(by: $0) } ?? error
    }

    package func end(_ request: Request, with error: RPCError, result: inout JSONWriter) throws(RPCError) {
        guard let call = mcp.toolCall(in: request) else { throw shaped(error, for: request) }
        mcp.write(error.told(by: call.method), ending: call, to: &result)
    }

    package func rollback() {
        backend.store.discardStaged()
    }

    package func tend() -> Int? {
        backend.deleteExpiredSecrets()
        return Self.earlier(backend.runJob(), Self.earlier(backend.store.maintain(), beside()))
    }

    /// The shorter of two waits, each nil where nothing is waited for. Every turn of the loop asks, so no list is made.
    private static func earlier(_ first: Int?, _ second: Int?) -> Int? {
        guard let first, let second else { return first ?? second }
        return min(first, second)
    }

    package func lane(of request: Request) -> Lane? {
        // What is refused outright, or cannot be looked up, changes nothing, and so may overtake any.
        guard let call = called(by: request), let params = call.params, Self.isObject(params) else { return nil }
        do {
            return try backend.lane(of: call.method, params: params)
        } catch {
            return nil
        }
    }

    /// The contract's method that a request calls, by its name or as a tool, and what it is given.
    private func called(by request: Request) -> (method: Method, params: UnsafeRawBufferPointer?)? {
        if let method = method(of: request) { return (method, request.params) }
        return mcp.toolCall(in: request).map { ($0.method, $0.params) }
    }

    private func method(of request: Request) -> Method? {
        guard let method = Method.named(request.method), isRehearsal || !method.isRehearsalOnly else { return nil }
        return method
    }

    private static func isObject(_ params: UnsafeRawBufferPointer) -> Bool {
        params.first == UInt8(ascii: "{")
    }

    /// What a request without params is read as.
    private static var noParams: UnsafeRawBufferPointer {
        let text: StaticString = "{}"
        return UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
    }
}
