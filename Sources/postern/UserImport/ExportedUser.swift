import Accounts
import JSON
import Store

/// A user in the export of another program.
struct ExportedUser {
    /// Where the user is in the export, for messages: `line 7`.
    let place: String
    var account: ImportedAccount
    /// What cannot be imported, by property of the export.
    private(set) var faults: [RecordFindings.Fault] = []
    /// Whether the properties could be read, so that the account has them.
    private(set) var isReadable = true

    init(at place: String, isConfirmed: Bool) {
        (self.place, account) = (place, ImportedAccount(isConfirmed: isConfirmed))
    }

    /// Reports that a property cannot be imported.
    mutating func refuse(_ property: String, _ rule: String) {
        faults.append(RecordFindings.Fault(property, rule))
    }

    /// Reports that the properties cannot be read.
    mutating func refuseAll(_ property: String, _ rule: String) {
        refuse(property, rule)
        isReadable = false
    }

    /// The string in a property of an object; "" if it is absent or null. Reports a value of another type.
    mutating func text(_ name: String, of object: JSONValue) -> String {
        switch object[name] {
        case nil, .null: return ""
        case .string(let text): return text
        default:
            refuse(name, "not a string")
            return ""
        }
    }

    /// The boolean in a property of an object; nil if it is absent or null. Reports a value of another type.
    mutating func flag(_ name: String, of object: JSONValue) -> Bool? {
        switch object[name] {
        case nil, .null: return nil
        case .bool(let flag): return flag
        default:
            refuse(name, "not true or false")
            return nil
        }
    }
}
