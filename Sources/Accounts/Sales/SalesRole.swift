/// What an account of the sales API is, and with it whom its referral code may invite.
package enum SalesRole: String, CaseIterable, Sendable {
    case customer, salesperson, admin

    /// Whether the owner of a code may invite somebody of a role: customers anybody may, salespeople salespeople and
    /// internal users, internal users these alone.
    func mayInvite(_ role: SalesRole) -> Bool {
        switch role {
        case .customer: true
        case .salesperson: self != .customer
        case .admin: self == .admin
        }
    }
}
