import Accounts

/// The tools that this process offers.
struct ToolOffer {
    private let selection: ToolSelection
    private let served: ServedMethods

    /// - Parameters:
    ///   - selection: the value of `--tools`.
    ///   - served: the methods that the process serves.
    init(_ selection: ToolSelection, of served: ServedMethods) {
        self.selection = selection
        self.served = served
    }

    /// The methods that are offered, in the contract's order.
    var methods: [Method] { Method.allCases.filter(includes) }

    /// Whether a method is offered.
    func includes(_ method: Method) -> Bool {
        method.toolName != nil && selection.includes(method) && served.includes(method)
    }

    /// Whether `--tools` includes a method, in any mode.
    func hasGroup(of method: Method) -> Bool { selection.includes(method) }

    /// Instructions for assistants on how to use the tools, in one paragraph.
    var instructions: String {
        let apis = ErrorCode.API.allCases.filter { api in methods.contains { $0.api == api } }
        let head =
            "Postern keeps user accounts in separate APIs; the same email may have an account in each, and they share "
            + "nothing."
        let mail =
            served.isDeterministic
            ? "Codes and tokens come in mails, which system_outbox shows."
            : "Codes and tokens come in mails: ask the user for them; where mail is kept, `postern outbox list` and "
                + "`postern outbox show ID` show it."
        let bound = selection.isReadOnly ? ["Only the tools that change nothing are offered here."] : []
        let errors = "An error names what is wrong in `data.errors`, and the argument in `data.field`."
        return ([head] + apis.map { $0.toolInstructions.description } + [mail, errors] + bound).joined(separator: " ")
    }
}
