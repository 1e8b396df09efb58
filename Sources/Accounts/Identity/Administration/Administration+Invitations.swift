/// Invitations, which are referral codes of the sales API.
extension Administration {
    /// Creates an invitation.
    package func invite(
        role: Given<String>,
        uses: Given<Int>,
        seconds: Given<Int>,
        actor: Given<String>
    ) throws -> NewInvitation {
        let lifetimes = Limits.invitationSecondsMin...Limits.invitationSecondsMax
        let inviter = role.isMissing ? .admin : role.value.flatMap { SalesRole(rawValue: $0) }
        guard let inviter else { throw AdminRules.invalid(role, "role") }
        return try apis.sales.invite(
            inviter,
            uses: try AdminRules.number(uses, "uses", in: Limits.invitationUses, standard: 1),
            goodFor: try AdminRules.number(seconds, "seconds", in: lifetimes, standard: Limits.invitationSeconds),
            actor: try AdminRules.actor(actor)
        )
    }

    /// A page of the valid invitations, the oldest first.
    package func invitations(after: Given<Int>, limit: Given<Int>) throws -> InvitationList {
        let limit = try AdminRules.limit(limit)
        return try apis.sales.invitations(after: try AdminRules.cursor(after), limit: limit)
    }

    /// Revokes an invitation.
    ///
    /// - Throws: `invitation_not_found`.
    package func revokeInvitation(_ id: Given<Int>, actor: Given<String>) throws {
        let id = try AdminRules.id(id)
        guard try apis.sales.revokeInvitation(id, actor: try AdminRules.actor(actor)) else {
            throw AccountError(ErrorCode.Admin.invitationNotFound)
        }
    }
}
