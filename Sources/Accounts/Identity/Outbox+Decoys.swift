package import Store

/// Decoys: records that take the place of a mail which is not posted, because the address has no account that needs
/// one.
///
/// A decoy is as long as all records that the mail would bring, and is written as they are, so neither the time of a
/// reply nor the growth of the files reveals who has an account. It replaces the previous decoy of the same kind.
extension Outbox {
    /// Announces what a request reads that posts a mail or a decoy.
    ///
    /// - Parameters:
    ///   - origin: where the request comes from, if its network address is counted.
    ///   - hashKey: the store's key of keyed hashes, if it is known.
    func announce(
        _ kind: MailKind,
        to address: EmailAddress,
        from origin: Origin,
        _ hashKey: HashKey?,
        to announced: inout Prefetch
    ) {
        HashKey.announce(to: &announced)
        guard let hashKey else { return }
        let hash = KeyedHash(of: address.canonical, hashKey)
        for isSent in [true, false] {
            MailQuotas(kind, to: hash, isSent: isSent, cause: nil).announce(to: &announced)
        }
        guard let network = origin.network else { return }
        MailQuotas(ofRequestsFrom: KeyedHash(of: network, hashKey)).announce(to: &announced)
    }

    /// A mail that differs from another one, of which the same request could post either.
    struct Alternative {
        let kind: MailKind
        /// The code in the mail; empty for none.
        let secret: String
        /// The account that the mail is about.
        let account: Int
        /// The language of the mail; nil for the default.
        let locale: String?
    }

    /// Does the same work as `post`.
    ///
    /// - Parameters:
    ///   - purpose: that of the code in the mail.
    ///   - origin: where the request comes from, if it leaves an event when the address has an account.
    package func postDecoy(
        _ kind: MailKind,
        _ purpose: MailedCodes.Purpose,
        to address: EmailAddress,
        eventFrom origin: Origin? = nil,
        _ mail: MailSecrets,
        at now: Timestamp,
        in tx: Transaction
    ) throws {
        let code = "\(Self.usualNumber)-\(mail.secret)"
        let sample = MailedCode(
            realm: kind.realm?.rawValue ?? "",
            purpose: purpose.rawValue,
            holder: Self.usualNumber,
            hash: SecretToken.Hash(of: mail.secret).text,
            expires: now.adding(seconds: purpose.seconds),
            isUsed: false
        )
        var bytes = tx.insertionBytes(of: sample)
        if let origin, let realm = kind.realm {
            let event = AuditTrail(realm).sample(.resetRequested, of: Self.usualNumber, from: origin, at: now)
            bytes += tx.insertionBytes(of: event)
        }
        let words = composer.compose(kind, secret: code, locale: nil)
        try Self.postDecoy(
            kind,
            words,
            code: code,
            messageID: messageID(of: mail),
            to: address,
            moreBytes: bytes,
            mail,
            at: now,
            in: tx
        )
    }

    /// - Parameters:
    ///   - words: the texts of a mail of that kind.
    ///   - code: a text with the length of the code in the mail; nil for a notice.
    ///   - bytes: what the mail's request would write beyond the mail.
    static func postDecoy(
        _ kind: MailKind,
        _ words: MailText,
        code: String?,
        messageID: String,
        to address: EmailAddress,
        moreBytes bytes: Int = 0,
        _ mail: MailSecrets,
        at now: Timestamp,
        in tx: Transaction
    ) throws {
        let hash = try KeyedHash(of: address.canonical, newKey: mail.newHashKey, in: tx)
        guard try MailQuotas(kind, to: hash, isSent: false, cause: nil).admit(at: now, in: tx) == nil else { return }
        // Reading the previous decoy takes a server as long as giving a mail its number.
        _ = try tx.get(DecoyMail.self, emptyDecoy(kind, mail).key)
        let bytes = bytes + mailBytes(kind, words, code: code, messageID, to: address, at: now, in: tx)
        try saveDecoy(kind, bytes: bytes, mail, in: tx)
        // Known and unknown addresses cause the same work.
        tx.afterwards(.mail)
    }

    /// Posts one of two mails with a code or without, and writes as many bytes as for the longer one, so that it does
    /// not show which was posted.
    ///
    func post(
        _ posted: Alternative,
        insteadOf other: Alternative,
        to address: EmailAddress,
        goodFor seconds: Int,
        _ mail: MailSecrets,
        at now: Timestamp,
        in tx: Transaction
    ) throws {
        func bytes(of alternative: Alternative) -> Int {
            let (kind, secret) = (alternative.kind, alternative.secret)
            let words = composer.compose(kind, secret: secret, locale: alternative.locale)
            let code = secret.isEmpty ? nil : secret
            return Self.mailBytes(kind, words, code: code, messageID(of: mail), to: address, at: now, in: tx)
        }
        try post(
            posted.kind,
            of: posted.account,
            to: address,
            secret: posted.secret,
            messageID: mail.messageID,
            goodFor: seconds,
            locale: posted.locale,
            at: now,
            in: tx
        )
        let difference = bytes(of: other) - bytes(of: posted)
        // The record has the same kind in both cases. Its other bytes are added to both.
        let kind = posted.secret.isEmpty ? other.kind : posted.kind
        try Self.saveDecoy(kind, bytes: Self.decoyBytes(kind, mail, in: tx) + max(0, difference), mail, in: tx)
    }

    /// The bytes of a mail and its text in a journal.
    private static func mailBytes(
        _ kind: MailKind,
        _ words: MailText,
        code: String?,
        _ messageID: String,
        to address: EmailAddress,
        at now: Timestamp,
        in tx: Transaction
    ) -> Int {
        let (record, text) = records(
            usualNumber,
            kind,
            words,
            of: usualNumber,
            code: code,
            to: address,
            messageID: messageID,
            expires: now,
            at: now
        )
        return tx.insertionBytes(of: record) + tx.insertionBytes(of: text)
    }

    /// Writes a decoy of a total length, if it is at least that of an empty one.
    private static func saveDecoy(_ kind: MailKind, bytes: Int, _ mail: MailSecrets, in tx: Transaction) throws {
        var decoy = emptyDecoy(kind, mail)
        decoy.text = String(repeating: "x", count: max(0, bytes - tx.insertionBytes(of: decoy)))
        try tx.save(decoy)
    }

    private static func decoyBytes(_ kind: MailKind, _ mail: MailSecrets, in tx: Transaction) -> Int {
        tx.insertionBytes(of: emptyDecoy(kind, mail))
    }

    private static func emptyDecoy(_ kind: MailKind, _ mail: MailSecrets) -> DecoyMail {
        DecoyMail(kind: kind.rawValue, hash: SecretToken.Hash(of: mail.secret).text, text: "")
    }

    /// A number of an account or a mail with as many digits as most have.
    private static let usualNumber = 1_000
}

extension DecoyMail: Record {
    package static let collection = Collection<DecoyMail>("decoy mails")

    package var key: Key { Key(kind) }
}
