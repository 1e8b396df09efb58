package import Store

/// All types of records that the account APIs keep.
package enum RecordTypes {
    /// One a collection.
    package static let all: [RecordType] = [
        RecordType(Operator.self), RecordType(Client.self), RecordType(CareUser.self), RecordType(CarePatient.self),
        RecordType(CareShare.self), RecordType(CareJob.self),
        RecordType(SalesUser.self), RecordType(Invitation.self), RecordType(Session.self),
        RecordType(PasswordFailures.self), RecordType(UnknownFailures.self), RecordType(MailedCode.self),
        RecordType(OutboxMail.self), RecordType(OutboxText.self), RecordType(MailQuota.self),
        RecordType(DecoyMail.self),
        RecordType(HashKey.self),
    ]

    /// The collections whose records hold the data of a person, and are deleted with it. A share that is withdrawn, which has
    /// an address too, starts no merge: that goes with the next one.
    package static let personal: [AnyCollection] = [
        Operator.collection, Client.collection, CareUser.collection, CarePatient.collection, CareJob.collection,
        SalesUser.collection,
    ]
}
