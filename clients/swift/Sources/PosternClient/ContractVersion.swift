import JSON

/// The version of a contract, such as 1.10.0.
struct ContractVersion: Equatable {
    private let parts: [Int]

    /// A part that is not a number counts as 0.
    init(_ text: String) {
        parts = text.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
    }

    /// The error of a service that has, by its `system.info`, an older contract than this client; nil if it has not.
    static func problem(in info: [UInt8]) -> PosternError? {
        guard let info = try? JSONValue(parsing: info), info.object != nil else { return nil }
        let text = info["contract"]?.string
        if let text, !ContractVersion(text).isOlder(than: ContractVersion(Limits.contractVersion)) { return nil }
        let has = text.map { "version \($0)" } ?? "no version"
        return .protocolViolation(
            "The contract of this Postern has \(has); this client needs \(Limits.contractVersion) or later."
        )
    }

    private func isOlder(than other: ContractVersion) -> Bool { parts.lexicographicallyPrecedes(other.parts) }
}
