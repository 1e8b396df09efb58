/// The bounds of delivering, each with its unit in its name.
package enum Limits {
    /// How many mails are under way at once: one that hangs must not hold up the others.
    package static let deliveriesMax = 4
    /// How long a command may take for one mail.
    package static let commandSeconds = 60
    /// How much of what a command wrote to stderr last is shown.
    static let commandErrorBytesMax = 500
    /// How much of it is kept while the command runs: more than is shown, as what it quotes of the mail is left out.
    static let commandErrorBytesKept = 2_048
    /// From what length on a word that also occurs in the mail is left out; codes and temporary passwords are longer.
    static let quotedWordBytesMin = 8
    /// How long a command that was asked to end has for it.
    static let killSeconds = 5
    /// For how long a process that sends a mail keeps it from the others: longer than sending can take. Should the process
    /// be killed, the mail goes out after that.
    static let claimSeconds = 120
    /// How many times a mail is tried before it is given up.
    package static let attemptsMax = 10
    /// How long after its first attempt a mail is tried again.
    package static let firstRetrySeconds = 60
    /// How long at most between two attempts.
    package static let retrySecondsMax = 3_600
    /// How long the end of the program waits for what is under way.
    package static let lastWaitSeconds = 5
    /// How long the outbox is left alone while another process holds the lock of the store.
    static let lockedStoreMilliseconds = 20
    /// How long at most the outbox is left alone: what another process posted is found then.
    package static let lookSeconds = 60
    /// Bytes in a template.
    package static let templateBytesMax = 32_768
    /// RFC 5322 §2.1.1, without the CRLF.
    static let lineBytesMax = 998
    /// RFC 2047 §2: an encoded word has at most 75 characters, so at most this many bytes of text.
    static let encodedWordTextBytesMax = 45
}
