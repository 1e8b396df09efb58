/// Converts names to Go names and texts to Go comments.
enum GoText {
    /// The first line of every generated file, in the form that Go's tools recognise.
    static let mark =
        "// Code \(generatedWords.lowerFirst) DO NOT EDIT.\n"

    /// The words that Go writes in capitals.
    private static let initialisms: Set = ["api", "id", "npi", "rpc"]

    /// `api_key` → `APIKey`, `operators.client` → `OperatorsClient`.
    static func exported(_ name: String) -> String {
        name.split { $0 == "_" || $0 == "." }.map { word in
            initialisms.contains(String(word)) ? word.uppercased() : word.prefix(1).uppercased() + word.dropFirst()
        }.joined()
    }

    /// Pairs of words on one line each, the second ones in one column, as gofmt aligns them.
    static func aligned(_ pairs: [(String, String)]) -> [String] {
        let width = pairs.map(\.0.count).max() ?? 0
        return pairs.map { "\t\($0.0)\(String(repeating: " ", count: width - $0.0.count)) \($0.1)" }
    }

    /// The lines of a comment.
    ///
    /// - Parameter indent: the number of tabs before each line; each counts as four columns.
    static func comment(_ text: String, indent: Int = 0) -> [String] {
        let tabs = String(repeating: "\t", count: indent)
        return text.split(separator: "\n", omittingEmptySubsequences: false).flatMap { paragraph in
            paragraph.wrapped(to: 117 - 4 * indent).map { $0.isEmpty ? "\(tabs)//" : "\(tabs)// \($0)" }
        }
    }
}

extension ClientContract.ClientError {
    /// `CareInvalidPatientID`
    var goName: String { GoText.exported(api) + GoText.exported(slug) }
}

extension ClientContract.ClientProperty {
    /// The unit or format that the Go type does not show.
    var goContentNotes: [String] { content == .time ? [] : contentNotes }
}

extension ClientContract.ClientMethod {
    /// `CreateSalesperson`
    var goName: String { GoText.exported(localName) }
    /// The type of its params: `OperatorsClientCreateParams`
    var goParams: String { GoText.exported(name) + "Params" }
}

extension ClientContract.Group {
    /// `OperatorsClientMethods`
    var goType: String { GoText.exported(path) + "Methods" }
}
