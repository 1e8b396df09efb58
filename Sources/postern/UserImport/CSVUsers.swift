import Accounts
import JSON
import Platform

/// The users in a file of comma-separated values. The first row names the columns: the properties of an imported
/// account, and `confirmed`.
///
///     email,password_hash,first_name,last_name,confirmed
///     lasoren@bu.edu,$2b$12$…,Luke,Sorenson,yes
struct CSVUsers: UserExport {
    private enum Column {
        case property(ImportedAccount.Property)
        case confirmed
    }

    private let path: SystemString
    private let api: Realm
    private let known: [ImportedAccount.Property]
    private let isConfirmed: Bool

    init(_ path: SystemString, for api: Realm, isConfirmed: Bool) throws(CommandError) {
        (self.path, self.api, self.isConfirmed) = (path, api, isConfirmed)
        known = AccountAPIs.importedProperties(of: api)
        guard try InputFile(path).isRegular else {
            throw .failed("\(path): not a regular file; it is read twice, first to check all rows")
        }
    }

    func forEach(_ body: (ExportedUser) throws -> Void) throws {
        let file = try InputFile(path)
        var reader = CSVReader(file)
        guard let head = try reader.next() else { throw CommandError.failed("\(file.name): empty") }
        let columns = try columns(head, file.name)
        while let row = try reader.next() { try body(user(row, columns)) }
    }

    /// The columns that the first row names.
    private func columns(_ row: CSVReader.Row, _ name: String) throws(CommandError) -> [Column] {
        func failure(_ reason: String) -> CommandError { .failed("\(name): line \(row.line): \(reason)") }
        let words = row.fields.map { String(decoding: $0, as: UTF8.self) }
        var columns: [Column] = []
        for (index, word) in words.enumerated() {
            if words[..<index].contains(word) { throw failure("the column \(word) twice") }
            if word == "confirmed" {
                columns.append(.confirmed)
            } else if let property = ImportedAccount.Property(rawValue: word) {
                guard known.contains(property) else { throw failure("the \(api) API has no \(word)") }
                columns.append(.property(property))
            } else {
                let names = known.map(\.rawValue) + ["confirmed"]
                let hint = NearestName.hint(for: word, among: names)
                throw failure("unknown column \(word)\(hint); the columns are \(names.joined(separator: ", "))")
            }
        }
        guard words.contains(ImportedAccount.Property.email.rawValue) else { throw failure("no column email") }
        return columns
    }

    private func user(_ row: CSVReader.Row, _ columns: [Column]) -> ExportedUser {
        var user = ExportedUser(at: "line \(row.line)", isConfirmed: isConfirmed)
        guard row.fields.count == columns.count else {
            user.refuseAll("fields", "\(row.fields.count), but the first row has \(columns.count)")
            return user
        }
        for (column, field) in zip(columns, row.fields) {
            switch column {
            case .property(let property):
                guard let text = String(validating: field, as: UTF8.self) else {
                    user.refuse(property.rawValue, "not UTF-8")
                    continue
                }
                user.account[property] = text
            case .confirmed:
                switch String(decoding: field, as: UTF8.self).lowercased() {
                case "": break
                case "yes", "y", "true", "t", "1": user.account.isConfirmed = true
                case "no", "n", "false", "f", "0": user.account.isConfirmed = false
                default: user.refuse("confirmed", "neither yes nor no")
                }
            }
        }
        return user
    }
}
