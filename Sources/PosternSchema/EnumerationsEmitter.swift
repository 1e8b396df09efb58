/// Generates the Swift enumerations of the account APIs.
struct EnumerationsEmitter {
    let text: String

    init(_ contract: Contract) {
        let enumerations = contract.enumerations.filter { $0.isOfRules }.map { enumeration in
            let cases = enumeration.values.map { value in
                value.lowerCamel == value ? value : "\(value.lowerCamel) = \"\(value)\""
            }
            return """
                /// \(enumeration.description)
                package enum \(enumeration.name): String, CaseIterable, Sendable {
                    case \(cases.joined(separator: ", "))
                }
                """
        }
        text = generatedMark + enumerations.joined(separator: "\n\n") + "\n"
    }
}
