package import Store

/// Registering, signing in, and the user's own account.
extension Care {
    /// Registers a user, creates the patient record of the user, and mails a code that proves the address.
    ///
    /// All errors of the email, the password and the role are reported together, those of the password policy after the
    /// other errors of the password. If these are valid, the names and the phone number are checked, and only the first
    /// error among them is reported.
    package func register(
        email: Given<String>,
        password: Given<Password>,
        role: Given<String>,
        firstName: Given<String>,
        lastName: Given<String>,
        phone: Given<String>,
        client: Given<OriginFields> = .absent,
        locale: Given<String> = .absent
    ) throws -> Progress<CareUser> {
        let (address, emailErrors) = CareRules.email(email)
        let (text, passwordErrors) = CareRules.password(password)
        let (knownRole, roleErrors) = CareRules.role(role)
        let names = [firstName, lastName].compactMap { $0.text(charactersMax: Limits.nameCharactersMax) }
        let policyErrors = text.map { refusals(of: $0, email: address?.text, names: names) } ?? []
        let errors = emailErrors + passwordErrors + policyErrors + roleErrors
        if let error = AccountError(all: errors) { throw error }
        guard let address, let text, let knownRole else { throw AccountError(ErrorCode.Care.invalidRole) }
        let new = NewCareUser(
            email: address,
            role: knownRole,
            firstName: try CareRules.firstName(firstName),
            lastName: try CareRules.lastName(lastName),
            phone: try CareRules.phone(phone),
            origin: try CareRules.origin(client),
            locale: try CareRules.locale(locale, "locale")
        )
        let now = environment.time.now
        try environment.store.read { tx in
            try refuseTaken(address, at: now, in: tx)
            if let seconds = try environment.outbox.secondsUntilRequest(from: new.origin, at: now, in: tx) {
                throw AccountError(ErrorCode.Care.tooManyMails, retryAfter: seconds)
            }
        }
        return .hash(text) { hash, apis in .done(try apis.care.register(new, hash)) }
    }

    /// A user to register, whose properties are valid.
    private struct NewCareUser {
        let email: EmailAddress
        let role, firstName, lastName, phone: String
        let origin: Origin
        let locale: String?
    }

    private func register(_ new: NewCareUser, _ hash: PasswordHash) throws -> CareUser {
        let (now, mail) = (environment.time.now, MailSecrets(environment.random))
        return try environment.store.write { tx in
            try refuseTaken(new.email, at: now, in: tx)
            if let seconds = try environment.outbox.admitRequest(from: new.origin, mail, at: now, in: tx) {
                throw AccountError(ErrorCode.Care.tooManyMails, retryAfter: seconds)
            }
            let user = CareUser(
                id: try tx.nextNumber(of: CareUser.self),
                created: now,
                email: new.email.text,
                passwordHash: hash.text,
                role: new.role,
                firstName: new.firstName,
                lastName: new.lastName,
                phone: new.phone,
                npi: "",
                isProven: false,
                hasTemporaryPassword: false,
                temporaryUntil: nil,
                locale: new.locale,
                disabled: nil
            )
            try insert(user, at: now, in: tx)
            if let seconds = try mailConfirmation(mail, to: user, at: now, in: tx) {
                throw AccountError(ErrorCode.Care.tooManyMails, retryAfter: seconds)
            }
            try audit.record(.registered, of: user.id, by: .anonymous, from: new.origin, at: now, in: tx)
            return user
        }
    }

    /// Adds a user, and the patient record of the user.
    func insert(_ user: CareUser, at now: Timestamp, in tx: Transaction) throws {
        try tx.insert(user)
        let patient = CarePatient(
            id: try tx.nextNumber(of: CarePatient.self),
            created: now,
            owner: user.id,
            me: user.id,
            firstName: user.firstName.isEmpty ? "Me" : user.firstName,
            lastName: user.lastName,
            birthdate: nil,
            sex: nil,
            phone: user.phone
        )
        _ = try add(patient, of: user, in: tx)
    }

    /// The errors of a new password that the password policy refuses.
    func refusals(of password: Password, email: String?, names: [String]) -> [AccountError] {
        passwordPolicy.faults(in: password, email: email, names: names).map { AccountError(CareRules.code(of: $0)) }
    }

    private func refuseTaken(_ email: EmailAddress, at now: Timestamp, in tx: Transaction) throws {
        if try isTaken(email, at: now, in: tx) { throw AccountError(ErrorCode.Care.userAlreadyExists) }
    }

    /// Signs in and returns the access token of a new session.
    package func signIn(
        email: Given<String>,
        password: Given<Password>,
        lifetime: SessionLifetimeFields = .absent,
        client: Given<OriginFields> = .absent
    ) throws -> Progress<SecretToken> {
        let (address, emailErrors) = CareRules.email(email)
        let (text, passwordErrors) = CareRules.password(password)
        // A text that is not an address is answered like an email that has no account.
        let isText = !email.isBlank && email.value != nil
        if let error = AccountError(all: (isText ? [] : emailErrors) + passwordErrors) { throw error }
        let (lifetime, origin) = (try CareRules.lifetime(lifetime), try CareRules.origin(client))
        guard let address, let text else { throw AccountError(ErrorCode.Care.wrongEmailPassword) }
        let token = newToken()
        return try signIn(
            email: address.canonical,
            password: text,
            token: token,
            lifetime: lifetime,
            origin: origin
        ).map { _ in token }
    }

    /// Marks the address of a user as proven who signs in with a temporary password that was mailed to it.
    func proveByTemporaryPassword(_ user: CareUser, at now: Timestamp, in tx: Transaction) throws {
        guard user.hasTemporaryPassword, !user.isProven else { return }
        // An account that was registered with someone else's address must keep no access to the owner's patients.
        try begin(CareJob(.takeover, user.id), in: tx)
        try prove(user, at: now, in: tx)
    }

    /// Changes the user's own account. Absent properties stay unchanged, blank ones are cleared. A new password ends
    /// every session.
    package func change(
        _ token: Given<BearerToken>,
        firstName: Given<String>,
        lastName: Given<String>,
        phone: Given<String>,
        npi: Given<String>,
        password: Given<Password>
    ) throws -> Progress<CareUser> {
        let change = CareUserChange(token: token, firstName: firstName, lastName: lastName, phone: phone, npi: npi)
        guard !password.isAbsent else { return .done(try self.change(change, newHash: nil)) }
        let now = environment.time.now
        let user = try environment.store.read { try edited(authenticated(token, at: now, in: $0), by: change) }
        let (text, errors) = CareRules.password(password)
        if let error = AccountError(all: errors) { throw error }
        guard let text else { throw AccountError(ErrorCode.Care.invalidPassword) }
        let policyErrors = refusals(of: text, email: user.email, names: [user.firstName, user.lastName])
        if let error = AccountError(all: policyErrors) { throw error }
        return .hash(text) { hash, apis in .done(try apis.care.change(change, newHash: hash)) }
    }

    /// The changes in a request to its user's account, without the password.
    private struct CareUserChange {
        let token: Given<BearerToken>
        let firstName, lastName, phone, npi: Given<String>
    }

    private func change(_ change: CareUserChange, newHash: PasswordHash?) throws -> CareUser {
        let now = environment.time.now
        let notice = newHash.map { _ in MailSecrets(environment.random) }
        return try environment.store.write { tx in
            let before = try authenticated(change.token, at: now, in: tx)
            var user = try edited(before, by: change)
            let hasNewProfile = user != before
            if let newHash {
                try replacePassword(of: &user, by: newHash, notice: notice, at: now, in: tx)
                try audit.record(.passwordChanged, of: user.id, by: .account, at: now, in: tx)
            } else {
                try tx.update(user)
            }
            if hasNewProfile { try audit.record(.profileChanged, of: user.id, by: .account, at: now, in: tx) }
            return user
        }
    }

    /// The user with the changes applied, not stored.
    private func edited(_ user: CareUser, by change: CareUserChange) throws -> CareUser {
        var user = user
        if !change.firstName.isAbsent { user.firstName = try CareRules.firstName(change.firstName) }
        if !change.lastName.isAbsent { user.lastName = try CareRules.lastName(change.lastName) }
        if !change.phone.isAbsent { user.phone = try CareRules.phone(change.phone) }
        if !change.npi.isAbsent, user.isClinician { user.npi = try CareRules.npi(change.npi) }
        return user
    }

    /// Sets a temporary password, mails it and ends every session. If the mail quota is reached, nothing changes.
    package func resetPassword(
        email: Given<String>,
        client: Given<OriginFields> = .absent
    ) throws -> Progress<String> {
        let (address, errors) = CareRules.email(email)
        if let error = AccountError(all: errors) { throw error }
        let origin = try CareRules.origin(client)
        guard let address else { throw AccountError(ErrorCode.Care.invalidEmail) }
        guard try environment.store.read({ try self.account(of: address, in: $0) }) != nil else {
            throw AccountError(ErrorCode.Care.userNotFound)
        }
        let mail = MailSecrets(environment.random)
        return .hash(Password(mail.secret.utf8)) { hash, apis in
            .done(try apis.care.resetPassword(address, mail, hash, from: origin))
        }
    }

    private func resetPassword(
        _ address: EmailAddress,
        _ mail: MailSecrets,
        _ hash: PasswordHash,
        from origin: Origin
    ) throws -> String {
        let now = environment.time.now
        return try environment.store.write { tx in
            guard var user = try self.account(of: address, in: tx), let stored = EmailAddress(user.email) else {
                throw AccountError(ErrorCode.Care.userNotFound)
            }
            // A disabled account gets no password, and the request its usual reply.
            guard user.disabled == nil else { return user.email }
            // If a quota refuses the request or the mail, an anonymous request gets its usual reply.
            guard try environment.outbox.admitRequest(from: origin, mail, at: now, in: tx) == nil else {
                return user.email
            }
            guard try environment.outbox.admit(.careTemporaryPassword, to: stored, mail, at: now, in: tx) == nil
            else { return user.email }
            let end = now.adding(seconds: Limits.temporaryPasswordSeconds)
            try replacePassword(of: &user, by: hash, temporaryUntil: end, at: now, in: tx)
            // The temporary password replaces the old one at once.
            for kind in [EventKind.resetRequested, .passwordReset] {
                try audit.record(kind, of: user.id, by: .anonymous, from: origin, at: now, in: tx)
            }
            try environment.outbox.post(
                user.isProven ? .careTemporaryPassword : .careTemporaryPasswordUnproven,
                of: user.id,
                to: stored,
                secret: mail.secret,
                messageID: mail.messageID,
                goodFor: Limits.temporaryPasswordSeconds,
                locale: user.locale,
                at: now,
                in: tx
            )
            return user.email
        }
    }

    /// Deletes a user and all records that belong only to the user. A patient that other users have access to passes to
    /// the user who has had access longest.
    package func delete(_ token: Given<BearerToken>) throws -> CareUser {
        let (now, notice) = (environment.time.now, MailSecrets(environment.random))
        return try environment.store.write { tx in
            let user = try authenticated(token, at: now, in: tx)
            try deleteAll(of: user, by: .account, at: now, in: tx)
            try notifyOfDeletion(user, notice, at: now, in: tx)
            return user
        }
    }

    package func deleteAll(
        of user: CareUser,
        by source: AuditTrail.Source,
        at now: Timestamp,
        in tx: Transaction
    ) throws {
        try delete(user, by: source, at: now, in: tx)
        try tx.delete(CareJob.self, CareJob(.opening, user.id).key)
        try begin(CareJob(.account, user.id), in: tx)
    }
}
