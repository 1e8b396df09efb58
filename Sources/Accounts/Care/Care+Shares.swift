import Store

/// Sharing patients.
extension Care {
    /// Shares a patient with an address. One that has an account can reach it at once; another is mailed an invitation,
    /// as an address alone proves nothing.
    package func share(
        _ token: Given<String>,
        _ id: Given<Int>,
        email: Given<String>,
        access: Given<String>,
        group: Given<String>
    ) throws -> CareShare {
        let (now, mail) = (environment.time.now, MailSecrets(environment.random))
        return try environment.store.transact { tx in
            let sender = try authenticated(token, at: now, in: tx)
            let patient = try writableShare(token, id, at: now, in: tx).patient
            let (address, emailCodes) = CareRules.email(email)
            let (access, accessCodes) = CareRules.access(access)
            let (group, groupCodes) = CareRules.group(group)
            if let error = AccountError(all: emailCodes + accessCodes + groupCodes) { throw error }
            guard let address, let access, let group else { throw AccountError(ErrorCode.Care.invalidEmail) }
            let user = try self.user(of: address, in: tx)
            let known = try tx.find(CareShare.byEmail, Key(patient, address.canonical))
            if known?.isOwners == true { throw AccountError(ErrorCode.Care.isOwner) }
            var share =
                try known
                ?? CareShare(
                    id: tx.nextNumber(of: CareShare.self),
                    patient: patient,
                    email: address.text,
                    user: user?.id,
                    access: access,
                    group: group
                )
            if share.user == nil, let user {
                // The address has come by an account since it was invited.
                share.user = user.id
                try codes.end([.claim], of: share.id, in: tx)
            }
            share.access = access
            share.group = group
            try tx.save(share)
            if share.user == nil,
                let seconds = try environment.outbox.post(
                    .careInvitation,
                    .claim,
                    of: codes,
                    for: share.id,
                    to: address,
                    from: MailCause(.care, account: sender.id),
                    mail,
                    at: now,
                    in: tx
                )
            {
                throw AccountError(ErrorCode.Care.tooManyMails, retryAfter: seconds)
            }
            return share
        }
    }

    /// Who can reach a patient, the earliest first.
    package func shares(_ token: Given<String>, _ id: Given<Int>) throws -> [CareShare] {
        let now = environment.time.now
        return try environment.store.transact { tx in
            let share = try share(of: try authenticated(token, at: now, in: tx), in: id, in: tx)
            return try tx.scan(CareShare.byPatient, prefix: Key(share.patient))
        }
    }

    /// Ends a share. Who only reads may end the own one.
    package func unshare(_ token: Given<String>, _ id: Given<Int>, shareID: Given<Int>) throws -> CareShare {
        let now = environment.time.now
        return try environment.store.transact { tx in
            let own = try share(of: try authenticated(token, at: now, in: tx), in: id, in: tx)
            guard let shareID = shareID.value, Key.numbers.contains(shareID),
                let share = try tx.get(CareShare.self, Key(shareID)), share.patient == own.patient
            else { throw AccountError(ErrorCode.Care.invalidShareID) }
            guard own.access == "write" || own.id == share.id else { throw AccountError(ErrorCode.Care.unauthorized) }
            if share.isOwners { throw AccountError(ErrorCode.Care.isOwner) }
            try end(share, in: tx)
            return share
        }
    }

    /// Ends a share, and the invitation to it.
    func end(_ share: CareShare, in tx: Transaction) throws {
        try codes.end([.claim], of: share.id, in: tx)
        try tx.delete(CareShare.self, share.key)
    }

    /// Gives the access of an invitation to the one who has its code. Who could reach the patient before keeps that way
    /// of reaching it.
    package func claim(_ token: Given<String>, code: Given<String>) throws -> SeenPatient {
        let now = environment.time.now
        let invalid = AccountError(ErrorCode.Care.invalidCode)
        return try environment.store.transact { tx in
            let user = try authenticated(token, at: now, in: tx)
            guard let code = code.code(), let id = try codes.redeem(.claim, code, at: now, in: tx),
                var share = try tx.get(CareShare.self, Key(id))
            else { throw invalid }
            let own = try tx.scan(CareShare.byPatient, prefix: Key(share.patient)).first { $0.user == user.id }
            if let own {
                try tx.delete(CareShare.self, share.key)
                return try seen(own, in: tx)
            }
            // Another invitation of the same patient may wait for the claimer's own address.
            if let other = try tx.find(CareShare.byEmail, Key(share.patient, user.email.lowercased())), other.id != id {
                try end(other, in: tx)
            }
            share.user = user.id
            share.email = user.email
            try tx.update(share)
            return try seen(share, in: tx)
        }
    }
}
