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
    /// How long a session lasts.
    package static let sessionSeconds = 90 * 86_400
    /// How long a mail with a temporary password keeps its text.
    package static let temporaryPasswordMailSeconds = 86_400
    /// Wrong guesses that a mailed code outlives.
    package static let codeTriesMax = 10
    /// Characters in a code that is worth looking at.
    package static let codeCharactersMax = 64
    /// Mails of one kind that go to an address in `mailQuotaSeconds`.
    package static let mailsPerKindAndAddressMax = 5
    /// The span in which mails are counted.
    package static let mailQuotaSeconds = 3_600
    /// How long the outbox remembers a mail, without its text, once it is through with it.
    package static let outboxRecordSeconds = 30 * 86_400
}
