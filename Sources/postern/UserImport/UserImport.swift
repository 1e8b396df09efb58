import Accounts
import DirectoryStore
import Store

/// Adds the users of an export to a store that other processes may use meanwhile.
struct UserImport {
    let export: any UserExport
    let api: any AccountAPI
    let store: Store
    let bar: ProgressBar
    /// Writes a line about a user who cannot be imported.
    let report: (String) -> Void

    /// How many accounts are added with one lock and one sync.
    private static let groupCount = 100

    /// Checks all users and reports the faults.
    ///
    /// - Returns: the number of users who cannot be imported.
    func check() throws -> Int {
        var refused = 0
        var checked = 0
        /// The places of the emails, in lower case.
        var places: [String: String] = [:]
        try export.forEach { user in
            var faults = try faults(of: user)
            if let email = EmailAddress(user.account[.email])?.canonical {
                if let place = places[email] {
                    faults.append(.init("email", "the same as in \(place)"))
                } else {
                    places[email] = user.place
                }
            }
            if !faults.isEmpty { refused += 1 }
            for fault in faults { report("\(user.place): \(fault)") }
            checked += 1
            bar.show(ToolProgress(phase: "checking", done: checked, total: nil))
        }
        // Ends the reads, so that the additions see what other processes have written since.
        try store.makeDurable()
        return refused
    }

    private func faults(of user: ExportedUser) throws -> [RecordFindings.Fault] {
        try user.faults + (user.isReadable ? api.importFaults(of: user.account) : [])
    }

    /// Reads the whole export, so that an error of its format is found before an account is added.
    func parse() throws {
        try export.forEach { _ in }
    }

    /// The numbers of users that were added and that were refused.
    struct Result {
        var added = 0
        var refused = 0
    }

    /// Adds each user who follows the rules, and reports the faults of the others.
    ///
    /// - Parameter result: the numbers so far, also if an error is thrown.
    func add(_ result: inout Result) throws {
        var staged = 0
        func commit() throws {
            try store.makeDurable()
            result.added += staged
            staged = 0
            store.catchUp()
        }
        try export.forEach { user in
            let outcome =
                try user.faults.isEmpty ? api.importAccount(user.account) : .refused(faults(of: user))
            switch outcome {
            case .added:
                staged += 1
                if staged == Self.groupCount { try commit() }
            case .refused(let faults):
                result.refused += 1
                for fault in faults { report("\(user.place): \(fault)") }
            }
            bar.show(ToolProgress(phase: "importing", done: result.added, total: nil))
        }
        try commit()
    }
}
