/// Generates the Swift types that the rules return, with their writing code: the results of the methods that every
/// account API has, and those of the APIs without accounts.
struct RuleResultsEmitter {
    let text: String

    init(_ contract: Contract) {
        let structs = (contract.accountResults + contract.otherResults).map { type in
            (["/// \(type.description)", "package struct \(type.name): Sendable {"]
                + (memberwiseDeclarations(of: type.properties) + [""] + writeMethod(of: type.properties)).indented + [
                    "}"
                ])
                .joined(separator: "\n")
        }
        text = generatedMark + "package import JSON\n\n" + structs.joined(separator: "\n\n") + "\n"
    }
}
