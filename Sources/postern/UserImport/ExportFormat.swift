import Accounts
import Platform

/// The programs and formats that users are imported from.
enum ExportFormat: String, CaseIterable {
    case django, firebase, csv
}

extension UserSource {
    /// Opens the export at a path.
    func open(_ path: SystemString) throws(CommandError) -> any UserExport {
        switch format {
        case .django: return DjangoUsers(try ExportedJSON(path), isConfirmed: isConfirmed)
        case .firebase:
            let parameters = try firebaseHash.map { path throws(CommandError) in try FirebaseParameters(path) }
            return FirebaseUsers(try ExportedJSON(path), parameters, for: api, isConfirmed: isConfirmed)
        case .csv: return try CSVUsers(path, for: api, isConfirmed: isConfirmed)
        }
    }
}
