package import Store

/// Invitations: referral codes that no account owns. The first account is created with one.
///
/// An invitation creates a limited number of accounts until it expires. Only the hash of its code is stored.
extension Sales {
    /// Creates an invitation. Its code cannot be read again.
    ///
    /// - Parameters:
    ///   - role: the role that decides which roles the invitation may create.
    ///   - uses: how many accounts it may create, within `Limits.invitationUses`.
    ///   - seconds: how long it is valid.
    ///   - actor: who asks for it; nil if that is not known.
    package func invite(
        _ role: SalesRole,
        uses: Int = 1,
        goodFor seconds: Int = Limits.invitationSeconds,
        actor: String? = nil
    ) throws -> NewInvitation {
        let (now, code) = (environment.time.now, environment.random.hex(bytes: Limits.codeDigits / 2))
        let expires = now.adding(seconds: seconds)
        return try environment.store.write { tx in
            let id = try tx.nextNumber(of: Invitation.self)
            try tx.insert(
                Invitation(
                    id: id,
                    hash: SecretToken.Hash(of: code).text,
                    role: role.rawValue,
                    usesLeft: uses,
                    created: now,
                    expires: expires
                )
            )
            let detail = EventDetail(invitation: id, actor: actor)
            try audit.record(.invited, of: nil, by: .admin, detail: detail, at: now, in: tx)
            return NewInvitation(id: id, referralCode: code, expires: expires)
        }
    }

    /// A page of the valid invitations, the oldest first.
    ///
    /// - Parameter id: the number of the invitation that the page follows.
    package func invitations(after id: Int, limit: Int) throws -> InvitationList {
        let now = environment.time.now
        return try environment.store.read { tx in
            let start = Key(min(id, Key.numbers.upperBound - 1) + 1)
            let page = try tx.all(Invitation.self, from: start, limit: limit)
            return InvitationList(
                invitations: page.filter { $0.expires > now }.map { invitation in
                    ValidInvitation(
                        id: invitation.id,
                        role: invitation.role,
                        usesLeft: invitation.usesLeft,
                        created: invitation.created,
                        expires: invitation.expires
                    )
                },
                next: page.count == limit ? page.last?.id : nil
            )
        }
    }

    /// Deletes an invitation. Returns false if there is none with that number.
    ///
    /// - Parameter actor: who asks for it; nil if that is not known.
    package func revokeInvitation(_ id: Int, actor: String? = nil) throws -> Bool {
        guard Key.numbers.contains(id) else { return false }
        let now = environment.time.now
        return try environment.store.write { tx in
            guard try tx.get(Invitation.self, Key(id)) != nil else { return false }
            try tx.delete(Invitation.self, Key(id))
            let detail = EventDetail(invitation: id, actor: actor)
            try audit.record(.adminInvitationRevoked, of: nil, by: .admin, detail: detail, at: now, in: tx)
            return true
        }
    }

    /// The valid invitation with a code; nil if there is none.
    func invitation(_ code: String, at now: Timestamp, in tx: Transaction) throws -> Invitation? {
        let invitation = try tx.find(Invitation.byHash, Key(SecretToken.Hash(of: code)))
        return invitation.flatMap { $0.expires > now ? $0 : nil }
    }

    /// Uses an invitation once, in the transaction that creates the account.
    func use(_ invitation: Invitation, in tx: Transaction) throws {
        var invitation = invitation
        invitation.usesLeft -= 1
        if invitation.usesLeft > 0 {
            try tx.update(invitation)
        } else {
            try tx.delete(Invitation.self, invitation.key)
        }
    }

    /// Replaces the account's own referral code. The old one is no longer valid.
    package func renewReferralCode(apiKey: Given<BearerToken>) throws -> String {
        let (now, code) = (environment.time.now, environment.random.hex(bytes: Limits.codeDigits / 2))
        try environment.store.write { tx in
            var user = try authenticated(apiKey, at: now, in: tx)
            user.referralCode = code
            try tx.update(user)
            try audit.record(.profileChanged, of: user.id, by: .account, at: now, in: tx)
        }
        return code
    }
}

extension Invitation: Record {
    package static let collection = Collection<Invitation>(
        "sales.invitations",
        isNumbered: true,
        unique: [byHash],
        ordered: [byExpiry, byCreation]
    )
    static let byHash = UniqueIndex<Invitation>("hash", steady: \.hash) { Key($0.hash) }
    static let byExpiry = OrderedIndex<Invitation>("expiry") { Key($0.expires.seconds, $0.id) }
    /// Lifetimes differ by years, so only the time of creation shows that the clock was ahead.
    static let byCreation = OrderedIndex<Invitation>("creation") { Key($0.created.seconds, $0.id) }

    package var key: Key { Key(id) }
}
