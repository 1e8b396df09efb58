/// One of the account APIs. Each has separate accounts: the same email may have an account in all three.
package enum Realm: String, CaseIterable, Sendable {
    case operators, care, sales
}
