/// The bounds of what accounts hold and of what may be tried, each with its unit in its name.
package enum Limits {
    package static let nameCharactersMax = 200
    package static let phoneCharactersMax = 50
    package static let addressCharactersMax = 1_000
    package static let passwordBytesMax = 1_024
    /// RFC 5321 §4.5.3.1.3: a path of 256 octets, less its angle brackets.
    package static let emailBytesMax = 254
    /// RFC 5321 §4.5.3.1.1.
    package static let emailLocalPartBytesMax = 64

    package static let failedSignInsMax = 10
    package static let lockoutSeconds = 3_600
    package static let sessionSeconds = 90 * 86_400
    /// How long a mail with a temporary password keeps its text.
    package static let temporaryPasswordMailSeconds = 86_400
    package static let codeTriesMax = 10
    package static let codeCharactersMax = 64
    package static let mailsPerKindAndAddressMax = 5
    package static let mailQuotaSeconds = 3_600
    /// How long the outbox remembers a mail, without its text, once it is through with it.
    package static let outboxRecordSeconds = 30 * 86_400
}
