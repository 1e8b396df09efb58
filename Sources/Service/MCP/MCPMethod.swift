import JSON

/// The methods of the Model Context Protocol (MCP) that the service supports.
enum MCPMethod: CaseIterable {
    case initialize
    case ping
    case serverDiscover
    case toolsCall
    case toolsList

    /// The method with a name; nil for an unknown name.
    static func named(_ name: JSONText) -> MCPMethod? { allCases.first { name.equals($0.name) } }

    /// The name in a request.
    var name: StaticString {
        switch self {
        case .initialize: "initialize"
        case .ping: "ping"
        case .serverDiscover: "server/discover"
        case .toolsCall: "tools/call"
        case .toolsList: "tools/list"
        }
    }
}
