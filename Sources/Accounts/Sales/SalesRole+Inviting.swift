extension SalesRole {
    /// Whether an account of this role may invite one of `role`:
    ///
    /// | new account | invited by |
    /// | --- | --- |
    /// | customer | any role |
    /// | salesperson | salesperson, admin |
    /// | admin | admin |
    func mayInvite(_ role: SalesRole) -> Bool {
        switch role {
        case .customer: true
        case .salesperson: self != .customer
        case .admin: self == .admin
        }
    }
}
