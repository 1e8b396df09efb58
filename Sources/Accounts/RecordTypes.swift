package import Store

/// All record types of the account APIs.
package enum RecordTypes {
    /// One type per collection.
    package static let all: [RecordType] = [
        RecordType(Operator.self), RecordType(Client.self), RecordType(CareUser.self), RecordType(CarePatient.self),
        RecordType(CareShare.self), RecordType(CareJob.self),
        RecordType(SalesUser.self), RecordType(Invitation.self), RecordType(Session.self),
        RecordType(PasswordFailures.self), RecordType(UnknownFailures.self), RecordType(MailedCode.self),
        RecordType(OutboxMail.self), RecordType(OutboxText.self), RecordType(MailQuota.self),
        RecordType(DecoyMail.self),
        RecordType(HashKey.self),
    ]

    /// The collections whose records contain personal data. Deleting such a record leads to a
    /// compaction, which erases it. Shares are not among them: a withdrawn share has an address
    /// too, but is erased by the next compaction anyway.
    package static let personal: [AnyCollection] = [
        Operator.collection, Client.collection, CareUser.collection, CarePatient.collection, CareJob.collection,
        SalesUser.collection,
    ]
}
