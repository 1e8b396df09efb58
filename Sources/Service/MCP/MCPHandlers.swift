import JSON
import JSONRPC

/// Executes the requests of the Model Context Protocol (MCP), through which assistants and editors use the contract's
/// methods as tools.
///
/// The protocol has two forms, and every stream accepts both. Since version 2026-07-28 it is stateless: each request
/// states its version. In earlier versions a peer begins with `initialize`. Source: modelcontextprotocol.io, the
/// specifications of the versions in `MCPEra`.
final class MCPHandlers {
    /// Calls a method of the contract and writes its result, or returns the slow work that it waits for.
    typealias CallMethod = (Method, UnsafeRawBufferPointer?, inout JSONWriter) throws(RPCError) -> SlowWork?

    private let serverVersion: String
    private let offer: ToolOffer
    private let excludingFlag: String?
    private let handshake: MCPHandshake

    /// - Parameters:
    ///   - offer: the tools that this process offers.
    ///   - excludingFlag: the flag beside which MCP is refused; nil if it is served.
    ///   - handshake: what all services of the stream know of the peer.
    init(serverVersion: String, offer: ToolOffer, excludingFlag: String? = nil, handshake: MCPHandshake) {
        self.serverVersion = serverVersion
        self.handshake = handshake
        self.offer = offer
        self.excludingFlag = excludingFlag
    }

    /// Executes a request and writes its result, or returns the slow work that the called tool waits for.
    func execute(
        _ method: MCPMethod,
        params given: UnsafeRawBufferPointer?,
        call: CallMethod,
        result: inout JSONWriter
    ) throws(RPCError) -> SlowWork? {
        if let excludingFlag { throw .excludes(excludingFlag) }
        let (params, era) = try envelope(of: method, given)
        result.beginObject()
        if era == .stateless { writeHead(to: &result) }
        switch (method, era) {
        case (.initialize, .handshake):
            guard let version = params.protocolVersion else { throw .invalidParams }
            writeHandshake(asking: version, to: &result)
        case (.ping, .handshake): break
        case (.initialize, .stateless), (.ping, .stateless), (.serverDiscover, .handshake):
            throw .methodNotFound
        case (.serverDiscover, .stateless): writeDiscovery(to: &result)
        case (.toolsList, _):
            // All tools are on one page, so no reply has contained a cursor.
            guard params.cursor == nil else { throw .invalidParams }
            writeTools(to: &result)
            if era == .stateless { writeCaching(to: &result) }
        case (.toolsCall, _):
            if let work = try callTool(params, era: era, call: call, result: &result) { return work }
        }
        result.endObject()
        return nil
    }

    /// The tool call in a request; nil for any other request, and if no such tool is offered.
    func toolCall(in request: Request) -> ToolCall? {
        guard excludingFlag == nil, MCPMethod.named(request.method) == .toolsCall else { return nil }
        do throws(RPCError) {
            let (params, era) = try envelope(of: .toolsCall, request.params)
            return ToolCall(params, era: era, offer: offer)
        } catch {
            // The request calls no tool. Its execution throws this error.
            return nil
        }
    }

    /// Writes the result of a call that was executed and whose own result cannot be sent.
    func writeFailure(_ error: RPCError, of call: ToolCall, to result: inout JSONWriter) {
        result.beginObject()
        if call.era == .stateless { writeHead(to: &result) }
        ToolCall.write(error: error, to: &result)
        result.endObject()
    }

    private func callTool(
        _ params: MCPParams,
        era: MCPEra,
        call: CallMethod,
        result: inout JSONWriter
    ) throws(RPCError) -> SlowWork? {
        guard let tool = ToolCall(params, era: era, offer: offer) else {
            throw .unknownTool(params.name?.string, offer)
        }
        // The result contains the value twice, as text and as structured content.
        let valueBytesMax = result.furtherBytesMax / 2
        var value = JSONWriter()
        value.limit(toFurther: valueBytesMax)
        do throws(RPCError) {
            if let work = try call(tool.method, tool.params, &value) { return work }
        } catch {
            ToolCall.write(error: error, to: &result)
            return nil
        }
        if value.isOverrun || value.count > valueBytesMax {
            result.overrun()
        } else {
            value.withUnsafeBytes { ToolCall.write(result: $0, to: &result) }
        }
        return nil
    }

    private func envelope(
        of method: MCPMethod,
        _ params: UnsafeRawBufferPointer?
    ) throws(RPCError) -> (MCPParams, MCPEra) {
        let read: MCPParams
        do throws(JSONError) {
            read = try MCPParams(params)
        } catch {
            guard error.reason == .duplicateProperty, let params else { throw .invalidParams }
            throw .duplicateProperty(at: error.offset, in: params)
        }
        return (read, try MCPEra(of: method, read.envelope, hasInitialized: handshake.hasInitialized))
    }

    // MARK: Results

    private func writeHandshake(asking version: String, to writer: inout JSONWriter) {
        handshake.markInitialized()
        let known = MCPEra.handshakeVersions
        writer.property("protocolVersion")
        writer.string(known.contains(version) ? version : known[known.count - 1])
        writeCapabilities(to: &writer)
        writer.property("serverInfo")
        writeServerInfo(to: &writer)
        writeInstructions(to: &writer)
    }

    private func writeDiscovery(to writer: inout JSONWriter) {
        writer.property("supportedVersions")
        writer.beginArray()
        for version in MCPEra.statelessVersions { writer.string(version) }
        writer.endArray()
        writeCapabilities(to: &writer)
        writeInstructions(to: &writer)
        writeCaching(to: &writer)
    }

    private func writeTools(to writer: inout JSONWriter) {
        writer.property("tools")
        writer.beginArray()
        for method in offer.methods {
            guard let tool = method.tool else { continue }
            writer.raw(UnsafeRawBufferPointer(start: tool.utf8Start, count: tool.utf8CodeUnitCount))
        }
        writer.endArray()
    }

    private func writeCapabilities(to writer: inout JSONWriter) {
        writer.property("capabilities")
        writer.beginObject()
        writer.property("tools")
        writer.beginObject()
        writer.endObject()
        writer.endObject()
    }

    private func writeInstructions(to writer: inout JSONWriter) {
        writer.property("instructions")
        writer.string(offer.instructions)
    }

    private func writeServerInfo(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.property("name")
        writer.string("postern")
        writer.property("version")
        writer.string(serverVersion)
        writer.endObject()
    }

    /// The properties that every result has since version 2026-07-28.
    private func writeHead(to writer: inout JSONWriter) {
        writer.property("resultType")
        writer.string("complete")
        writer.property("_meta")
        writer.beginObject()
        writer.property("io.modelcontextprotocol/serverInfo")
        writeServerInfo(to: &writer)
        writer.endObject()
    }

    /// How long a list may be cached, and for whom. The list is the same for all peers and does not change while the
    /// program runs.
    private func writeCaching(to writer: inout JSONWriter) {
        writer.property("ttlMs")
        writer.int(3_600_000)
        writer.property("cacheScope")
        writer.string("public")
    }
}

extension RPCError {
    /// The peer of an MCP server may end the connection at a message that it does not expect.
    fileprivate static func excludes(_ flag: String) -> RPCError {
        methodNotFound.because(
            "the Model Context Protocol is not served with \(flag), because its servers send no messages of their own"
        )
    }

    fileprivate static func unknownTool(_ name: String?, _ offer: ToolOffer) -> RPCError {
        guard let name else { return RPCError(code: invalidParams.code, message: "Invalid params: no tool named") }
        let names = offer.methods.compactMap { $0.toolName?.description }
        let isHidden = Method.allCases.contains { $0.toolName?.description == name && !offer.hasGroup(of: $0) }
        return RPCError(
            code: invalidParams.code,
            message: isHidden
                ? "Unknown tool: \(name); --tools leaves it out"
                : "Unknown tool: \(name.shortened)\(NearestName.hint(for: name, among: names))"
        )
    }
}
