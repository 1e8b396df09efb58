import Platform

/// Where a store is, as `--data` states it.
enum StoreLocation {
    case memory
    case directory(SystemString)
    /// A database: the URI that libpq takes.
    case postgres(String)

    init(_ data: SystemString) {
        if data == ":memory:" {
            self = .memory
        } else if let text = data.text, ["postgres://", "postgresql://"].contains(where: { text.hasPrefix($0) }) {
            self = .postgres(text)
        } else {
            self = .directory(data)
        }
    }
}

extension StoreLocation {
    /// The URI of a database; nil for another location.
    var address: String? {
        if case .postgres(let address) = self { address } else { nil }
    }
}

extension StoreLocation: CustomStringConvertible {
    /// The location for people, without a password.
    var description: String {
        switch self {
        case .memory: ":memory:"
        case .directory(let path): "\(path)"
        case .postgres: "PostgreSQL"
        }
    }
}
