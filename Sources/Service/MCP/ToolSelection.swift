import Accounts

/// Which methods are offered as MCP tools: the value of `--tools`.
package struct ToolSelection: Equatable, Sendable {
    /// The APIs whose methods are offered.
    private let apis: Set<ErrorCode.API>
    /// Whether only methods that change nothing are offered.
    let isReadOnly: Bool

    /// All methods.
    package static let all = ToolSelection(apis: Set(ErrorCode.API.allCases), isReadOnly: false)
    /// The placeholder of the flag's value: `operators,care,sales,system|read-only`.
    package static let form =
        ErrorCode.API.allCases.filter(\.hasTools).map(\.toolGroup).joined(separator: ",") + "|" + readOnlyWord

    private static let readOnlyWord = "read-only"

    private init(apis: Set<ErrorCode.API>, isReadOnly: Bool) {
        self.apis = apis
        self.isReadOnly = isReadOnly
    }

    /// Reads names of APIs, `read-only`, or both, separated by commas. `sales,read-only` selects the methods of sales
    /// that change nothing. Nil if a word is neither.
    package init?(_ text: String) {
        var apis: Set<ErrorCode.API> = []
        var isReadOnly = false
        for word in text.split(separator: ",", omittingEmptySubsequences: false) {
            if word == Self.readOnlyWord {
                isReadOnly = true
            } else if let api = ErrorCode.API.allCases.first(where: { $0.hasTools && $0.toolGroup == word }) {
                apis.insert(api)
            } else {
                return nil
            }
        }
        self.init(apis: apis.isEmpty ? Set(ErrorCode.API.allCases) : apis, isReadOnly: isReadOnly)
    }

    /// Whether a method is offered.
    func includes(_ method: Method) -> Bool {
        includes(method.api) && (!isReadOnly || method.onlyReads)
    }

    /// Whether methods of an API are offered.
    func includes(_ api: ErrorCode.API) -> Bool { apis.contains(api) }
}

extension ErrorCode.API {
    /// Whether any of its methods is a tool.
    fileprivate var hasTools: Bool { Method.allCases.contains { $0.api == self && $0.toolName != nil } }
}
