import Accounts
package import JSON
package import JSONRPC
import Store

/// Executes the requests of the contract's methods with the account APIs, and those of MCP.
package final class Service: RequestHandler {
    let handlers: AccountHandlers
    let system: SystemHandlers
    let admin: AdminHandlers
    let mcp: MCPHandlers

    private let backend: Backend
    var apis: AccountAPIs { backend.apis }
    let hashesElsewhere: Bool
    /// The methods that the process serves.
    private let served: ServedMethods
    /// The strictness of requests that are no tool calls.
    private let strictness: Strictness
    private let log: (String) -> Void

    /// - Parameters:
    ///   - backend: the account APIs and their store.
    ///   - system: the methods of the service itself.
    ///   - hashesElsewhere: whether password hashing runs on other threads while the request waits; false runs it in
    ///     place.
    ///   - tools: which methods are offered as MCP tools.
    ///   - mcpExcludingFlag: the flag with which the process sends the host messages of its own, and beside which MCP
    ///   is
    ///     refused; nil if there is none.
    ///   - mcpHandshake: what all services of the stream know of the peer.
    ///   - refusesUnknownParams: whether an unknown property of params is an error; for a tool call it always is.
    ///   - log: writes one line, without secrets, to the administrator's log.
    package init(
        backend: Backend,
        system: SystemHandlers,
        hashesElsewhere: Bool,
        tools: ToolSelection = .all,
        mcpExcludingFlag: String? = nil,
        mcpHandshake: MCPHandshake = MCPHandshake(),
        refusesUnknownParams: Bool = false,
        log: @escaping (String) -> Void
    ) {
        self.strictness = refusesUnknownParams ? .refusing : .ignoring
        self.hashesElsewhere = hashesElsewhere
        self.backend = backend
        self.system = system
        self.handlers = AccountHandlers(backend.apis)
        self.admin = AdminHandlers(apis: backend.apis)
        self.served = system.served
        self.mcp = MCPHandlers(
            serverVersion: system.version,
            offer: ToolOffer(tools, of: served),
            excludingFlag: mcpExcludingFlag,
            handshake: mcpHandshake
        )
        self.log = log
    }

    /// Executes a call of a method of the contract, by its name or as an MCP tool, or another request of MCP.
    package func execute(
        _ request: Request,
        from phase: (any RequestPhase)?,
        result: inout JSONWriter
    ) throws(RPCError) -> SlowWork? {
        if let method = method(of: request) {
            return try call(method, request.params, from: phase, strictness, result: &result)
        }
        guard let method = MCPMethod.named(request.method) else {
            throw .methodNotFound(request.method, served)
        }
        let call: MCPHandlers.CallMethod = { method, params, result throws(RPCError) in
            // Strict: a model that misspells an argument would otherwise believe that the argument took effect.
            try self.call(method, params, from: phase, .tool, result: &result)
        }
        return try mcp.execute(method, params: request.params, call: call, result: &result)
    }

    /// Calls a method of the contract, or continues the call with its next phase. Maps the errors that it throws.
    private func call(
        _ method: Method,
        _ params: UnsafeRawBufferPointer?,
        from phase: (any RequestPhase)?,
        _ strictness: Strictness,
        result: inout JSONWriter
    ) throws(RPCError) -> SlowWork? {
        let params = params ?? Self.noParams
        guard Self.isObject(params) else { throw method.wantsObject.formatted(for: method) }
        if let property = strictness.refused(in: params, of: method) { throw method.hasNo(property) }
        do throws(Failure) {
            return try run(method, params, from: phase, result: &result)
        } catch {
            switch error {
            case .store(.locked):
                // The request wants to write. It runs again after a pause. `DirectoryLock` counts the time of all
                // attempts, and throws `busy` when `--lock-wait` is over.
                return {
                    LockPause.pass()
                    return phase
                }
            case .account(let refusal):
                if let expired = refusal.expired { backend.delete(afterwards: expired) }
                let hint = UnknownProperty(in: params, of: method).flatMap { $0.standsForRequired ? $0 : nil }
                throw RPCError(refusal, hint: hint).formatted(for: method)
            case .params(let error) where error.reason == .duplicateProperty:
                throw .duplicateProperty(at: error.offset, in: params).formatted(for: method)
            case .params, .store, .replyTooLong, .unexpected:
                throw RPCError(error, method: method, log: log)
            }
        }
    }

    /// Runs the next phase of a call.
    private func run(
        _ method: Method,
        _ params: UnsafeRawBufferPointer,
        from phase: (any RequestPhase)?,
        result: inout JSONWriter
    ) throws(Failure) -> SlowWork? {
        do {
            if let phase {
                guard let hashed = phase as? HashedPhase else { preconditionFailure("no phase of this handler") }
                return try hashed.run(self, &result)
            }
            var reader = JSONReader(params)
            return try callHandler(of: method, params: &reader, result: &result)
        } catch {
            throw Failure(error)
        }
    }

    /// Runs the first phase of the called method on a store that refuses writes.
    package func lookAhead(_ request: Request) -> SlowWork? {
        guard let call = called(by: request), let params = call.params, Self.isObject(params) else { return nil }
        // Such a request is refused at its turn, without password work.
        if call.strictness.refused(in: params, of: call.method) != nil { return nil }
        defer { rollback() }
        var reader = JSONReader(params)
        var discarded = JSONWriter()
        do {
            return try backend.store.refusingWrites {
                try callHandler(of: call.method, params: &reader, result: &discarded)
            }
        } catch {
            // The request is refused at its turn.
            return nil
        }
    }

    /// Other requests than calls of the contract's methods are those of MCP, or errors.
    package func needsStore(_ request: Request) -> Bool {
        called(by: request)?.method.needsStore ?? false
    }

    /// Only methods that hash a password have slow work that can start ahead of their turn. The pause for the lock
    /// cannot.
    package func mayWait(_ request: Request) -> Bool {
        hashesElsewhere && called(by: request)?.method.hashesPassword == true
    }

    /// Only MCP has a notification that cancels a request. JSON-RPC 2.0 defines none.
    package func cancelledID(by notification: Request) -> UnsafeRawBufferPointer? {
        MCPCancellation(notification)?.id
    }

    /// Only requests of MCP: its clients expect no reply to a cancelled request, those of JSON-RPC expect one.
    package func isCancellable(_ request: Request) -> Bool {
        MCPMethod.named(request.method) != nil
    }

    /// Logs an error too, because an administrator must know of a store that cannot be written.
    package func commit() throws(RPCError) {
        do throws(StoreError) {
            try backend.store.makeDurable()
        } catch {
            log("store: \(error)")
            throw RPCError(error)
        }
    }

    /// An API may state further properties of the data of its errors.
    package func formatted(_ error: RPCError, for request: Request) -> RPCError {
        method(of: request).map { error.formatted(for: $0) } ?? error
    }

    /// The error of a tool's call is its result, because a model sees only results.
    package func writeFailure(_ error: RPCError, of request: Request, result: inout JSONWriter) throws(RPCError) {
        guard let call = mcp.toolCall(in: request) else { throw formatted(error, for: request) }
        mcp.writeFailure(error.formatted(for: call.method), of: call, to: &result)
    }

    /// Discards the writes that the store has staged.
    package func rollback() {
        backend.store.discardStaged()
    }

    /// Ends the store's group of transactions. The policy's transactions only read, so no write is lost.
    package func endGroup() {
        backend.store.discardStaged()
    }

    /// The lane of the account that the request is about, so that two requests about it keep their order.
    package func lane(of request: Request) -> Lane? {
        // A request that is refused at once, or whose account cannot be read, changes nothing. It may overtake others.
        guard let call = called(by: request), let params = call.params, Self.isObject(params) else { return nil }
        do {
            return try backend.lane(of: call.method, params: params)
        } catch {
            return nil
        }
    }

    /// A call of a method of the contract.
    private struct Call {
        let method: Method
        let params: UnsafeRawBufferPointer?
        let strictness: Strictness
    }

    /// The contract's method that a request calls, by name or as an MCP tool, with its params.
    private func called(by request: Request) -> Call? {
        if let method = method(of: request) {
            return Call(method: method, params: request.params, strictness: strictness)
        }
        return mcp.toolCall(in: request).map { Call(method: $0.method, params: $0.params, strictness: .tool) }
    }

    private func method(of request: Request) -> Method? {
        Method.named(request.method).flatMap { served.includes($0) ? $0 : nil }
    }

    private static func isObject(_ params: UnsafeRawBufferPointer) -> Bool {
        params.first == UInt8(ascii: "{")
    }

    /// The params of a request that has none: an empty object.
    private static var noParams: UnsafeRawBufferPointer {
        let text: StaticString = "{}"
        return UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
    }
}

extension Method {
    /// Whether a call may read or write the store. The service's own methods do only in deterministic mode.
    fileprivate var needsStore: Bool { api != .service || isDeterministicOnly }
}
