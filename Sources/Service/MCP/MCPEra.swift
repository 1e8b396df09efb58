import Accounts
import JSON
import JSONRPC

/// The form of the protocol that a request uses. One stream may contain both: each request is classified alone.
enum MCPEra {
    /// The peer sends `initialize` first.
    case handshake
    /// Each request states its protocol version in `_meta`.
    case stateless

    /// The versions that `initialize` can negotiate, the newest last.
    static let handshakeVersions = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]
    /// The versions that a stateless request can state.
    static let statelessVersions = ["2026-07-28"]

    /// The era of a request.
    ///
    /// - Parameter hasInitialized: whether the peer has sent `initialize`.
    /// - Throws: if a request that must state its version does not, or if the version is unknown.
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

    /// The error for an unknown protocol version. MCP defines its code.
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
