/// One of the account APIs. Each has accounts of its own: the same email may stand in all three.
package enum Realm: String, CaseIterable, Sendable {
    case operators, care, sales
}
