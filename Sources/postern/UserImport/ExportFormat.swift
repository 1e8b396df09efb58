import Accounts
import Platform

/// The programs and formats that users are imported from.
enum ExportFormat: String, CaseIterable {
    case django, firebase, csv

    /// Opens an export.
    ///
    /// - Parameters:
    ///   - isConfirmed: whether the email of a user is confirmed if the export does not say it.
    func open(_ path: SystemString, for api: Realm, isConfirmed: Bool) throws(CommandError) -> any UserExport {
        switch self {
        case .django: DjangoUsers(try ExportedJSON(path), isConfirmed: isConfirmed)
        case .firebase: FirebaseUsers(try ExportedJSON(path), for: api, isConfirmed: isConfirmed)
        case .csv: try CSVUsers(path, for: api, isConfirmed: isConfirmed)
        }
    }
}
