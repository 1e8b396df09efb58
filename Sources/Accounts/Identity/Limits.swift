/// The bounds of what accounts hold and of what may be tried, each with its unit in its name.
package enum Limits {
    /// Unicode scalars in a name, and in other short texts.
    package static let nameCharactersMax = 200
    /// Unicode scalars in a phone number.
    package static let phoneCharactersMax = 50
    /// Unicode scalars in a postal address.
    package static let addressCharactersMax = 1_000
    /// Bytes in a password: enough for any passphrase, and little to hash.
    package static let passwordBytesMax = 1_024
    /// RFC 5321 §4.5.3.1.3: a path of 256 octets, less its angle brackets.
    package static let emailBytesMax = 254
    /// RFC 5321 §4.5.3.1.1.
    package static let emailLocalPartBytesMax = 64

    /// Failed sign-ins in a row until an account is locked.
    package static let failedSignInsMax = 10
    /// How long it is locked then.
    package static let lockoutSeconds = 3_600
    /// How long after its last failure a count of failures lapses.
    package static let failureCountSeconds = 86_400
    /// Rows for addresses without an account, for each API and each kind of mail: invented addresses cannot fill the disk.
    package static let unknownAddressSlotsMax = 16_384
    /// How long a session lasts.
    package static let sessionSeconds = 90 * 86_400
    /// How long a temporary password is good, and the mail with it keeps its text.
    package static let temporaryPasswordSeconds = 86_400
    /// Characters in a mailed code, without white space around it.
    package static let codeCharactersMax = 64
    /// Bytes in a bearer token or a code with white space around it; no longer one is read.
    package static let tokenBytesMax = 1_024
    /// How long a used code that confirms an address goes on answering the same success.
    package static let usedCodeSeconds = 86_400
    /// Mails of one kind that go to an address in `mailQuotaSeconds`.
    package static let mailsPerKindAndAddressMax = 5
    /// The span in which mails of a kind to an address are counted.
    package static let mailQuotaSeconds = 3_600
    /// Mails to others that an account causes in `mailsToOthersSeconds`.
    package static let mailsToOthersMax = 100
    /// The span in which mails to others are counted.
    package static let mailsToOthersSeconds = 86_400
    /// How far ahead a waiting mail can be due; one that is further was dated by a clock that stood ahead.
    package static let mailDelaySecondsMax = 3_600
    /// How long at most what a mail says is good.
    package static let mailLifetimeSecondsMax = 7 * 86_400
    /// Clients that are read in one go where a request bounds how many it gets.
    package static let clientsPerScanMax = 1_000
    /// Accounts that an invitation may create.
    package static let invitationUses = 1...1_000_000
    /// How long an invitation is good unless told otherwise.
    package static let invitationSeconds = 7 * 86_400
    /// Records that one transaction of a job deletes or changes.
    package static let jobRecordsMax = 500
    /// How often a process looks for jobs that others left.
    package static let jobLookSeconds = 60
    /// How often counts, quotas and codes that are over are deleted.
    package static let sweepSeconds = 3_600
    /// Rows of a kind that one sweep deletes or corrects.
    package static let sweptRowsMax = 1_000
    /// How long the outbox remembers a mail, without its text, once it is through with it.
    package static let outboxRecordSeconds = 30 * 86_400
}
