import JSON

/// The version of a contract, such as 1.10.0.
struct ContractVersion: Equatable {
    private let parts: [Int]

    /// A part that is not a number counts as 0.
    init(_ text: String) {
        parts = text.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
    }

    /// The error of a service that does not fit this client, by its `system.info`; nil if it fits. It fits with the
    /// contract of this client or a newer one of the same major version: a new one may have changed what this client
    /// uses.
    static func problem(in info: [UInt8]) -> PosternError? {
        guard let info = try? JSONValue(parsing: info), info.object != nil else { return nil }
        let text = info["contract"]?.string
        let own = ContractVersion(Limits.contractVersion)
        if let text {
            let version = ContractVersion(text)
            if version.major == own.major, !version.isOlder(than: own) { return nil }
        }
        let has = text.map { "version \($0)" } ?? "no version"
        return .protocolViolation(
            "The contract of this Postern has \(has); this client needs \(Limits.contractVersion) or a later \(own.major).x."
        )
    }

    private var major: Int { parts.first ?? 0 }

    private func isOlder(than other: ContractVersion) -> Bool { parts.lexicographicallyPrecedes(other.parts) }
}
