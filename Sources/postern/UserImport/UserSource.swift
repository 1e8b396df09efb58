import Accounts
import Platform

/// Which users `postern import` adds to a store.
struct UserSource {
    let format: ExportFormat
    let api: Realm
    /// Whether an email is confirmed if the export does not say it.
    let isConfirmed: Bool
    let skipsInvalid: Bool
    /// The file with the parameters of a Firebase project.
    let firebaseHash: SystemString?
}
