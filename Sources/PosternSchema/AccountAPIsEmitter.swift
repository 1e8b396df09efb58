/// Generates the Swift code that depends on the list of account APIs.
struct AccountAPIsEmitter {
    private let apis: [API]
    private let records: [ObjectType]
    private let commonMails: [String]
    /// The cases of the parts of the contract without accounts.
    private let others: String

    init(_ contract: Contract) {
        apis = contract.accountAPIs
        others = contract.apis.filter { $0.accounts == nil }.map { ".\($0.name)" }.joined(separator: ", ")
        commonMails = contract.accountMailKinds
        // The records of the APIs precede the shared records.
        let types = contract.records.dropFirst().flatMap(\.records) + contract.records.prefix(1).flatMap(\.records)
        let embedded = Set(types.flatMap(\.properties).map(\.type.base))
        // Only the records of a collection say whether they are personal. Those may also be a part of other records.
        records = types.filter { !embedded.contains($0.name) || $0.isPersonal }
    }

    /// The path and text of every file.
    var files: [(String, String)] {
        [
            ("Sources/Accounts/Generated/Realm.swift", realmText),
            ("Sources/Accounts/Generated/AccountAPIs.swift", apisText),
            ("Sources/Accounts/Generated/MailKind.swift", mailKindText),
            ("Sources/Accounts/Generated/RecordTypes.swift", recordTypesText),
            ("Sources/Mail/Generated/MailKind+Templates.swift", templatesText),
            ("Sources/Service/Generated/AccountHandlers.swift", handlersText),
        ]
    }

    private var mails: [Mail] { apis.flatMap(\.mails) }

    /// One line per API.
    private func each(indent: Int, _ line: (API) -> String) -> String {
        apis.map { String(repeating: " ", count: indent) + line($0) }.joined(separator: "\n")
    }

    private var realmText: String {
        """
        \(generatedMark)package import Store

        /// One of the account APIs. Each has separate accounts: the same email may have an account in all of them.
        package enum Realm: String, CaseIterable, Sendable {
            case \(apis.map(\.name).joined(separator: ", "))

            /// The number of the account with an email, in lower case; nil if there is none.
            package func account(of email: String, in tx: Transaction) throws -> Int? {
                switch self {
        \(each(indent: 8) { "case .\($0.name): try tx.find(\($0.accounts ?? "").byEmail, Key(email))?.id" })
                }
            }

            /// Reports a reference to an account that does not exist in the realm.
            func require(_ property: String, _ account: Int, into findings: inout RecordFindings) {
                switch self {
        \(each(indent: 8) { "case .\($0.name): findings.require(property, \($0.accounts ?? "").self, account)" })
                }
            }
        }

        extension ErrorCode.API {
            /// The realm of its accounts; nil for a part without accounts of its own.
            package var realm: Realm? {
                switch self {
        \(each(indent: 8) { "case .\($0.name): .\($0.name)" })
                case \(others): nil
                }
            }
        }

        """
    }

    private var apisText: String {
        let properties = each(indent: 4) { "/// \($0.title).\n    package let \($0.name): \($0.name.upperCamel)" }
        return """
            \(generatedMark)/// The account APIs of one store. It is a class because it is passed to every later phase.
            package final class AccountAPIs {
                /// The store and every source of effects.
                package let environment: Environment
            \(properties)

                package init(_ environment: Environment, _ settings: AccountSettings = AccountSettings()) {
                    self.environment = environment
            \(each(indent: 8) { "\($0.name) = \($0.name.upperCamel)(environment, settings)" })
                }

                /// The API of a realm.
                package subscript(_ realm: Realm) -> any AccountAPI {
                    switch realm {
            \(each(indent: 8) { "case .\($0.name): \($0.name)" })
                    }
                }

                /// The properties of an imported account that an API has.
                package static func importedProperties(of realm: Realm) -> [ImportedAccount.Property] {
                    switch realm {
            \(each(indent: 8) { "case .\($0.name): \($0.name.upperCamel).importedProperties" })
                    }
                }

                /// The roles that the accounts of an API have, one each; empty if they have none.
                package static func roles(of realm: Realm) -> [String] {
                    switch realm {
            \(each(indent: 8) { "case .\($0.name): \($0.name.upperCamel).roles" })
                    }
                }

                /// Continues the jobs of all APIs, one transaction of each.
                ///
                /// - Returns: whether more work remains.
                package func runJobs() throws -> Bool {
                    var hasMore = false
            \(each(indent: 8) { "if try \($0.name).runJob() { hasMore = true }" })
                    return hasMore
                }
            }

            """
    }

    private var handlersText: String {
        """
        \(generatedMark)import Accounts

        /// The handlers that bind the methods of each account API to its rules.
        struct AccountHandlers {
        \(each(indent: 4) { "let \($0.name): \($0.name.upperCamel)Handlers" })

            init(_ apis: AccountAPIs) {
        \(each(indent: 8) { "\($0.name) = \($0.name.upperCamel)Handlers(\($0.name): apis.\($0.name))" })
            }
        }

        """
    }

    private var mailKindText: String {
        let cases = mails.map { "    /// \($0.description)\n    case \($0.swiftName) = \"\($0.kind)\"" }
        let common = commonMails.compactMap { kind in
            apis.first.flatMap { api in api.mails.first { $0.kind == "\(api.name)-\(kind)" } }.map { mail in
                "    /// \(mail.description)\n    package let \(Self.swiftName(kind)): MailKind"
            }
        }
        return """
            \(generatedMark)/// The mails that the account APIs send.
            package enum MailKind: String, CaseIterable, Sendable {
            \(cases.joined(separator: "\n"))
            }

            /// An API's kinds of the mails that every account API sends.
            package struct AccountMails: Sendable {
            \(common.joined(separator: "\n"))
            }

            extension Realm {
                /// The kinds of the mails that every account API sends.
                package var mails: AccountMails {
                    switch self {
            \(apis.map { commonMails(of: $0) }.joined(separator: "\n"))
                    }
                }
            }

            """
    }

    private static func swiftName(_ kind: String) -> String { kind.replacing("-", with: "_").lowerCamel }

    private func commonMails(of api: API) -> String {
        let arguments = commonMails.map { kind in
            "                \(Self.swiftName(kind)): .\(Self.swiftName("\(api.name)-\(kind)"))"
        }
        let list = arguments.joined(separator: ",\n")
        return "        case .\(api.name):\n            AccountMails(\n\(list)\n            )"
    }

    private var templatesText: String {
        let links = mails.map { "        case .\($0.swiftName): \($0.link.map { "\"\($0)\"" } ?? "nil")" }
        let notices = mails.filter(\.isNotice).map { ".\($0.swiftName)" }.joined(separator: ", ")
        let bytes = mails.map { "        case .\($0.swiftName): PackageResources.\($0.resourceName)" }
        return """
            \(generatedMark)import Accounts

            extension MailKind {
                /// The path of a mail's link, up to the code; nil for a secret that must not be in a link.
                var linkPath: String? {
                    switch self {
            \(links.joined(separator: "\n"))
                    }
                }

                /// Whether a mail is a notice: its text has no code and no link.
                var isNotice: Bool {
                    switch self {
                    case \(notices): true
                    default: false
                    }
                }

                /// The bytes of the built-in template.
                var embeddedBytes: [UInt8] {
                    switch self {
            \(bytes.joined(separator: "\n"))
                    }
                }
            }

            """
    }

    private var recordTypesText: String {
        let all = records.map { "        RecordType(\($0.name).self)," }
        let personal = records.filter(\.isPersonal).map { "        \($0.name).collection," }
        return """
            \(generatedMark)package import Store

            /// All record types of the account APIs.
            package enum RecordTypes {
                /// One type per collection.
                package static let all: [RecordType] = [
            \(all.joined(separator: "\n"))
                ]

                /// The collections whose records contain personal data. After such a record is deleted, all bases of a
                /// directory are merged, which erases it. Shares are not among them: a withdrawn share has an address
                /// too, but is erased when all bases are merged anyway, a day after there were several.
                package static let personal: [AnyCollection] = [
            \(personal.joined(separator: "\n"))
                ]
            }

            """
    }
}
