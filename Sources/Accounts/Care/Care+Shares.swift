import Store

/// Sharing patients.
extension Care {
    /// Shares a patient with an address. If an account has proven the address, it has access at once. Otherwise the
    /// share waits: an invitation is mailed to the address, and an account that is registered with it but has not
    /// proven it learns nothing.
    package func share(
        _ token: Given<BearerToken>,
        _ id: Given<Int>,
        email: Given<String>,
        access: Given<String>,
        group: Given<String>
    ) throws -> CareShare {
        let (now, mail) = (environment.time.now, MailSecrets(environment.random))
        return try environment.store.write { tx in
            let sender = try authenticated(token, at: now, in: tx)
            let patient = try writableShare(token, id, at: now, in: tx).patient
            let (address, emailErrors) = CareRules.email(email)
            let (access, accessErrors) = CareRules.access(access)
            let (group, groupErrors) = CareRules.group(group)
            if let error = AccountError(all: emailErrors + accessErrors + groupErrors) { throw error }
            guard let address, let access, let group else { throw AccountError(ErrorCode.Care.invalidEmail) }
            let holder = try self.account(of: address, in: tx).flatMap { $0.isProven ? $0 : nil }
            let known = try liveShare(of: patient, with: address.canonical, holder: holder, in: tx)
            if known?.isOwners == true { throw AccountError(ErrorCode.Care.isOwner) }
            let user = holder?.id
            // An invitation by another sender gets a new number, because it ends with its sender's account.
            let kept = known.flatMap { $0.user != nil || $0.maker == sender.id ? $0 : nil }
            if let known, known.user == nil { try delete(known, in: tx) }
            var share =
                try kept
                ?? CareShare(
                    id: tx.nextNumber(of: CareShare.self),
                    patient: patient,
                    email: address.text,
                    user: user,
                    access: access,
                    group: group,
                    maker: sender.id
                )
            share.access = access
            share.group = group
            share.user = share.user ?? user
            try tx.save(share)
            if share.user == nil, let seconds = try invite(address, to: share, from: sender, mail, at: now, in: tx) {
                throw AccountError(ErrorCode.Care.tooManyMails, retryAfter: seconds)
            }
            try record(.shared, share, by: sender, at: now, in: tx)
            return share
        }
    }

    /// The share of a patient with an address. If a job will delete the share, it is deleted here: a new share needs
    /// its place in the index.
    ///
    /// - Parameters:
    ///   - patient: a patient that the user of the request has access to.
    ///   - address: in lower case.
    ///   - holder: the user whose address it is; nil if shares with it wait.
    private func liveShare(
        of patient: Int,
        with address: String,
        holder: CareUser?,
        in tx: Transaction
    ) throws -> CareShare? {
        let found = try tx.find(CareShare.byEmail, Key(patient, address))
        if let holder, var own = try own(of: holder, in: patient, in: tx) {
            // The share has an earlier address of the user. Another one may wait for the present address.
            if own.id != found?.id {
                if let found, found.user == nil, try isLive(found, pendingJobs(in: tx), isReached: true, in: tx) {
                    own = try open(found, for: holder, in: tx)
                }
                own = try withPresentEmail(own, of: holder, in: tx)
            }
            return own
        }
        guard let share = found else { return nil }
        if let user = share.user, user != holder?.id, let other = try tx.get(CareUser.self, Key(user)),
            other.email.lowercased() != address
        {
            // The share of a user who had the address before.
            _ = try withPresentEmail(share, of: other, in: tx)
            return nil
        }
        if try isLive(share, pendingJobs(in: tx), isReached: true, in: tx) { return share }
        try delete(share, in: tx)
        return nil
    }

    /// Stores the present address of a user in a share that has an earlier one.
    ///
    /// A change of the email leaves the user's shares as they are, because there may be very many. They are found by
    /// their user, and replies show the user's present address. Only a share whose address another share needs gets the
    /// present one.
    private func withPresentEmail(_ share: CareShare, of user: CareUser, in tx: Transaction) throws -> CareShare {
        // It leaves the index first: two users may have exchanged their addresses.
        try tx.delete(CareShare.self, share.key)
        let key = Key(share.patient, user.email.lowercased())
        if let other = try tx.find(CareShare.byEmail, key) {
            if let id = other.user, let holder = try tx.get(CareUser.self, Key(id)) {
                _ = try withPresentEmail(other, of: holder, in: tx)
            } else {
                try delete(other, in: tx)
            }
        }
        var share = share
        share.email = user.email
        try tx.insert(share)
        return share
    }

    /// A share, with the present address of its user.
    private func shown(_ share: CareShare, in tx: Transaction) throws -> CareShare {
        guard let id = share.user, let user = try tx.get(CareUser.self, Key(id)) else { return share }
        var share = share
        share.email = user.email
        return share
    }

    private func invite(
        _ address: EmailAddress,
        to share: CareShare,
        from sender: CareUser,
        _ mail: MailSecrets,
        at now: Timestamp,
        in tx: Transaction
    ) throws -> Int? {
        try environment.outbox.post(
            .careInvitation,
            .claim,
            of: codes,
            for: share.id,
            to: address,
            locale: sender.locale,
            from: MailCause(.care, account: sender.id),
            mail,
            at: now,
            in: tx
        )
    }

    /// The shares of a patient, the earliest first. A user who can only read the patient gets only the user's own
    /// share.
    ///
    /// - Parameter replyBytesMax: the maximum length of the reply.
    /// - Throws: `ReplyTooLong` as soon as the reply is certain to be longer, without reading the other shares.
    package func shares(
        _ token: Given<BearerToken>,
        _ id: Given<Int>,
        replyBytesMax: Int = .max
    ) throws -> [CareShare] {
        let now = environment.time.now
        return try environment.store.read { tx in
            let user = try authenticated(token, at: now, in: tx)
            let pending = try pendingJobs(in: tx)
            let own = try share(of: user, in: id, pending, in: tx)
            let seen = try seen(own, in: tx)
            guard seen.share.allowsWriting else { return [try shown(seen.share, in: tx)] }
            var (shares, next, bound) = ([CareShare](), 0, ReplyBound(bytesMax: replyBytesMax))
            while true {
                let (prefix, from) = (Key(own.patient), Key(own.patient, next))
                let page = try tx.scan(CareShare.byPatient, prefix: prefix, from: from, limit: Limits.sharesPerScanMax)
                for var share in page where try isLive(share, pending, isReached: true, in: tx) {
                    if share.user == seen.patient.owner { share.becomeOwners() }
                    share = try shown(share, in: tx)
                    shares.append(share)
                    try bound.add(share)
                }
                guard page.count == Limits.sharesPerScanMax, let last = page.last,
                    last.id < Key.numbers.upperBound
                else { return shares }
                next = last.id + 1
            }
        }
    }

    /// Ends a share and its invitation. A user who can only read the patient may end only the user's own share.
    package func unshare(_ token: Given<BearerToken>, _ id: Given<Int>, shareID: Given<Int>) throws -> CareShare {
        let now = environment.time.now
        return try environment.store.write { tx in
            let user = try authenticated(token, at: now, in: tx)
            let own = try settledShare(of: user, in: id, in: tx)
            guard let shareID = shareID.value, Key.numbers.contains(shareID),
                let share = try tx.get(CareShare.self, Key(shareID)), share.patient == own.patient,
                try isLive(share, pendingJobs(in: tx), isReached: true, in: tx)
            else { throw shareID.error(ErrorCode.Care.invalidShareID) }
            guard own.allowsWriting || own.id == share.id else { throw AccountError(ErrorCode.Care.unauthorized) }
            if share.isOwners { throw AccountError(ErrorCode.Care.isOwner) }
            try delete(share, in: tx)
            try record(.unshared, share, by: user, at: now, in: tx)
            return try shown(share, in: tx)
        }
    }

    private func record(
        _ kind: EventKind,
        _ share: CareShare,
        by user: CareUser,
        at now: Timestamp,
        in tx: Transaction
    ) throws {
        let detail = EventDetail(patient: share.patient, share: share.id)
        try audit.record(kind, of: user.id, by: .account, detail: detail, at: now, in: tx)
    }

    /// Deletes a share and its invitation code.
    func delete(_ share: CareShare, in tx: Transaction) throws {
        try codes.delete([.claim], of: share.id, in: tx)
        try tx.delete(CareShare.self, share.key)
    }

    /// Gives the access of an invitation to the user who has its code.
    ///
    /// A user who has access already keeps it, and it is raised if the invitation gives more. If the invitation gives
    /// nothing more, for example to the owner, the code stays valid for another user.
    package func claim(_ token: Given<BearerToken>, code: Given<String>) throws -> SeenPatient {
        let now = environment.time.now
        let invalid = code.error(ErrorCode.Care.invalidCode)
        return try environment.store.write { tx in
            let user = try authenticated(token, at: now, in: tx)
            guard let code = code.code() else { throw invalid }
            let id = try codes.find(.claim, code, at: now, in: tx, orThrow: invalid)
            guard let found = try tx.get(CareShare.self, Key(id)), found.user == nil,
                try isLive(found, pendingJobs(in: tx), in: tx)
            else { throw invalid }
            try settle(found.patient, in: tx)
            guard let patient = try tx.get(CarePatient.self, Key(found.patient)) else { throw invalid }
            let isOwnAddress = found.email.lowercased() == user.email.lowercased()
            if let own = try self.own(of: user, in: patient.id, in: tx) {
                guard !own.allowsWriting, found.allowsWriting else { return try seen(own, in: tx) }
                try record(.claimed, found, by: user, at: now, in: tx)
                return try seen(try open(found, for: user, in: tx), in: tx)
            }
            // Another invitation to the same patient may wait for the claimer's own address.
            let address = user.email.lowercased()
            if let other = try liveShare(of: patient.id, with: address, holder: user, in: tx), other.id != id {
                try delete(other, in: tx)
            }
            let share = try open(found, for: user, in: tx)
            try record(.claimed, found, by: user, at: now, in: tx)
            if isOwnAddress, (found.maker ?? patient.owner) != user.id { try prove(user, at: now, in: tx) }
            return try seen(share, in: tx)
        }
    }

    /// The share that gives a user access to a patient; nil if there is none. If a job will delete the share, it is
    /// deleted here, because a new share needs its place in the indexes.
    private func own(of user: CareUser, in patient: Int, in tx: Transaction) throws -> CareShare? {
        guard let share = try share(of: user.id, in: patient, in: tx) else { return nil }
        if try isLive(share, pendingJobs(in: tx), in: tx) { return share }
        try delete(share, in: tx)
        return nil
    }

    /// Gives a user the access of a waiting share. If the user has a share of the patient already, that one is raised
    /// and the waiting one is deleted; else the waiting share becomes the user's.
    @discardableResult
    func open(_ waiting: CareShare, for user: CareUser, in tx: Transaction) throws -> CareShare {
        try codes.delete([.claim], of: waiting.id, in: tx)
        if var own = try own(of: user, in: waiting.patient, in: tx) {
            if !own.allowsWriting, waiting.allowsWriting {
                own.access = waiting.access
                try tx.update(own)
            }
            try tx.delete(CareShare.self, waiting.key)
            return own
        }
        var share = waiting
        share.user = user.id
        share.email = user.email
        try tx.update(share)
        return share
    }
}
