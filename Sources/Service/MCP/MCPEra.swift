import Accounts
import JSON
import JSONRPC

/// How a peer speaks MCP. Both ways may come through one pipe: each request tells its own.
enum MCPEra {
    /// The peer shakes hands with `initialize` first.
    case handshake
    /// Each request says in its `_meta` which version it is of.
    case stateless

    /// The versions that a handshake may agree on, the newest last.
    static let handshakeVersions = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]
    /// The versions that a request may be of without one.
    static let statelessVersions = ["2026-07-28"]

    /// The era that a request belongs to.
    ///
    /// - Parameter hasInitialized: whether the peer has shaken hands.
    /// - Throws: where a request that must say which version it is of does not, or where that version is not known.
    init(of method: MCPMethod, _ envelope: MCPParams.Envelope, hasInitialized: Bool) throws(RPCError) {
        switch envelope.protocolVersion {
        case .absent where method == .initialize || method == .ping || hasInitialized && method != .serverDiscover:
            self = .handshake
        case .value(let version) where envelope.hasClientCapabilities:
            guard Self.statelessVersions.contains(version) else { throw .unsupportedVersion(version) }
            self = .stateless
        default: throw .incompleteEnvelope
        }
    }
}

extension RPCError {
    fileprivate static let incompleteEnvelope = RPCError(
        code: invalidParams.code,
        message:
            "Invalid params: where initialize did not come first, _meta has io.modelcontextprotocol/protocolVersion "
            + "and io.modelcontextprotocol/clientCapabilities"
    )

    /// MCP's own code for a version that is not known here.
    fileprivate static func unsupportedVersion(_ requested: String) -> RPCError {
        RPCError(
            code: -32022,
            message: "Unsupported protocol version",
            data: [
                "supported": .array(MCPEra.statelessVersions.map { .string($0) }),
                "requested": .string(requested.shortened),
            ]
        )
    }
}
